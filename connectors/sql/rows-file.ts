/** A file of an extraction that takes ready CSV text: written, counted and digested in one pass. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { RecordScanner } from '../../engine/record-scanner.ts';
import type { ExtractedFile } from '../connector.ts';
import { writeAll } from '../file-chunks.ts';

export const delimiter = ',';

/** Takes CSV text with a header. */
export class RowsFile implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #scanner: RecordScanner;
  #records = 0;
  #bytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
    this.#scanner = new RecordScanner(delimiter, () => {
      this.#records += 1;
    });
  }

  /** Creates the file, which must not exist; nobody else may read it. */
  static async create(path: string): Promise<RowsFile> {
    return new RowsFile(await open(path, 'wx', 0o600));
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
    } finally {
      await written;
    }
  }

  async end(): Promise<Pick<ExtractedFile, 'rows' | 'bytes' | 'sha256' | 'delimiter'>> {
    this.#scanner.end();
    return { rows: this.rows, bytes: this.#bytes, sha256: this.#hash.digest('hex'), delimiter };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
