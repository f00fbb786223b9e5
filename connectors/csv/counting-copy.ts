/** The extraction's file of a CSV source: written, counted, digested and checked in one pass. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { LockstepError } from '../../engine/errors.ts';
import { RecordScanner } from '../../engine/record-scanner.ts';
import type { ExtractedFile } from '../connector.ts';
import { writeAll } from '../file-chunks.ts';
import { detectDelimiter } from './delimiter.ts';

/** A record longer than this is taken for a quote that never closes. */
const longestRecord = 16 * 1024 * 1024;

/** Writes the extraction's file, and counts and digests what it writes. */
export class CountingCopy implements AsyncDisposable {
  readonly #source: string;
  readonly #configuredDelimiter: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #head: Buffer = Buffer.alloc(0);
  #scanner: RecordScanner | undefined;
  #delimiter = ',';
  #records = 0;
  #bytes = 0;

  private constructor(file: FileHandle, source: string, delimiter: string) {
    this.#file = file;
    this.#source = source;
    this.#configuredDelimiter = delimiter;
  }

  /** Creates the file, which must not exist. */
  static async create(path: string, source: string, delimiter: string): Promise<CountingCopy> {
    return new CountingCopy(await open(path, 'wx', 0o600), source, delimiter);
  }

  /** Closes the file, whatever it holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  /** Takes the next bytes; they are used only during the call. */
  async write(text: Buffer): Promise<void> {
    if (text.length === 0) return;
    if (this.#scanner === undefined) {
      this.#head = Buffer.concat([this.#head, text]);
      if (endOfHeader(this.#head) === -1 && this.#head.length < longestRecord) return;
      await this.#start(this.#head);
      return;
    }
    await this.#pass(text);
  }

  async end(): Promise<Pick<ExtractedFile, 'rows' | 'bytes' | 'sha256' | 'delimiter'>> {
    if (this.#scanner === undefined) await this.#start(this.#head);
    const openQuote = this.#scanner?.end();
    if (openQuote !== undefined) throw neverCloses(this.#source, openQuote);
    if (this.#records < 2) {
      const what = this.#records === 0 ? 'is blank' : 'holds only its header';
      throw new LockstepError('SourceEmpty', `${this.#source} ${what}`);
    }
    return {
      rows: this.#records - 1,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      delimiter: this.#delimiter,
    };
  }

  async #start(head: Buffer): Promise<void> {
    const ends = [endOfHeader(head), head.indexOf(0x0a), head.length];
    const header = head
      .subarray(
        0,
        ends.find((end) => end !== -1),
      )
      .toString('utf8');
    if (/\r(?!\n|$)/.test(header)) {
      throw new LockstepError(
        'SourceUnreadable',
        `${this.#source} ends its lines with a carriage return alone`,
        {
          hint: 'Have it saved with LF or CRLF line ends.',
        },
      );
    }
    this.#delimiter =
      this.#configuredDelimiter === 'auto' ? detectDelimiter(header) : this.#configuredDelimiter;
    this.#scanner = new RecordScanner(this.#delimiter, () => {
      this.#records += 1;
    });
    await this.#pass(head);
  }

  async #pass(text: Buffer): Promise<void> {
    // Written while it is scanned and digested.
    const written = writeAll(this.#file, text);
    try {
      this.#scanner?.push(text);
      const unfinished = this.#scanner?.unfinished;
      if (unfinished && unfinished.bytes > longestRecord)
        throw tooLong(this.#source, unfinished.line);
      this.#hash.update(text);
      this.#bytes += text.length;
    } finally {
      await written;
    }
  }
}

/** Where the first line ends that does not end within quotes; -1 when there is none. */
function endOfHeader(head: Buffer): number {
  let quoted = false;
  for (const [at, byte] of head.entries()) {
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x0a && !quoted) return at;
  }
  return -1;
}

function tooLong(source: string, line: number): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${source} line ${line}: the row that begins here is longer than ${longestRecord >> 20} MiB`,
    { hint: 'Look for a quote that never closes there, or for a file that is no delimited text.' },
  );
}

function neverCloses(source: string, line: number): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${source} line ${line}: a quote opens here that never closes`,
  );
}
