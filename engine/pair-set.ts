/** Tells whether a pair of numbers came before: exactly, in four bytes a place, because a place says most of the pair itself. */

/** The rest of a pair that its place does not say, and how far from its place it lies, share a word. */
const mostRestBits = 18;

/**
 * A compact hash table (J. G. Cleary, "Compact Hash Tables Using Bidirectional Linear Probing", 1984, in its simplest form: each
 * entry says how far it was moved): a pair is mixed by steps that can be taken back, one part of the result is the place, and
 * only the other part is kept.
 */
export class PairSet {
  readonly #slots: Uint32Array;
  /** The bits of each number, and those of the first one that its place says. */
  readonly #ofFirst: number;
  readonly #ofSecond: number;
  readonly #shared: number;
  readonly #ofShared: number;
  /** All of the first one is said by its place. */
  readonly #restless: boolean;
  /** One place further on in an entry. */
  readonly #step: number;
  #size = 0;
  #again = false;

  private constructor(slotBits: number, firstBits: number, secondBits: number) {
    this.#slots = new Uint32Array(2 ** slotBits);
    this.#ofFirst = ones(firstBits);
    this.#ofSecond = ones(secondBits);
    this.#shared = slotBits - secondBits;
    this.#ofShared = ones(this.#shared);
    this.#restless = this.#shared >= firstBits;
    this.#step = 2 ** Math.max(0, firstBits + secondBits - slotBits);
  }

  /**
   * @param expected how many pairs will come at most
   * @param first below this is the first number of each pair
   * @param second below this is the second one
   * @returns undefined where such pairs do not fit into its places
   */
  static of(expected: number, first: number, second: number): PairSet | undefined {
    const [firstBits, secondBits] = [bitsOf(first), bitsOf(second)];
    // Four in five places, at most.
    const slotBits = Math.max(10, secondBits, bitsOf(Math.ceil(expected * 1.25)));
    const fits =
      firstBits <= 31 && slotBits <= 30 && firstBits + secondBits - slotBits <= mostRestBits;
    return fits ? new PairSet(slotBits, firstBits, secondBits) : undefined;
  }

  /** True once any pair was added twice, or may have been because there was no room for it. */
  get mayRepeat(): boolean {
    return this.#again;
  }

  /** Adds a pair. */
  add(first: number, second: number): void {
    if (this.#again) return;
    const slots = this.#slots;
    const mask = slots.length - 1;
    // Each step changes one number by what the other one is, so that it can be taken back.
    const one = (second + mixed(first)) & this.#ofSecond;
    const other = ((first + mixed(one ^ 0x5bd1e995)) & this.#ofFirst) >>> 0;
    const rest = this.#restless ? 0 : other >>> this.#shared;
    const home = ((one << this.#shared) | (other & this.#ofShared)) >>> 0;
    for (let moved = 0; this.#size * 5 < slots.length * 4; moved++) {
      const entry = moved * this.#step + rest + 1;
      if (entry > 0xffffffff) break;
      const slot = (home + moved) & mask;
      if (slots[slot] === 0) {
        slots[slot] = entry;
        this.#size += 1;
        return;
      }
      if (slots[slot] === entry) break;
    }
    this.#again = true;
  }
}

/** How many bits the numbers below this one have. */
function bitsOf(end: number): number {
  return Math.max(1, Math.ceil(Math.log2(Math.max(2, end))));
}

function ones(bits: number): number {
  return bits >= 32 ? 0xffffffff : 2 ** bits - 1;
}

/** The last steps of MurmurHash3 (Austin Appleby, public domain). */
function mixed(number: number): number {
  let hash = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
