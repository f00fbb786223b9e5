/** The extraction's file of a source that is no text of itself: records written as CSV, counted and digested on the way. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { LockstepError } from '../engine/errors.ts';
import { RecordScanner } from '../engine/record-scanner.ts';
import type { ExtractedFile, KeptFile, WrittenFile } from './connector.ts';
import { writeAll } from './file-chunks.ts';
import { RecordIndexWriter } from './record-index.ts';

const flushedAt = 1 << 18;

export interface RecordFileOptions {
  /** See {@link ExtractedFile.countsRecords}. */
  readonly countsRecords?: boolean;
  /** What the last extraction has of the source. */
  readonly former?: KeptFile | undefined;
}

/** Writes records as RFC 4180 has them: UTF-8, commas, line feeds, quotes only where they are needed. */
export class RecordFile implements AsyncDisposable {
  readonly #source: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #index: RecordIndexWriter;
  readonly #scanner: RecordScanner;
  #text: string[] = [];
  #characters = 0;
  #records = 0;
  #bytes = 0;

  private constructor(
    file: FileHandle,
    index: RecordIndexWriter,
    source: string,
    countsRecords: boolean,
  ) {
    this.#file = file;
    this.#source = source;
    this.#index = index;
    let inHeader = true;
    this.#scanner = new RecordScanner(
      ',',
      (scanned, start, end, line) => {
        if (inHeader) inHeader = false;
        else this.#index.add(scanned, start, end, line);
      },
      countsRecords,
    );
  }

  /** Creates the file, which must not exist. */
  static async create(
    path: string,
    source: string,
    { countsRecords = false, former }: RecordFileOptions = {},
  ): Promise<RecordFile> {
    const file = await open(path, 'wx', 0o600);
    const index = await RecordIndexWriter.create(path, former);
    return new RecordFile(file, index, source, countsRecords);
  }

  /** Closes the file, whatever it holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index[Symbol.asyncDispose]();
    await this.#file.close();
  }

  /** Takes the next record, the header first. One whose cells are all blank is a blank line and no record. */
  add(cells: readonly string[]): void {
    const record = cells.map(quoted).join(',');
    // What a `RecordScanner` takes for blank: it is what counts records when they are read.
    if (/^[ \t\r",]*$/.test(record)) {
      this.skip(1);
      return;
    }
    this.#records += 1;
    this.#push(`${record}\n`);
  }

  /** Leaves so many lines blank. */
  skip(lines: number): void {
    if (lines > 0) this.#push('\n'.repeat(lines));
  }

  /** Call it between records: nothing is written before, and memory holds what was not. */
  async flushIfFull(): Promise<void> {
    if (this.#characters >= flushedAt) await this.#flush();
  }

  /**
   * @param fewest records after the header; of what changed there may be none
   * @throws LockstepError `SourceEmpty` when there are fewer
   */
  async end(fewest: 0 | 1 = 1): Promise<WrittenFile> {
    await this.#flush();
    if (this.#records < 1 + fewest) {
      const what = this.#records === 0 ? 'is blank' : 'holds only its header';
      throw new LockstepError('SourceEmpty', `${this.#source} ${what}`);
    }
    this.#scanner.end();
    return {
      rows: this.#records - 1,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      delimiter: ',',
      ...(await this.#index.end()),
    };
  }

  #push(text: string): void {
    this.#text.push(text);
    this.#characters += text.length;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#text.join(''));
    this.#text = [];
    this.#characters = 0;
    this.#hash.update(bytes);
    this.#scanner.push(bytes);
    this.#bytes += bytes.length;
    await writeAll(this.#file, bytes);
    await this.#index.flushIfFull();
  }
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
