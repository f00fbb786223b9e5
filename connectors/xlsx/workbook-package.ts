/** The ZIP archive that a workbook is: its parts by name, each in chunks, none larger than can be meant. */
import { posix } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { LockstepError } from '../../engine/errors.ts';
import { asReadError } from '../source-file.ts';
import { unreadable } from './workbook-fault.ts';

/** No archive of a workbook has so many parts. */
const mostEntries = 10_000;
/** All parts that are read, inflated. A sheet of a million rows and fifteen columns has about one. */
const mostInflated = 4 * 1024 ** 3;
/** A part may inflate to so much, however small it is compressed. */
const freelyInflated = 64 * 1024 ** 2;
/** What is larger may be so many times its compressed size; the sheets of a spreadsheet program are 5 to 50 times. */
const highestRatio = 200;

/** A workbook's archive, open until it is disposed of. */
export class WorkbookPackage implements Disposable {
  readonly source: string;
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #signal: AbortSignal;
  #inflated = 0;

  private constructor(
    zip: ZipFile,
    entries: ReadonlyMap<string, Entry>,
    source: string,
    signal: AbortSignal,
  ) {
    this.#zip = zip;
    this.#entries = entries;
    this.source = source;
    this.#signal = signal;
  }

  /** @throws LockstepError `SourceUnavailable`; `SourceUnreadable` when the archive is damaged. */
  static async open(path: string, source: string, signal: AbortSignal): Promise<WorkbookPackage> {
    let zip: ZipFile | undefined;
    try {
      zip = await openPromise(path, { autoClose: false, lazyEntries: true });
      const entries = new Map<string, Entry>();
      if (zip.entryCount > mostEntries)
        throw unreadable(source, 'has more parts than any workbook');
      for await (const entry of zip.eachEntry()) {
        signal.throwIfAborted();
        const name = partName(entry.fileName);
        if (entries.has(name)) throw unreadable(source, `has two parts named ${name}`);
        entries.set(name, entry);
      }
      return new WorkbookPackage(zip, entries, source, signal);
    } catch (error) {
      zip?.close();
      throw asArchiveError(error, source, signal);
    }
  }

  [Symbol.dispose](): void {
    this.#zip.close();
  }

  has(part: string): boolean {
    return this.#entries.has(partName(part));
  }

  /** Inflated bytes of a part, as the archive says and as its end proves; 0 when there is none. */
  size(part: string): number {
    return this.#entries.get(partName(part))?.uncompressedSize ?? 0;
  }

  /**
   * Gives the bytes of a part.
   *
   * @throws LockstepError `SourceUnreadable` before the first byte when there is no such part or it is too large, at its
   * end when it is damaged.
   */
  async *chunks(part: string): AsyncGenerator<Buffer> {
    const entry = this.#entries.get(partName(part));
    if (entry === undefined) throw unreadable(this.source, `lacks its part ${partName(part)}`);
    this.#refuseBomb(entry);
    let checksum = 0;
    try {
      // It ends with an error when there are more or fewer bytes than the archive says.
      const stream = await this.#zip.openReadStreamPromise(entry);
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        this.#signal.throwIfAborted();
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (error) {
      throw asArchiveError(error, this.source, this.#signal);
    }
    if (checksum !== entry.crc32) throw damaged(this.source);
  }

  #refuseBomb({ compressedSize, uncompressedSize }: Entry): void {
    this.#inflated += uncompressedSize;
    const bomb =
      this.#inflated > mostInflated ||
      (uncompressedSize > freelyInflated && uncompressedSize > compressedSize * highestRatio);
    if (bomb) {
      throw unreadable(
        this.source,
        `would unpack to ${Math.ceil(this.#inflated / 1024 ** 2)} MiB, more than a workbook of its size can hold`,
        'Delete the empty rows and columns beyond the data, or have it exported as CSV.',
      );
    }
  }
}

/** Parts are named without regard to case. */
function partName(name: string): string {
  return posix.normalize(name).replace(/^\//, '').toLowerCase();
}

function damaged(source: string, cause?: unknown): LockstepError {
  return unreadable(
    source,
    'is damaged, or not all of it is there',
    'Have it written again, and under another name until it is complete.',
    cause,
  );
}

function asArchiveError(error: unknown, source: string, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof LockstepError) return error;
  const readError = asReadError(error, source);
  // A fault of the disk is none of the workbook.
  if (readError !== error || (error as NodeJS.ErrnoException).syscall !== undefined)
    return readError;
  return damaged(source, error);
}
