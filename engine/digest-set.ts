/** The digests of the stored records of one source, and which of them the new extraction holds; 20 bytes a digest. */

/** What the set says of a record's digest: never stored, stored and met for the first time, or met before. */
export type Sighting = 'new' | 'known' | 'again';

/** Bounded memory: typed arrays with open addressing, sized once by the number of stored records. */
export class DigestSet {
  readonly #mask: number;
  /** Slot → index of the digest + 1; 0 is an empty slot. */
  readonly #slots: Uint32Array;
  #words: Uint32Array;
  readonly #seen: Uint8Array;
  #size = 0;
  #seenCount = 0;

  constructor(expected: number) {
    let slots = 16;
    while (slots < expected * 1.5) slots *= 2;
    this.#mask = slots - 1;
    this.#slots = new Uint32Array(slots);
    this.#words = new Uint32Array(Math.max(1, expected) * 4);
    this.#seen = new Uint8Array(Math.max(1, expected));
  }

  get size(): number {
    return this.#size;
  }

  /** How many stored digests the extraction has not shown (yet). */
  get unseenCount(): number {
    return this.#size - this.#seenCount;
  }

  /** Adds a stored digest; adding one twice is harmless. */
  add(words: Uint32Array, at = 0): void {
    const slot = this.#slotOf(words, at);
    if (this.#slots[slot] !== 0) return;
    if (this.#size === this.#seen.length) throw new RangeError('more digests than expected');
    this.#words.set(words.subarray(at, at + 4), this.#size * 4);
    this.#size += 1;
    this.#slots[slot] = this.#size;
  }

  /** Notes that the extraction holds a record of this digest. */
  see(words: Uint32Array, at = 0): Sighting {
    const entry = this.#slots[this.#slotOf(words, at)] as number;
    if (entry === 0) return 'new';
    if (this.#seen[entry - 1] === 1) return 'again';
    this.#seen[entry - 1] = 1;
    this.#seenCount += 1;
    return 'known';
  }

  has(words: Uint32Array, at = 0): boolean {
    return this.#slots[this.#slotOf(words, at)] !== 0;
  }

  /** The stored digests that the extraction does not hold, four words each. */
  *unseen(): Iterable<Uint32Array> {
    for (let index = 0; index < this.#size; index++) {
      if (this.#seen[index] === 0) yield this.#words.subarray(index * 4, index * 4 + 4);
    }
  }

  #slotOf(words: Uint32Array, at: number): number {
    let slot = (words[at] as number) & this.#mask;
    for (;;) {
      const entry = this.#slots[slot] as number;
      if (entry === 0) return slot;
      const stored = (entry - 1) * 4;
      if (
        this.#words[stored] === words[at] &&
        this.#words[stored + 1] === words[at + 1] &&
        this.#words[stored + 2] === words[at + 2] &&
        this.#words[stored + 3] === words[at + 3]
      ) {
        return slot;
      }
      slot = (slot + 1) & this.#mask;
    }
  }
}
