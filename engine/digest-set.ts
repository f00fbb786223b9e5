/** The digests of the stored records of one source, and which of them the new extraction holds. */

/** What the set says of a record's digest: never stored, stored and met for the first time, or met before. */
export type Sighting = 'new' | 'known' | 'again';

/**
 * Bounded memory: typed arrays, 16 bytes a digest, and some 6 more once one was met out of order.
 *
 * Most extractions hold most records in the order in which they are stored, so each sighting is first compared with the
 * digest after the one seen last. Only when that fails a table of all digests is made and asked.
 */
export class DigestSet {
  #words: Uint32Array;
  #size = 0;
  #seen = new Uint8Array(0);
  #seenCount = 0;
  /** Which digest is expected next. */
  #next = 0;
  /** Slot → index of the digest + 1, 0 when empty; open addressing. */
  #slots: Uint32Array | undefined;
  #mask = 0;

  /** @param expected how many digests are likely to come; more are taken, too */
  constructor(expected = 0) {
    this.#words = new Uint32Array(Math.max(4, expected * 4));
  }

  get size(): number {
    return this.#size;
  }

  /** How many stored digests the extraction has not shown (yet). */
  get unseenCount(): number {
    if (this.#seenCount < this.#size) this.#index();
    return this.#size - this.#seenCount;
  }

  /** Adds stored digests, 16 bytes each, before the first sighting; adding one twice is harmless. */
  addAll(bytes: Uint8Array): void {
    const end = this.#size * 4 + bytes.length / 4;
    if (end > this.#words.length) {
      const larger = new Uint32Array(Math.max(end, Math.ceil(this.#words.length * 1.25)));
      larger.set(this.#words.subarray(0, this.#size * 4));
      this.#words = larger;
    }
    new Uint8Array(this.#words.buffer).set(bytes, this.#size * 16);
    this.#size = end / 4;
  }

  /** Adds one stored digest, before the first sighting. */
  add(words: Uint32Array): void {
    this.addAll(new Uint8Array(words.buffer, words.byteOffset, 16));
  }

  /** Notes that the extraction holds a record of this digest. */
  see(words: Uint32Array): Sighting {
    if (this.#seen.length < this.#size) this.#seen = new Uint8Array(this.#size);
    let entry = this.#next;
    if (entry >= this.#size || this.#seen[entry] === 1 || !this.#is(entry, words)) {
      entry = this.#find(words);
    }
    if (entry === -1) return 'new';
    this.#next = entry + 1;
    if (this.#seen[entry] === 1) return 'again';
    this.#seen[entry] = 1;
    this.#seenCount += 1;
    return 'known';
  }

  /** The stored digests that the extraction does not hold, four words each. */
  *unseen(): Iterable<Uint32Array> {
    if (this.unseenCount === 0) return;
    for (let index = 0; index < this.#size; index++) {
      if (this.#seen[index] !== 1) yield this.#words.subarray(index * 4, index * 4 + 4);
    }
  }

  #is(entry: number, words: Uint32Array): boolean {
    const at = entry * 4;
    const stored = this.#words;
    return (
      stored[at] === words[0] &&
      stored[at + 1] === words[1] &&
      stored[at + 2] === words[2] &&
      stored[at + 3] === words[3]
    );
  }

  #find(words: Uint32Array): number {
    const slots = this.#index();
    let slot = (words[0] as number) & this.#mask;
    for (;;) {
      const entry = (slots[slot] as number) - 1;
      if (entry === -1 || this.#is(entry, words)) return entry;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Makes the table. Of a digest that was added twice, the second one counts as seen. */
  #index(): Uint32Array {
    if (this.#slots) return this.#slots;
    if (this.#seen.length < this.#size) this.#seen = new Uint8Array(this.#size);
    let length = 16;
    while (length < this.#size * 1.3) length *= 2;
    const slots = new Uint32Array(length);
    this.#slots = slots;
    this.#mask = length - 1;
    for (let index = 0; index < this.#size; index++) {
      const words = this.#words.subarray(index * 4, index * 4 + 4);
      let slot = (words[0] as number) & this.#mask;
      while (slots[slot] !== 0 && !this.#is((slots[slot] as number) - 1, words)) {
        slot = (slot + 1) & this.#mask;
      }
      if (slots[slot] === 0) {
        slots[slot] = index + 1;
      } else if (this.#seen[index] !== 1) {
        this.#seen[index] = 1;
        this.#seenCount += 1;
      }
    }
    return slots;
  }
}
