/** Tells whether a text may have come before: 64 bits of each are kept, so that a "no" is sure and a "maybe" is rare. */

/** 10 to 20 bytes a text, and half as much more for the moment in which it grows. */
export class FingerprintSet {
  #slots: Uint32Array;
  #size = 0;
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

  /** Adds a text, or two texts that belong together. */
  add(text: string, second = ''): void {
    if (this.#again) return;
    let high = 0x811c9dc5;
    let low = 0x9e3779b9;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b) + index;
    }
    // Where one text ends and the other begins matters.
    high = Math.imul(high ^ 0x10000, 0x01000193);
    low = Math.imul(low ^ 0x10000, 0x85ebca6b) + text.length;
    for (let index = 0; index < second.length; index++) {
      const code = second.charCodeAt(index);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x85ebca6b) + index;
    }
    high ^= high >>> 15;
    low ^= low >>> 13;
    // A pair of zeros marks an empty slot.
    this.#insert(high >>> 0, (low | 1) >>> 0);
  }

  #insert(high: number, low: number): void {
    // Eight in ten slots.
    if (this.#size * 5 >= this.#slots.length * 2) this.#grow();
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    let slot = (high ^ (low >>> 7)) & mask;
    while (slots[slot * 2 + 1] !== 0) {
      if (slots[slot * 2] === high && slots[slot * 2 + 1] === low) {
        this.#again = true;
        this.#slots = new Uint32Array(2);
        return;
      }
      slot = (slot + 1) & mask;
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
