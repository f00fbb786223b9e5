/** Raw records on their way to be mapped. */
import type { ScannedBytes } from '../engine/record-scanner.ts';
import { WordList } from '../engine/word-list.ts';

/** Raw records of one source, laid end to end with a line feed after each. */
export interface RecordBatch {
  readonly bytes: Uint8Array;
  /** Where each record ends, its line feed not counted. */
  readonly ends: Uint32Array;
  readonly lines: Uint32Array;
  /** Four words a record. */
  readonly digests: Uint32Array;
}

/** The memory of a batch, to be handed over or given back. */
export function buffersOf({ bytes, ends, lines, digests }: RecordBatch): ArrayBuffer[] {
  return [bytes, ends, lines, digests].map(({ buffer }) => buffer as ArrayBuffer);
}

const batchRecords = 8000;
const batchBytes = 1 << 18;
/** What a batch has room for at first: most sources have few new records, and a chunk of one may hold more than a batch does. */
const firstRoom = { bytes: 1 << 12, records: 64 } as const;

/** Collects records until they are enough for a batch. */
export class BatchCollector {
  #bytes = new Uint8Array(firstRoom.bytes);
  #used = 0;
  readonly #ends = new WordList(firstRoom.records);
  readonly #lines = new WordList(firstRoom.records);
  readonly #digests = new WordList(firstRoom.records * 4);

  get isEmpty(): boolean {
    return this.#ends.length === 0;
  }

  get isFull(): boolean {
    return this.#ends.length >= batchRecords || this.#used >= batchBytes;
  }

  /** Adds a record; its bytes are copied. */
  add(
    { bytes }: ScannedBytes,
    start: number,
    end: number,
    line: number,
    digest: Uint32Array,
  ): void {
    const length = end - start;
    this.#makeRoom(length + 1);
    this.#bytes.set(bytes.subarray(start, end), this.#used);
    this.#used += length;
    this.#ends.push(this.#used);
    this.#bytes[this.#used] = 0x0a;
    this.#used += 1;
    this.#lines.push(line);
    const [first, second, third, fourth] = digest as unknown as [number, number, number, number];
    this.#digests.push4(first, second, third, fourth);
  }

  /** What has been collected, as arrays of its own; the collector begins anew. */
  take(): RecordBatch {
    const batch = {
      bytes: this.#bytes.slice(0, this.#used),
      ends: this.#ends.words.slice(),
      lines: this.#lines.words.slice(),
      digests: this.#digests.words.slice(),
    };
    this.#used = 0;
    for (const list of [this.#ends, this.#lines, this.#digests]) list.clear();
    return batch;
  }

  #makeRoom(length: number): void {
    if (this.#used + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + length));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}
