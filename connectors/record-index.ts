/** Beside a large file of an extraction: the digest of each of its records, and where records are, so that it need not be read. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { digestBytes, noSeed, recordDigest } from '../engine/record-digest.ts';
import type { Passed, ScannedBytes } from '../engine/record-scanner.ts';
import { WordList } from '../engine/word-list.ts';
import type { ExtractedFile, KeptFile } from './connector.ts';
import { writeAll } from './file-chunks.ts';
import { FormerComparison } from './former-comparison.ts';
import { Landmarks } from './landmarks.ts';

/** The index of an extracted file, as the manifest knows it. */
export interface IndexFile {
  /** File name within the extraction. */
  readonly file: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Of its landmarks alone, hexadecimal. Left out by earlier versions. */
  readonly landmarksSha256?: string;
}

/** From one landmark to the next there are so many records at most, and it is the first that begins so many bytes after it. */
const recordsBetween = 16;
const bytesBetween = 1 << 16;

const flushBytes = 1 << 18;

/** Name of the index of a file. */
export function indexName(file: string): string {
  return `${file}.index`;
}

/**
 * Writes the index while the file is written: a digest of 16 bytes for each record after the header, in their order, then
 * the landmarks. The digests are those of the bytes alone, whatever they come to mean.
 */
export class RecordIndexWriter implements AsyncDisposable {
  /** Files of fewer records are read in no time. Tests lower it. */
  static worthwhile = 50_000;

  readonly #path: string;
  readonly #hash = createHash('sha256');
  #file: FileHandle | undefined;
  readonly #digests = new WordList();
  readonly #landmarks = new WordList();
  readonly #former: FormerComparison | undefined;
  #records = 0;
  #bytes = 0;
  #lastLandmark = { offset: 0, record: 0 };

  private constructor(path: string, former: FormerComparison | undefined) {
    this.#path = indexName(path);
    this.#former = former;
  }

  /**
   * @param path of the file that is indexed; nothing is created before there is enough of it
   * @param former the file that the last extraction has of the same source, to say what became of its records
   */
  static async create(path: string, former: KeptFile | undefined): Promise<RecordIndexWriter> {
    return new RecordIndexWriter(path, former && (await FormerComparison.open(path, former)));
  }

  /** Closes the index, whatever it holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#former?.[Symbol.dispose]();
    await this.#file?.close();
  }

  /** How many records it has taken. */
  get records(): number {
    return this.#records;
  }

  /** Takes the next record, as a scanner finds it; not the header. */
  add(scanned: ScannedBytes, start: number, end: number, line: number): void {
    this.#noteLandmark(this.#records, scanned.offset + start, line, this.#records + 1);
    const words = this.#digests.extend(4);
    const at = this.#digests.length - 4;
    recordDigest(scanned.words, start, end, noSeed, words, at);
    this.#former?.see(words, at);
    this.#records += 1;
  }

  /** Takes records that the file before holds alike, without a look at each; see {@link FormerComparison.stretch}. */
  passOver(scanned: ScannedBytes, start: number, line: number): Passed | undefined {
    const stretch = this.#former?.stretch(scanned, start);
    if (stretch === undefined) return undefined;
    const { landmarks, first, last } = stretch;
    const record = this.#records - landmarks.record(first);
    const offset = scanned.offset + start - landmarks.offset(first);
    const lines = line - landmarks.line(first);
    for (let at = first; at < last; at++) {
      const next = record + landmarks.record(at + 1);
      this.#noteLandmark(
        record + landmarks.record(at),
        offset + landmarks.offset(at),
        lines + landmarks.line(at),
        next,
      );
    }
    const count = landmarks.record(last) - landmarks.record(first);
    const words = this.#digests.extend(count * 4);
    this.#former?.pass(count, words, this.#digests.length - count * 4);
    this.#records += count;
    return {
      bytes: landmarks.offset(last) - landmarks.offset(first),
      lines: landmarks.line(last) - landmarks.line(first),
    };
  }

  /** Writes what has come together when it is enough. Call it now and then. */
  async flushIfFull(): Promise<void> {
    if (this.#digests.length * 4 >= flushBytes && this.#records >= RecordIndexWriter.worthwhile)
      await this.#flush();
  }

  /** Writes the rest. @returns nothing when it is not worth a file */
  async end(): Promise<Pick<ExtractedFile, 'index' | 'difference'>> {
    if (this.#records < RecordIndexWriter.worthwhile) return {};
    await this.#flush();
    const landmarks = this.#landmarks.words;
    await this.#write(landmarks);
    const index: IndexFile = {
      file: basename(this.#path),
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      landmarksSha256: createHash('sha256').update(landmarks).digest('hex'),
    };
    const difference = await this.#former?.end();
    return { index, ...(difference && { difference }) };
  }

  /** @param next the record that can be one if this is not */
  #noteLandmark(record: number, offset: number, line: number, next: number): void {
    const last = this.#lastLandmark;
    if (record > 0 && next - last.record <= recordsBetween && offset - last.offset < bytesBetween) {
      return;
    }
    this.#landmarks.push4(record, line, offset >>> 0, Math.floor(offset / 2 ** 32));
    this.#lastLandmark = { offset, record };
  }

  async #flush(): Promise<void> {
    await this.#write(this.#digests.words);
    this.#digests.clear();
  }

  async #write({ buffer, byteOffset, byteLength }: Uint32Array): Promise<void> {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.#file ??= await open(this.#path, 'wx', 0o600);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await writeAll(this.#file, bytes);
  }
}

/**
 * Reads an index.
 *
 * @param chunks of all its bytes; whether they are what was written is for their source to say
 * @param records how many the file has
 * @param bytes how long the index is
 * @param onDigests takes the digests as they come, four words each, valid only during the call
 */
export async function readRecordIndex(
  chunks: AsyncIterable<Buffer>,
  { records, bytes }: { records: number; bytes: number },
  onDigests: (digests: Uint32Array) => void,
): Promise<Landmarks> {
  let left = records * digestBytes;
  const landmarks = new Uint8Array(Math.max(0, bytes - left));
  let filled = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const usable = Math.min(left, all.length - (all.length % digestBytes));
    if (usable > 0) onDigests(new Uint32Array(all.buffer, all.byteOffset, usable / 4));
    left -= usable;
    rest = Buffer.from(left === 0 ? '' : all.subarray(usable));
    if (left === 0) {
      const more = all.subarray(usable, usable + landmarks.length - filled);
      landmarks.set(more, filled);
      filled += more.length;
    }
  }
  return new Landmarks(new Uint32Array(landmarks.buffer, 0, landmarks.length >>> 2));
}
