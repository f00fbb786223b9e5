/** The digests of the stored records of one source, and which of them the new extraction holds. */

import { sameDigest } from './record-digest.ts';

/** What the set says of a record's digest: never stored, stored and met for the first time, or met before. */
export type Sighting = 'new' | 'known' | 'again';

/** So many digests further on one is looked for: rows that are gone, or stored elsewhere by now, leave gaps. */
const lookAhead = 16;

/**
 * Bounded memory: typed arrays, 16 bytes a digest, and some 6 more once many were met out of order.
 *
 * Most extractions hold most records in the order in which they are stored, so each sighting is first compared with the
 * digests after the one seen last. What is not among them is taken for new, until that has happened so often that a table
 * of all digests is worth making. Whoever takes a stored record for new compares it in vain, and no more than that: the
 * stored digest counts as unseen, so that it is not mistaken for a second record of the same key.
 */
export class DigestSet {
  #words: Uint32Array<ArrayBuffer>;
  #size = 0;
  #seen = new Uint8Array(0);
  #seenCount = 0;
  /** Which digest is expected next. */
  #next = 0;
  /** How many were taken for new without asking the table. */
  #strangers = 0;
  /** Slot → index of the digest + 1, 0 when empty; open addressing. */
  #slots: Uint32Array<ArrayBuffer> | undefined;
  #mask = 0;

  /** @param expected how many digests are likely to come; more are taken, too */
  constructor(expected = 0) {
    this.#words = new Uint32Array(Math.max(4, expected * 4));
  }

  get size(): number {
    return this.#size;
  }

  /** How many stored digests were not met (yet). */
  get unseenCount(): number {
    return this.#size - this.#seenCount;
  }

  /** Adds stored digests, 16 bytes each, before the first sighting and each only once. */
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

  /** Notes that the extraction holds a record of the digest `words[at..at+3]`. */
  see(words: Uint32Array, at = 0): Sighting {
    if (this.#seen.length < this.#size) this.#seen = new Uint8Array(this.#size);
    let entry = this.#ahead(words, at);
    if (entry === -1 && this.#slots === undefined) {
      // Four strangers in a hundred, or a store so small that it does not matter.
      this.#strangers += 1;
      if (this.#strangers * 25 < this.#size) return 'new';
    }
    if (entry === -1) entry = this.#find(words, at);
    if (entry === -1) return 'new';
    this.#next = entry + 1;
    if (this.#seen[entry] === 1) return 'again';
    this.#mark(entry);
    return 'known';
  }

  /** Forgets every sighting. */
  forget(): void {
    this.#seen.fill(0);
    this.#seenCount = 0;
    this.#next = 0;
    this.#strangers = 0;
  }

  /** The stored digests that were not met, four words each. */
  *unseen(): Iterable<Uint32Array> {
    for (const place of this.unseenPlaces()) yield this.at(place);
  }

  /** The stored digest at a place, four words. */
  at(place: number): Uint32Array {
    return this.#words.subarray(place * 4, place * 4 + 4);
  }

  /** The places of the stored digests that were not met, in the order in which they were added. */
  *unseenPlaces(): Iterable<number> {
    for (let index = 0; index < this.#size; index++) {
      if (this.#seen[index] !== 1) yield index;
    }
  }

  #is(entry: number, words: Uint32Array, at: number): boolean {
    return sameDigest(this.#words, entry * 4, words, at);
  }

  /** The digest among those that come next in the store, if it is there and was not seen. */
  #ahead(words: Uint32Array, at: number): number {
    const end = Math.min(this.#next + lookAhead, this.#size);
    for (let entry = this.#next; entry < end; entry++) {
      if (this.#seen[entry] === 0 && this.#is(entry, words, at)) return entry;
    }
    return -1;
  }

  #mark(entry: number): void {
    this.#seen[entry] = 1;
    this.#seenCount += 1;
  }

  #find(words: Uint32Array, at: number): number {
    const slots = this.#index();
    let slot = (words[at] as number) & this.#mask;
    for (;;) {
      const entry = (slots[slot] as number) - 1;
      if (entry === -1 || this.#is(entry, words, at)) return entry;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Makes the table: of all digests, since one that was seen may come again. */
  #index(): Uint32Array<ArrayBuffer> {
    if (this.#slots) return this.#slots;
    let length = 16;
    while (length < this.#size * 1.3) length *= 2;
    const slots = new Uint32Array(length);
    this.#slots = slots;
    this.#mask = length - 1;
    for (let index = 0; index < this.#size; index++) {
      let slot = (this.#words[index * 4] as number) & this.#mask;
      while (slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      slots[slot] = index + 1;
    }
    return slots;
  }
}
