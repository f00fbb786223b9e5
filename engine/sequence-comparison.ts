/** Compares digests of records, one after another, with those of an earlier sequence that held most of them in this order. */
import { NumberedDigests } from './numbered-digests.ts';
import { sameDigest } from './record-digest.ts';

/** So many digests further on one is looked for: records that are gone leave gaps. */
const near = 16;
/** After so many in a row that were not found near, one is looked for further on: where a block of records is gone. */
const patience = 16;
const far = 1 << 14;

/** What one sequence has and the other has not. Numbers count from 0. */
export interface SequenceDifference {
  /** Of the later sequence. */
  readonly come: NumberedDigests;
  /** Of the earlier sequence. */
  readonly gone: NumberedDigests;
}

/**
 * Bounded memory: a window of the earlier sequence, and the difference.
 *
 * It finds no least difference: what moved has gone and come. Whoever takes a record for new that is not compares it in vain,
 * and no more than that.
 */
export class SequenceComparison {
  readonly #earlier: (into: Uint32Array) => number;
  readonly #limit: number;
  readonly #come = new NumberedDigests();
  readonly #gone = new NumberedDigests();
  /** Digests of the earlier sequence, from the next one that is expected (`#head`) to the last one that was read (`#tail`). */
  readonly #window: Uint32Array;
  #head = 0;
  #tail = 0;
  #ended = false;
  /** Number of the digest at the beginning of the window. */
  #first = 0;
  /** How many there were of the later sequence. */
  #count = 0;
  #missed = 0;
  /** First word → place in the window, of all that is in it, until the next one is found. */
  #places: Map<number, number> | undefined;

  /**
   * @param earlier writes the next digests of the earlier sequence, four words each, and says how many; 0 at its end
   * @param limit of those that come, and of those that are gone: with more it gives up
   */
  constructor(earlier: (into: Uint32Array) => number, limit: number) {
    this.#earlier = earlier;
    this.#limit = limit;
    this.#window = new Uint32Array(3 * far * 4);
  }

  /** False once more has come or gone than its limit. */
  get isOfUse(): boolean {
    return this.#come.length <= this.#limit && this.#gone.length <= this.#limit;
  }

  /** Number of the earlier sequence's digest that comes after the one that was found last; -1 where the last one was not found. */
  get next(): number {
    return this.isOfUse && this.#missed === 0 ? this.#first + this.#head : -1;
  }

  /**
   * Takes so many digests of the later sequence that are known to be the next ones of the earlier one.
   *
   * @param into where they are written, from `at` on
   */
  pass(count: number, into: Uint32Array, at: number): void {
    this.#count += count;
    for (let passed = 0; passed < count; ) {
      this.#read(1);
      const digests = Math.min(count - passed, this.#tail - this.#head);
      if (digests === 0) throw new RangeError('the earlier sequence has no more digests');
      const from = this.#head * 4;
      into.set(this.#window.subarray(from, from + digests * 4), at + passed * 4);
      this.#head += digests;
      passed += digests;
    }
  }

  /** Takes the next digest of the later sequence, `words[at..at+3]`. */
  see(words: Uint32Array, at: number): void {
    const number = this.#count++;
    if (!this.isOfUse) return;
    const place = this.#find(words, at);
    if (place !== -1) {
      this.#moveTo(place);
      this.#head = place + 1;
      this.#missed = 0;
      this.#places = undefined;
    } else {
      this.#missed += 1;
      this.#come.add(number, words, at);
    }
  }

  /** Ends both sequences. @returns undefined when they differ in more than the limit */
  end(): SequenceDifference | undefined {
    while (this.isOfUse && !this.#ended) {
      this.#moveTo(this.#tail);
      this.#read(far);
    }
    this.#moveTo(this.#tail);
    return this.isOfUse ? { come: this.#come, gone: this.#gone } : undefined;
  }

  #find(words: Uint32Array, at: number): number {
    this.#read(near);
    const end = Math.min(this.#head + near, this.#tail);
    for (let place = this.#head; place < end; place++) {
      if (this.#is(place, words, at)) return place;
    }
    if (this.#missed < patience) return -1;
    this.#places ??= this.#placesOfAll();
    const place = this.#places.get(words[at] as number);
    return place !== undefined && this.#is(place, words, at) ? place : -1;
  }

  #placesOfAll(): Map<number, number> {
    this.#read(far);
    const places = new Map<number, number>();
    for (let place = this.#tail - 1; place >= this.#head; place--) {
      places.set(this.#window[place * 4] as number, place);
    }
    return places;
  }

  /** Whatever is passed over is gone. */
  #moveTo(place: number): void {
    for (; this.#head < place; this.#head++) {
      this.#gone.add(this.#first + this.#head, this.#window, this.#head * 4);
    }
  }

  #is(place: number, words: Uint32Array, at: number): boolean {
    return sameDigest(this.#window, place * 4, words, at);
  }

  /** Sees to it that so many digests, at least, are in the window, unless there are no more. */
  #read(wanted: number): void {
    while (!this.#ended && this.#tail - this.#head < wanted) {
      this.#window.copyWithin(0, this.#head * 4, this.#tail * 4);
      this.#first += this.#head;
      this.#tail -= this.#head;
      this.#head = 0;
      const count = this.#earlier(this.#window.subarray(this.#tail * 4));
      this.#tail += count;
      this.#ended = count === 0;
    }
  }
}
