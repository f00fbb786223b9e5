/** The extraction's file of a CSV source: written, counted, digested and checked in one pass. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { LockstepError } from '../../engine/errors.ts';
import { type OnRecord, type PassOver, RecordScanner } from '../../engine/record-scanner.ts';
import type { ExtractedFile, KeptFile, WrittenFile } from '../connector.ts';
import { writeAll } from '../file-chunks.ts';
import { RecordIndexWriter } from '../record-index.ts';
import { parseRecords } from '../record-parser.ts';
import type { FirstPart } from './aligned-part.ts';
import { detectDelimiter, isSeparatorLine, separatorOf } from './delimiter.ts';

/** A record longer than this is taken for a quote that never closes. */
export const longestRecord = 16 * 1024 * 1024;

/** As many as a worksheet can have. */
const mostColumns = 16_384;

const lineFeed = Buffer.from('\n');

/** What is copied. */
export interface CopiedSource {
  /** Of the source's file, for people. */
  readonly name: string;
  /** `auto` or one character. */
  readonly delimiter: string;
  /** What the last extraction has of the source. */
  readonly former?: KeptFile | undefined;
}

/** Writes the extraction's file, and counts and digests what it writes. */
export class CountingCopy implements AsyncDisposable {
  readonly #name: string;
  readonly #configuredDelimiter: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #index: RecordIndexWriter;
  readonly #former: ExtractedFile | undefined;
  #head: Buffer = Buffer.alloc(0);
  #scanner: RecordScanner | undefined;
  #header = '';
  #delimiter = ',';
  #endsLine = true;
  #altered = false;
  #hasHeader = false;
  #bytes = 0;

  private constructor(
    file: FileHandle,
    index: RecordIndexWriter,
    { name, delimiter, former }: CopiedSource,
  ) {
    this.#file = file;
    this.#index = index;
    this.#former = former?.file;
    this.#name = name;
    this.#configuredDelimiter = delimiter;
  }

  /** Creates the file, which must not exist. */
  static async create(path: string, source: CopiedSource): Promise<CountingCopy> {
    const file = await open(path, 'wx', 0o600);
    return new CountingCopy(file, await RecordIndexWriter.create(path, source.former), source);
  }

  /** Closes the file, whatever it holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index[Symbol.asyncDispose]();
    await this.#file.close();
  }

  /** True when the text was not written just as it came. */
  get altered(): boolean {
    return this.#altered;
  }

  /** Takes the next bytes; they are used only during the call. */
  async write(text: Buffer): Promise<void> {
    if (text.length === 0) return;
    if (this.#scanner !== undefined) return await this.#pass(text);
    this.#head = Buffer.concat([this.#head, text]);
    if (findHeader(this.#head, false) !== undefined || this.#head.length >= longestRecord) {
      await this.#start(this.#head);
    }
  }

  /**
   * Ends the first of several files of a source.
   *
   * @returns what it was like
   * @throws LockstepError `SourceEmpty` when it holds no row
   */
  async endFirst(): Promise<FirstPart> {
    await this.#whole();
    this.#refuseEmpty();
    await this.endLine();
    const scanner = this.#scanner as RecordScanner;
    const { line, bytes } = scanner.unfinished;
    if (bytes > 0) throw neverCloses(this.#name, line);
    const header = headingsOf(this.#header, this.#delimiter);
    if (header === undefined) {
      throw new LockstepError('SourceUnreadable', `the header of ${this.#name} is not well-formed`);
    }
    return { file: this.#name, header, delimiter: this.#delimiter };
  }

  /** Ends the last line, where a file did not. */
  async endLine(): Promise<void> {
    if (!this.#endsLine) await this.#pass(lineFeed);
  }

  /** The line that comes next, once the last one was ended. */
  get nextLine(): number {
    return this.#scanner?.unfinished.line ?? 1;
  }

  async end(): Promise<WrittenFile> {
    await this.#whole();
    const openQuote = this.#scanner?.end();
    if (openQuote !== undefined) throw neverCloses(this.#name, openQuote);
    this.#refuseEmpty();
    return {
      rows: this.#index.records,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      delimiter: this.#delimiter,
      ...(await this.#index.end()),
    };
  }

  /** A small file waited for its header. */
  async #whole(): Promise<void> {
    if (this.#scanner === undefined) await this.#start(this.#head);
  }

  #refuseEmpty(): void {
    if (this.#index.records > 0) return;
    const what = this.#hasHeader ? 'holds only its header' : 'is blank';
    throw new LockstepError('SourceEmpty', `${this.#name} ${what}`);
  }

  async #start(head: Buffer): Promise<void> {
    const { start, end, separator } = findHeader(head, true) as FoundHeader;
    this.#header = head.subarray(start, end).toString('utf8');
    if (/\r(?!\n|$)/.test(this.#header)) throw carriageReturns(this.#name);
    const told = separator && separatorOf(head.subarray(...separator).toString('utf8'));
    this.#delimiter =
      this.#configuredDelimiter === 'auto'
        ? (told ?? detectDelimiter(this.#header))
        : this.#configuredDelimiter;
    const columns = headingsOf(this.#header, this.#delimiter)?.length ?? 0;
    if (columns > mostColumns) throw tooWide(this.#name, columns);
    const onRecord: OnRecord = (scanned, from, to, line) => {
      if (this.#hasHeader) this.#index.add(scanned, from, to, line);
      this.#hasHeader = true;
    };
    const isReadAlike = this.#former?.delimiter === this.#delimiter && !this.#former.countsRecords;
    const passOver: PassOver = (scanned, from, line) => this.#index.passOver(scanned, from, line);
    this.#scanner = new RecordScanner(
      this.#delimiter,
      onRecord,
      false,
      isReadAlike ? passOver : undefined,
    );
    if (separator === undefined) return await this.#pass(head);
    // A blank line in its place: rows stay on their lines.
    this.#altered = true;
    await this.#pass(Buffer.concat([head.subarray(0, separator[0]), head.subarray(separator[1])]));
  }

  async #pass(text: Buffer): Promise<void> {
    if (text.length === 0) return;
    // Written while it is scanned and digested.
    const written = writeAll(this.#file, text);
    try {
      this.#scanner?.push(text);
      const unfinished = this.#scanner?.unfinished;
      if (unfinished && unfinished.bytes > longestRecord)
        throw tooLong(this.#name, unfinished.line);
      this.#hash.update(text);
      this.#bytes += text.length;
      this.#endsLine = text.at(-1) === 0x0a;
      await this.#index.flushIfFull();
    } finally {
      await written;
    }
  }
}

interface FoundHeader {
  readonly start: number;
  readonly end: number;
  /** Where the line that tells the delimiter begins and ends, if there is one. */
  readonly separator: readonly [number, number] | undefined;
}

/**
 * Finds the first line that says something, but for one that tells the delimiter.
 *
 * @param whole nothing comes after these bytes; else undefined means that more is needed
 */
function findHeader(head: Buffer, whole: boolean): FoundHeader | undefined {
  let separator: FoundHeader['separator'];
  for (let start = 0; ; ) {
    const found = endOfLine(head, start);
    if (found === -1 && !whole) return undefined;
    // Of a quote that never closes the first line has to do.
    const plain = head.indexOf(0x0a, start);
    const end = found !== -1 ? found : plain !== -1 ? plain : head.length;
    const line = head.subarray(start, end).toString('utf8');
    const tells = separator === undefined && isSeparatorLine(line);
    if ((!tells && /[^\s",;|]/.test(line)) || end === head.length) {
      return tells ? { start: end, end, separator: [start, end] } : { start, end, separator };
    }
    if (tells) separator = [start, end];
    start = end + 1;
  }
}

/** Where the line ends that begins at `start`, outside quotes; -1 when it does not. */
function endOfLine(head: Buffer, start: number): number {
  let quoted = false;
  for (let at = start; at < head.length; at++) {
    const byte = head[at];
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x0a && !quoted) return at;
  }
  return -1;
}

function headingsOf(header: string, delimiter: string): string[] | undefined {
  try {
    return parseRecords(header.replace(/\r$/, ''), delimiter)[0]?.map((cell) => cell.trim());
  } catch {
    return undefined;
  }
}

function carriageReturns(file: string): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${file} ends its lines with a carriage return alone`,
    { hint: 'Have it saved with LF or CRLF line ends.' },
  );
}

function tooWide(file: string, columns: number): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${file} has ${columns} columns, and at most ${mostColumns} are read`,
    { hint: 'Look whether its line ends were lost, so that rows became columns.' },
  );
}

/** A row that goes on and on. */
export function tooLong(file: string, line: number): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${file} line ${line}: the row that begins here is longer than ${longestRecord >> 20} MiB`,
    { hint: 'Look for a quote that never closes there, or for a file that is no delimited text.' },
  );
}

/** A quote without its counterpart. */
export function neverCloses(file: string, line: number): LockstepError {
  return new LockstepError(
    'SourceUnreadable',
    `${file} line ${line}: a quote opens here that never closes`,
  );
}
