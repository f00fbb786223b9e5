/** The sum of many digests, whatever their order: what a set of rows was, without keeping them. */

/** How many rows there were, and the sums and exclusive ors of the four words of their digests, hexadecimal. */
export interface SummedDigests {
  readonly count: number;
  readonly sum: string;
  readonly xor: string;
}

/** Adds digests up. */
export class DigestSum {
  #count = 0;
  readonly #sum = new Uint32Array(4);
  readonly #xor = new Uint32Array(4);

  /** Adds the digest of a row, `words[at..at+3]`. */
  add(words: Uint32Array, at: number): void {
    const [sum, xor] = [this.#sum, this.#xor];
    this.#count += 1;
    for (let word = 0; word < 4; word++) {
      const value = words[at + word] as number;
      sum[word] = (sum[word] as number) + value;
      xor[word] = (xor[word] as number) ^ value;
    }
  }

  /** What has been added so far. */
  get summed(): SummedDigests {
    return { count: this.#count, sum: hexadecimal(this.#sum), xor: hexadecimal(this.#xor) };
  }
}

function hexadecimal(words: Uint32Array): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}
