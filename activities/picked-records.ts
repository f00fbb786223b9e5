/** Records that are picked out of an indexed file, in the mapping thread, by their numbers and digests. */
import { type IndexedFile, IndexedRecords } from '../connectors/indexed-records.ts';
import { Landmarks } from '../connectors/landmarks.ts';
import type { NumberedDigests } from '../engine/numbered-digests.ts';
import { noSeed, recordDigest, sameDigest, seededDigest } from '../engine/record-digest.ts';
import { BatchCollector, type RecordBatch } from './record-batch.ts';

/** Which records of which file; a message to a thread. */
export interface RecordPick {
  readonly path: string;
  readonly file: IndexedFile['file'];
  readonly landmarks: Uint32Array;
  /** They ascend. */
  readonly numbers: Uint32Array;
  /** Of the bytes alone, four words a record. */
  readonly digests: Uint32Array;
  /** Of the digests that the rows get. */
  readonly seed: Uint32Array;
}

/** Says which records of a file are wanted. */
export function pickOf(
  { path, file, landmarks }: IndexedFile,
  { numbers, digests }: NumberedDigests,
  seed: Uint32Array,
): RecordPick {
  // Of a view, a message copies all that lies behind it.
  return {
    path,
    file,
    landmarks: landmarks.words,
    numbers: numbers.slice(),
    digests: digests.slice(),
    seed,
  };
}

/** Reads them batch by batch; one that is not where it was, or not what it was, is left out. */
export class PickedRecords implements Disposable {
  readonly #pick: RecordPick;
  readonly #batch = new BatchCollector();
  #records: IndexedRecords | undefined;

  constructor(pick: RecordPick) {
    this.#pick = pick;
  }

  /**
   * @returns undefined when there are no more
   * @throws Error of the system, as `ENOENT`
   */
  next(): RecordBatch | undefined {
    this.#records ??= this.#open();
    let isOver = false;
    while (!this.#batch.isFull && !isOver) isOver = !this.#records.read();
    return this.#batch.isEmpty ? undefined : this.#batch.take();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#records?.[Symbol.dispose]();
  }

  #open(): IndexedRecords {
    const { landmarks, numbers, digests, seed, ...file } = this.#pick;
    const raw = new Uint32Array(4);
    const seeded = new Uint32Array(4);
    return new IndexedRecords(
      { ...file, landmarks: new Landmarks(landmarks) },
      numbers,
      (nth, scanned, start, end, line) => {
        recordDigest(scanned.words, start, end, noSeed, raw);
        if (!sameDigest(digests, nth * 4, raw, 0)) return;
        seededDigest(raw, 0, seed, seeded);
        this.#batch.add(scanned, start, end, line, seeded);
      },
    );
  }
}
