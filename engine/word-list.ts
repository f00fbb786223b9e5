/** A list of 32-bit words that grows: four bytes each, where an array of numbers would take eight and more. */

export class WordList {
  #words: Uint32Array;
  #length = 0;

  /** @param expected how many are likely to come; more are taken, too */
  constructor(expected = 1024) {
    this.#words = new Uint32Array(expected);
  }

  /** Takes words over. */
  static of(words: Uint32Array): WordList {
    const list = new WordList(0);
    list.#words = words;
    list.#length = words.length;
    return list;
  }

  get length(): number {
    return this.#length;
  }

  /** What is in it, valid until it grows. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  push(word: number): void {
    this.extend(1)[this.#length - 1] = word;
  }

  /** Four at once. */
  push4(first: number, second: number, third: number, fourth: number): void {
    const words = this.extend(4);
    const at = this.#length - 4;
    words[at] = first;
    words[at + 1] = second;
    words[at + 2] = third;
    words[at + 3] = fourth;
  }

  /** Makes it longer by so many words; gives all there is room for, so that the caller writes those at its end. */
  extend(count: number): Uint32Array {
    this.#length += count;
    if (this.#length > this.#words.length) {
      const larger = new Uint32Array(Math.max(64, this.#length, this.#words.length * 2));
      larger.set(this.#words);
      this.#words = larger;
    }
    return this.#words;
  }

  clear(): void {
    this.#length = 0;
  }
}
