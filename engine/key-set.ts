/** A set of keys that keeps 64 bits of each: millions of them in bounded memory. */
import { recordDigest } from './record-digest.ts';

const seed = new Uint32Array(4);

/** Two words that stand for a key. */
export interface KeyWords {
  readonly high: number;
  readonly low: number;
}

const digest = new Uint32Array(4);

/** The words of a key given as UTF-8. */
export function keyWords(bytes: Uint8Array): KeyWords {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  recordDigest(view, 0, bytes.length, seed, digest);
  // A pair whose second word is zero marks an empty slot.
  return { high: digest[0] as number, low: ((digest[1] as number) | 1) >>> 0 };
}

/**
 * 10 to 20 bytes a key. Of a million keys, the chance that any two are taken for one is about one in ten million: good
 * enough to point at lines to look at, not to decide what is written.
 */
export class KeySet {
  #slots: Uint32Array;
  #size = 0;

  /** @param expected how many keys are likely to come; more are taken, too */
  constructor(expected = 0) {
    let slots = 1 << 4;
    while (slots * 4 < expected * 5) slots *= 2;
    this.#slots = new Uint32Array(slots * 2);
  }

  get size(): number {
    return this.#size;
  }

  has({ high, low }: KeyWords): boolean {
    return this.#slots[this.#place(high, low) * 2 + 1] !== 0;
  }

  /** @returns false when it was there already */
  add({ high, low }: KeyWords): boolean {
    // Eight in ten slots.
    if (this.#size * 5 >= this.#slots.length * 2) this.#grow();
    const slot = this.#place(high, low);
    if (this.#slots[slot * 2 + 1] !== 0) return false;
    this.#slots[slot * 2] = high;
    this.#slots[slot * 2 + 1] = low;
    this.#size += 1;
    return true;
  }

  /** The slot that holds these words, or the empty one where they would be. */
  #place(high: number, low: number): number {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let slot = (high ^ (low >>> 7)) & mask;
    while (slots[slot * 2 + 1] !== 0 && (slots[slot * 2] !== high || slots[slot * 2 + 1] !== low)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    for (let at = 0; at < before.length; at += 2) {
      const [high, low] = [before[at] as number, before[at + 1] as number];
      if (low === 0) continue;
      const slot = this.#place(high, low);
      this.#slots[slot * 2] = high;
      this.#slots[slot * 2 + 1] = low;
    }
  }
}
