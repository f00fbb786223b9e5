/** Reads parts of a file one after another, without a promise for each. */
import { closeSync, openSync, readSync } from 'node:fs';

/** So much is read at once where parts lie near to each other. */
const windowBytes = 1 << 18;

/** A part of a file that is in memory. **Danger:** it waits for the disk: it is for threads that have nothing else to do. */
export class FileWindow implements Disposable {
  readonly #file: number;
  readonly #size: number;
  readonly #atLeast: number;
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  /**
   * @param size of the file, in bytes
   * @param readsAll whether most of it is read, in the end: then 256 KiB are read at a time
   * @throws Error of the system, as `ENOENT`
   */
  constructor(path: string, size: number, readsAll: boolean) {
    this.#file = openSync(path, 'r');
    this.#size = size;
    this.#atLeast = readsAll ? windowBytes : 0;
  }

  /** Valid until the next read; fewer bytes only where the file ends. */
  read(from: number, to: number): Buffer {
    this.#moveTo(from, to);
    return this.#bytes.subarray(from - this.#from, Math.min(to, this.#to) - this.#from);
  }

  /** True when the file holds `bytes[start..end)` from `from` on. */
  has(from: number, bytes: Uint8Array, start: number, end: number): boolean {
    const to = from + end - start;
    this.#moveTo(from, to);
    if (to > this.#to) return false;
    const [at, until] = [from - this.#from, to - this.#from];
    return this.#bytes.compare(bytes, start, end, at, until) === 0;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #moveTo(from: number, to: number): void {
    if (from >= this.#from && to <= this.#to) return;
    const wanted = Math.max(this.#atLeast, to - from);
    const length = Math.max(0, Math.min(wanted, this.#size - from));
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(length);
    this.#from = from;
    this.#to = from + readSync(this.#file, this.#bytes, 0, length, from);
  }
}
