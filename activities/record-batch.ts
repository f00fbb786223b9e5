/** Raw records on their way to be mapped. */
import type { ScannedBytes } from '../engine/record-scanner.ts';

/** Raw records of one source, laid end to end with a line feed after each. */
export interface RecordBatch {
  readonly bytes: Uint8Array;
  /** Where each record ends, its line feed not counted. */
  readonly ends: Uint32Array;
  readonly lines: Uint32Array;
  /** Four words a record. */
  readonly digests: Uint32Array;
}

const batchRecords = 8000;
const batchBytes = 1 << 18;
/** What a batch has room for at first: most sources have few new records, and a chunk of one may hold more than a batch does. */
const firstRoom = { bytes: 1 << 12, records: 64 } as const;

/** Collects records until they are enough for a batch. */
export class BatchCollector {
  #bytes = new Uint8Array(firstRoom.bytes);
  #used = 0;
  #records = 0;
  #ends = new Uint32Array(firstRoom.records);
  #lines = new Uint32Array(firstRoom.records);
  #digests = new Uint32Array(firstRoom.records * 4);

  get isEmpty(): boolean {
    return this.#records === 0;
  }

  get isFull(): boolean {
    return this.#records >= batchRecords || this.#used >= batchBytes;
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
    this.#ends[this.#records] = this.#used;
    this.#bytes[this.#used] = 0x0a;
    this.#used += 1;
    this.#lines[this.#records] = line;
    this.#digests.set(digest, this.#records * 4);
    this.#records += 1;
  }

  /** What has been collected, as arrays of its own; the collector begins anew. */
  take(): RecordBatch {
    const batch = {
      bytes: this.#bytes.slice(0, this.#used),
      ends: this.#ends.slice(0, this.#records),
      lines: this.#lines.slice(0, this.#records),
      digests: this.#digests.slice(0, this.#records * 4),
    };
    this.#used = 0;
    this.#records = 0;
    return batch;
  }

  #makeRoom(length: number): void {
    if (this.#used + length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + length));
      larger.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = larger;
    }
    if (this.#records === this.#ends.length) {
      this.#ends = doubled(this.#ends);
      this.#lines = doubled(this.#lines);
      this.#digests = doubled(this.#digests);
    }
  }
}

function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
