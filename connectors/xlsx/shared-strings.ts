/** The texts that cells of a workbook refer to by number, kept as bytes outside the heap of JavaScript. */

const segmentBytes = 4 * 1024 * 1024;

/** So many bytes of texts are kept at most. */
export const mostTextBytes = 256 * 1024 * 1024;
/** So many texts are kept at most. */
export const mostTexts = 16 * 1024 * 1024;
/** A text is at most so long; a spreadsheet program takes 32,767 characters. */
export const longestText = 1024 * 1024;

/** A list of texts that only grows. */
export class SharedStrings {
  readonly #segments: Buffer[] = [];
  /** Where each text ends, segments laid end to end; and where the next one begins. */
  #ends = new Uint32Array(1 << 10);
  #starts = new Uint32Array(1 << 10);
  #count = 0;
  #used = 0;

  get length(): number {
    return this.#count;
  }

  /** Adds a text of at most `longestText` characters; false when there is no room for it. */
  add(text: string): boolean {
    const bytes = Buffer.byteLength(text);
    if (this.#segments.length === 0 || this.#used + bytes > segmentBytes) {
      if ((this.#segments.length + 1) * segmentBytes > mostTextBytes) return false;
      this.#segments.push(Buffer.allocUnsafeSlow(segmentBytes));
      this.#used = 0;
    }
    if (this.#count === mostTexts) return false;
    if (this.#count === this.#ends.length) {
      this.#ends = doubled(this.#ends);
      this.#starts = doubled(this.#starts);
    }
    const segment = this.#segments.length - 1;
    (this.#segments[segment] as Buffer).write(text, this.#used);
    const start = segment * segmentBytes + this.#used;
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = start + bytes;
    this.#used += bytes;
    this.#count += 1;
    return true;
  }

  /** The text of this number, counted from 0; undefined when there is none. */
  at(index: number): string | undefined {
    if (index >= this.#count) return undefined;
    const start = this.#starts[index] as number;
    // Nothing begins behind the last segment but a text without a byte.
    const segment = Math.min(Math.floor(start / segmentBytes), this.#segments.length - 1);
    const base = segment * segmentBytes;
    return (this.#segments[segment] as Buffer).toString(
      'utf8',
      start - base,
      (this.#ends[index] as number) - base,
    );
  }
}

function doubled(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
