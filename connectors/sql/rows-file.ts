/** A file of an extraction that takes ready CSV text: written, counted and digested in one pass. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { RecordScanner } from '../../engine/record-scanner.ts';
import type { KeptFile, WrittenFile } from '../connector.ts';
import { writeAll } from '../file-chunks.ts';
import { RecordIndexWriter } from '../record-index.ts';

export const delimiter = ',';

/** Takes CSV text with a header. */
export class RowsFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #scanner: RecordScanner;
  readonly #index: RecordIndexWriter;
  #records = 0;
  #bytes = 0;

  private constructor(file: FileHandle, index: RecordIndexWriter) {
    this.#file = file;
    this.#index = index;
    this.#scanner = new RecordScanner(delimiter, (scanned, start, end, line) => {
      if (this.#records > 0) this.#index.add(scanned, start, end, line);
      this.#records += 1;
    });
  }

  /**
   * Creates the file, which must not exist; nobody else may read it.
   *
   * @param former what the last extraction has of the source
   */
  static async create(path: string, former?: KeptFile): Promise<RowsFile> {
    const file = await open(path, 'wx', 0o600);
    return new RowsFile(file, await RecordIndexWriter.create(path, former));
  }

  /** How many rows have been written after the header. */
  get rows(): number {
    return Math.max(0, this.#records - 1);
  }

  async write(text: Buffer): Promise<void> {
    const written = writeAll(this.#file, text);
    try {
      this.#scanner.push(text);
      this.#hash.update(text);
      this.#bytes += text.length;
      await this.#index.flushIfFull();
    } finally {
      await written;
    }
  }

  async end(): Promise<WrittenFile> {
    this.#scanner.end();
    return {
      rows: this.rows,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      delimiter,
      ...(await this.#index.end()),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index[Symbol.asyncDispose]();
    await this.#file.close();
  }
}
