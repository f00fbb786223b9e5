/** A list of 32-bit words that grows: four bytes each, where an array of numbers would take eight and more. */

export class WordList {
  #words: Uint32Array;
  #length = 0;

  /** @param expected how many are likely to come; more are taken, too */
  constructor(expected = 1024) {
    this.#words = new Uint32Array(expected);
  }

  get length(): number {
    return this.#length;
  }

  /** What is in it, valid until it grows. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  push(...words: number[]): void {
    this.extend(words.length).set(words, this.#length - words.length);
  }

  /** Makes it longer by so many words; gives all there is room for, so that the caller writes those at its end. */
  extend(count: number): Uint32Array {
    this.#length += count;
    if (this.#length > this.#words.length) {
      const larger = new Uint32Array(Math.max(this.#length, this.#words.length * 2));
      larger.set(this.#words);
      this.#words = larger;
    }
    return this.#words;
  }

  clear(): void {
    this.#length = 0;
  }
}
