/** Digests of some records of a file, with the numbers of these records. */
import { sameDigest } from './record-digest.ts';
import { WordList } from './word-list.ts';

/** In the order in which they were added; numbers ascend if they do. */
export class NumberedDigests {
  readonly #numbers: WordList;
  readonly #digests: WordList;

  /** Begins with none, or with those of a list that was written: it is taken over. */
  constructor(numbers = new Uint32Array(), digests = new Uint32Array()) {
    this.#numbers = WordList.of(numbers);
    this.#digests = WordList.of(digests);
  }

  get length(): number {
    return this.#numbers.length;
  }

  /** Valid until the next one is added. */
  get numbers(): Uint32Array {
    return this.#numbers.words;
  }

  /** Four words each; valid until the next one is added. */
  get digests(): Uint32Array {
    return this.#digests.words;
  }

  /** Adds the digest `words[at..at+3]`. */
  add(number: number, words: Uint32Array, at: number): void {
    this.#numbers.push(number);
    this.#digests.push4(
      words[at] as number,
      words[at + 1] as number,
      words[at + 2] as number,
      words[at + 3] as number,
    );
  }

  /** True when the nth digest is `words[at..at+3]`. */
  is(nth: number, words: Uint32Array, at = 0): boolean {
    return sameDigest(this.#digests.words, nth * 4, words, at);
  }
}
