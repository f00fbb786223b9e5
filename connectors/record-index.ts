/** Beside a large file of an extraction: the digest of each of its records, and where records are, so that it need not be read. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { digestBytes, noSeed, recordDigest } from '../engine/record-digest.ts';
import type { ScannedBytes } from '../engine/record-scanner.ts';
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

/** One record in so many is a landmark, and the first one that begins so many bytes after the last landmark. */
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

  /**
   * @param path of the file that is indexed; nothing is created before there is enough of it
   * @param former the file that the last extraction has of the same source, to say what became of its records
   */
  constructor(path: string, former?: KeptFile) {
    this.#path = indexName(path);
    this.#former = former && FormerComparison.open(path, former);
  }

  /** Closes the index, whatever it holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#former?.[Symbol.dispose]();
    await this.#file?.close();
  }

  /** Takes the next record, as a scanner finds it; not the header. */
  add(scanned: ScannedBytes, start: number, end: number, line: number): void {
    this.#noteLandmark(scanned.offset + start, line);
    const words = this.#digests.extend(4);
    const at = this.#digests.length - 4;
    recordDigest(scanned.words, start, end, noSeed, words, at);
    this.#former?.see(words, at);
    this.#records += 1;
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

  #noteLandmark(offset: number, line: number): void {
    const last = this.#lastLandmark;
    const record = this.#records;
    if (
      record > 0 &&
      record - last.record < recordsBetween &&
      offset - last.offset < bytesBetween
    ) {
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
 * Reads the landmarks of an index, without its digests.
 *
 * @param records how many its file has
 * @returns undefined when they are not what was written, or nobody noted what that was
 */
export async function readLandmarks(
  path: string,
  { bytes, landmarksSha256 }: Pick<IndexFile, 'bytes' | 'landmarksSha256'>,
  records: number,
): Promise<Landmarks | undefined> {
  const from = records * digestBytes;
  const words = new Uint32Array(Math.max(0, bytes - from) / 4);
  try {
    await using file = await open(path);
    await file.read(new Uint8Array(words.buffer), { position: from });
  } catch {
    return undefined;
  }
  return createHash('sha256').update(words).digest('hex') === landmarksSha256
    ? new Landmarks(words)
    : undefined;
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
