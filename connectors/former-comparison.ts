/** While a file is written: what became of the records of the file before it, said in a small file beside it. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NumberedDigests } from '../engine/numbered-digests.ts';
import { digestBytes } from '../engine/record-digest.ts';
import type { ScannedBytes } from '../engine/record-scanner.ts';
import { SequenceComparison, type SequenceDifference } from '../engine/sequence-comparison.ts';
import type { ExtractedFile, KeptFile } from './connector.ts';
import { isUntouched } from './extraction.ts';
import { writeAll } from './file-chunks.ts';
import { fileDigest } from './file-digest.ts';
import { FileWindow } from './file-window.ts';
import { type Landmarks, readLandmarks } from './landmarks.ts';

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

/** Records that a file and the file before hold alike, from one landmark of the latter to another. */
export interface Stretch {
  readonly landmarks: Landmarks;
  readonly first: number;
  readonly last: number;
}

/** The file before, where it is as it was written. */
interface FormerText {
  readonly window: FileWindow;
  readonly landmarks: Landmarks;
}

/** Compares the records of a file with the index that was written of the file before, as they come. */
export class FormerComparison implements Disposable {
  readonly #path: string;
  readonly #before: string;
  readonly #text: FormerText | undefined;
  readonly #comparison: SequenceComparison;
  readonly #opened: DisposableStack;
  /** The landmark at which a stretch may begin next. */
  #landmark = 0;

  private constructor(
    path: string,
    { sha256, rows }: ExtractedFile,
    index: IndexReading,
    text: FormerText | undefined,
    opened: DisposableStack,
  ) {
    this.#path = differenceName(path);
    this.#before = sha256;
    this.#text = text;
    this.#opened = opened;
    this.#comparison = new SequenceComparison((into) => index.read(into), rows / oneIn);
  }

  /** @returns undefined when the file before has no index, or that is not what was written */
  static async open(path: string, kept: KeptFile): Promise<FormerComparison | undefined> {
    const { file } = kept;
    const { index, rows, bytes } = file;
    if (index === undefined) return undefined;
    const indexPath = join(dirname(kept.path), index.file);
    using opened = new DisposableStack();
    try {
      if ((await fileDigest(indexPath)) !== index.sha256) return undefined;
      const reading = opened.use(new IndexReading(indexPath, rows));
      const landmarks = await readLandmarks(indexPath, index, rows);
      const text =
        landmarks && (await isUntouched(kept))
          ? { landmarks, window: opened.use(new FileWindow(kept.path, bytes, true)) }
          : undefined;
      return new FormerComparison(path, file, reading, text, opened.move());
    } catch {
      return undefined;
    }
  }

  /** Closes what it reads. */
  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  /**
   * Finds records that need not be looked at: where the last one was found in the file before, and what begins at `start` is,
   * byte by byte, what follows there. Whoever passes over them calls `pass`.
   *
   * The bytes must be told apart into records as those of the file before were.
   */
  stretch({ bytes }: ScannedBytes, start: number): Stretch | undefined {
    if (this.#text === undefined) return undefined;
    const { landmarks, window } = this.#text;
    const { next } = this.#comparison;
    if (next === -1) return undefined;
    const first = landmarks.before(next, this.#landmark);
    this.#landmark = first;
    if (landmarks.record(first) !== next) return undefined;
    let last = first;
    for (let from = start; last + 1 < landmarks.length; last++) {
      const offset = landmarks.offset(last);
      const end = from + landmarks.offset(last + 1) - offset;
      if (end > bytes.length || !window.has(offset, bytes, from, end)) break;
      from = end;
    }
    return last === first ? undefined : { landmarks, first, last };
  }

  /** Takes the digests of so many records of a stretch from the index, and writes them into `words`, from `at` on. */
  pass(records: number, words: Uint32Array, at: number): void {
    this.#comparison.pass(records, words, at);
  }

  /** Takes the digest of the next record, `words[at..at+3]`. */
  see(words: Uint32Array, at: number): void {
    this.#comparison.see(words, at);
  }

  /** Writes the difference. @returns undefined when it is no small one */
  async end(): Promise<DifferenceFile | undefined> {
    const difference = this.#comparison.end();
    if (difference === undefined) return undefined;
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
  #left: number;

  constructor(path: string, records: number) {
    this.#file = openSync(path, 'r');
    this.#left = records * digestBytes;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  /** See {@link SequenceComparison}. */
  read(into: Uint32Array): number {
    const bytes = new Uint8Array(
      into.buffer,
      into.byteOffset,
      Math.min(this.#left, into.byteLength),
    );
    let taken = 0;
    while (taken < bytes.length) {
      const read = readSync(this.#file, bytes, taken, bytes.length - taken, null);
      if (read === 0) throw new Error('the index of the file before became shorter');
      taken += read;
    }
    this.#left -= taken;
    return taken / digestBytes;
  }
}
