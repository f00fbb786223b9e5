/** While a file is written: what became of the records of the file before it, said in a small file beside it. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NumberedDigests } from '../engine/numbered-digests.ts';
import { digestBytes } from '../engine/record-digest.ts';
import { SequenceComparison, type SequenceDifference } from '../engine/sequence-comparison.ts';
import type { KeptFile } from './connector.ts';
import { writeAll } from './file-chunks.ts';
import type { IndexFile } from './record-index.ts';

/** A difference, as the manifest knows it. */
export interface DifferenceFile {
  /** File name within the extraction. */
  readonly file: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** SHA-256 of the file before. */
  readonly before: string;
  /** Records that it has and the file before has not. */
  readonly come: number;
  /** Records that the file before has and it has not. */
  readonly gone: number;
}

/** Name of the difference of a file. */
export function differenceName(file: string): string {
  return `${file}.difference`;
}

/** Where more than one record in so many has come or gone, prepare compares the indexes itself, in whatever order. */
const oneIn = 8;

/** Compares the records of a file with the index that was written of the file before, as they come. */
export class FormerComparison implements Disposable {
  readonly #path: string;
  readonly #before: string;
  readonly #index: IndexReading;
  readonly #comparison: SequenceComparison;

  private constructor(path: string, before: string, index: IndexReading, records: number) {
    this.#path = differenceName(path);
    this.#before = before;
    this.#index = index;
    this.#comparison = new SequenceComparison((into) => index.read(into), records / oneIn);
  }

  /** @returns undefined when the file before has no index that could be read */
  static open(path: string, { file, path: former }: KeptFile): FormerComparison | undefined {
    if (file.index === undefined) return undefined;
    const index = IndexReading.open(join(dirname(former), file.index.file), file.index, file.rows);
    return index && new FormerComparison(path, file.sha256, index, file.rows);
  }

  /** Closes the index. */
  [Symbol.dispose](): void {
    this.#index[Symbol.dispose]();
  }

  /** Takes the digest of the next record, `words[at..at+3]`. */
  see(words: Uint32Array, at: number): void {
    this.#comparison.see(words, at);
  }

  /** Writes the difference. @returns undefined when it is no small one, or the index is not what was written */
  async end(): Promise<DifferenceFile | undefined> {
    const difference = this.#comparison.end();
    if (difference === undefined || !this.#index.isAsWritten()) return undefined;
    const { come, gone } = difference;
    const parts = [come.numbers, come.digests, gone.numbers, gone.digests];
    const bytes = Buffer.concat(
      parts.map(({ buffer, byteOffset, byteLength }) =>
        Buffer.from(buffer, byteOffset, byteLength),
      ),
    );
    await using handle = await open(this.#path, 'wx', 0o600);
    await writeAll(handle, bytes);
    return {
      file: basename(this.#path),
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      before: this.#before,
      come: come.length,
      gone: gone.length,
    };
  }
}

/** Reads a difference from all of its bytes, which are what was written. */
export function readDifference(
  bytes: Buffer,
  { come, gone }: Pick<DifferenceFile, 'come' | 'gone'>,
): SequenceDifference {
  const words = new Uint32Array(bytes.length / 4);
  new Uint8Array(words.buffer).set(bytes);
  const takeFrom = (start: number, count: number) =>
    new NumberedDigests(
      words.subarray(start, start + count),
      words.subarray(start + count, start + count * 5),
    );
  return { come: takeFrom(0, come), gone: takeFrom(come * 5, gone) };
}

/** The digests of an index, read as they are asked for: between two records there is no time to wait for a promise. */
class IndexReading implements Disposable {
  readonly #file: number;
  readonly #index: IndexFile;
  readonly #hash = createHash('sha256');
  #left: number;
  #open = true;

  private constructor(file: number, index: IndexFile, records: number) {
    this.#file = file;
    this.#index = index;
    this.#left = records;
  }

  /** @returns undefined when it cannot be opened */
  static open(path: string, index: IndexFile, records: number): IndexReading | undefined {
    try {
      return new IndexReading(openSync(path, 'r'), index, records);
    } catch {
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#file);
    this.#open = false;
  }

  /** See {@link SequenceComparison}. An index that cannot be read has no more digests; it is not what was written either. */
  read(into: Uint32Array): number {
    const most = Math.min(this.#left * digestBytes, into.byteLength);
    const bytes = this.#take(new Uint8Array(into.buffer, into.byteOffset, most));
    const digests = Math.floor(bytes / digestBytes);
    this.#left -= digests;
    return digests;
  }

  /** Once all digests were read: true when all of it has the SHA-256 that was noted. */
  isAsWritten(): boolean {
    const rest = new Uint8Array(1 << 16);
    while (this.#take(rest) > 0);
    return this.#hash.digest('hex') === this.#index.sha256;
  }

  #take(into: Uint8Array): number {
    let taken = 0;
    try {
      while (taken < into.length) {
        const bytes = readSync(this.#file, into, taken, into.length - taken, null);
        if (bytes === 0) break;
        taken += bytes;
      }
    } catch {
      return 0;
    }
    this.#hash.update(into.subarray(0, taken));
    return taken;
  }
}
