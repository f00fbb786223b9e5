/** Tells whether a text may have come before: 64 bits of each are kept, so that a "no" is sure and a "maybe" is rare. */

/** 10 to 20 bytes a text, and half as much more for the moment in which it grows. */
export class FingerprintSet {
  #slots: Uint32Array;
  #size = 0;
  /** The fingerprint made last. */
  #high = 0;
  #low = 0;
  #again = false;

  /** @param expected how many texts are likely to come: room for them is made at once */
  constructor(expected = 0) {
    let slots = 1 << 10;
    while (slots * 4 < expected * 5) slots *= 2;
    this.#slots = new Uint32Array(slots * 2);
  }

  /** True once any text may have been added twice. */
  get mayRepeat(): boolean {
    return this.#again;
  }

  /** Adds a text of UTF-8, or two texts that belong together; each is told by where it starts and ends in `bytes`. */
  add(bytes: Uint8Array, start: number, end: number, secondStart = 0, secondEnd = 0): void {
    if (this.#again) return;
    this.#digest(bytes, start, end, secondStart, secondEnd);
    // Eight in ten slots.
    if (this.#size * 5 >= this.#slots.length * 2) this.#grow();
    this.#insert(this.#high, this.#low);
  }

  /** Below this is every {@link placeOf}. */
  get places(): number {
    return this.#slots.length / 2;
  }

  /**
   * A number that the text, alone, shares with no other that was added, until the next one is added; -1 when it was never
   * added. Not to be asked once {@link mayRepeat}.
   */
  placeOf(bytes: Uint8Array, start: number, end: number): number {
    this.#digest(bytes, start, end, 0, 0);
    const slot = this.#slotOf(this.#high, this.#low);
    return this.#slots[slot * 2 + 1] === 0 ? -1 : slot;
  }

  #digest(
    bytes: Uint8Array,
    start: number,
    end: number,
    secondStart: number,
    secondEnd: number,
  ): void {
    let high = 0x811c9dc5;
    let low = 0x9e3779b9;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      high = Math.imul(high ^ byte, 0x01000193);
      low = Math.imul(low ^ byte, 0x85ebca6b) + (at - start);
    }
    // Where one text ends and the other begins matters.
    high = Math.imul(high ^ 0x10000, 0x01000193);
    low = Math.imul(low ^ 0x10000, 0x85ebca6b) + (end - start);
    for (let at = secondStart; at < secondEnd; at++) {
      const byte = bytes[at] as number;
      high = Math.imul(high ^ byte, 0x01000193);
      low = Math.imul(low ^ byte, 0x85ebca6b) + (at - secondStart);
    }
    high ^= high >>> 15;
    low ^= low >>> 13;
    // A pair of zeros marks an empty slot.
    this.#high = high >>> 0;
    this.#low = (low | 1) >>> 0;
  }

  /** The slot that holds a fingerprint, or the empty one where it belongs. */
  #slotOf(high: number, low: number): number {
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let slot = (high ^ (low >>> 7)) & mask;
    while (slots[slot * 2 + 1] !== 0) {
      if (slots[slot * 2] === high && slots[slot * 2 + 1] === low) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #insert(high: number, low: number): void {
    const slots = this.#slots;
    const slot = this.#slotOf(high, low);
    if (slots[slot * 2 + 1] !== 0) {
      this.#again = true;
      this.#slots = new Uint32Array(2);
      return;
    }
    slots[slot * 2] = high;
    slots[slot * 2 + 1] = low;
    this.#size += 1;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    this.#size = 0;
    for (let at = 0; at < before.length; at += 2) {
      if (before[at + 1] !== 0) this.#insert(before[at] as number, before[at + 1] as number);
    }
  }
}
