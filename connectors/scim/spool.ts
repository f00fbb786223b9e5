/** Cells that wait on disk until what they refer to is known. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { writeAll } from '../file-chunks.ts';

const flushedAt = 1 << 18;

/** Keeps lists of cells in the order in which they came. */
export class Spool implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  #lines: string[] = [];
  #characters = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Creates the file, which must not exist; nobody else may read it. */
  static async create(path: string): Promise<Spool> {
    return new Spool(path, await open(path, 'wx+', 0o600));
  }

  /** Removes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  add(cells: readonly string[]): void {
    const line = `${JSON.stringify(cells)}\n`;
    this.#lines.push(line);
    this.#characters += line.length;
  }

  /** Call it between lists: nothing is written before, and memory holds what was not. */
  async flushIfFull(): Promise<void> {
    if (this.#characters >= flushedAt) await this.#flush();
  }

  /** Gives the lists back; none is added after that. */
  async *lists(): AsyncGenerator<string[]> {
    await this.#flush();
    for await (const line of this.#file.readLines({ start: 0, autoClose: false })) {
      yield JSON.parse(line) as string[];
    }
  }

  async #flush(): Promise<void> {
    const text = this.#lines.join('');
    this.#lines = [];
    this.#characters = 0;
    await writeAll(this.#file, Buffer.from(text));
  }
}
