/** Where the records of a file are: each landmark tells the place of one, and those up to the next landmark follow it. */
export class Landmarks {
  /** Four a landmark. */
  readonly words: Uint32Array;

  constructor(words: Uint32Array) {
    this.words = words;
  }

  get length(): number {
    return this.words.length / 4;
  }

  /** How many records of the file come before that of a landmark. */
  record(index: number): number {
    return this.words[index * 4] as number;
  }

  line(index: number): number {
    return this.words[index * 4 + 1] as number;
  }

  /** Of the first byte of its record. */
  offset(index: number): number {
    const low = this.words[index * 4 + 2] as number;
    return (this.words[index * 4 + 3] as number) * 2 ** 32 + low;
  }

  /** Index of the last landmark that is not after a record, looked for from another one on, which is not after it either. */
  before(record: number, from = 0): number {
    let index = from;
    while (index + 1 < this.length && this.record(index + 1) <= record) index += 1;
    return index;
  }
}
