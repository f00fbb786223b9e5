/** Finds the records of delimited text (RFC 4180) in a stream of bytes, without parsing them. */

/** The same bytes twice: one by one, and as words at any place. */
export interface ScannedBytes {
  readonly bytes: Uint8Array;
  readonly words: DataView;
  /** Where in the text the first of them is. */
  readonly offset: number;
}

/** Called for each record: its bytes are `[start, end)` without the line end, valid only during the call. */
export type OnRecord = (scanned: ScannedBytes, start: number, end: number, line: number) => void;

/** A stretch of whole records that need not be looked at, lines between them included. */
export interface Passed {
  readonly bytes: number;
  readonly lines: number;
}

/**
 * Called where a record begins, after another: the records that begin at `start` may be passed over, by someone who knows
 * them already, as far as they are whole. They are not told to {@link OnRecord}.
 */
export type PassOver = (scanned: ScannedBytes, start: number, line: number) => Passed | undefined;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Splits chunks of UTF-8 into records. A record ends at a line feed outside quotes (a carriage return before it goes
 * with it); quotes count only where a cell begins, as RFC 4180 section 2 has it. Records whose cells are all blank
 * are passed over.
 *
 * **Danger:** an export takes over where a former one found records, as far as their bytes are the same. Who changes how they are
 * told apart has to make the indexes of former files useless, by another name of theirs.
 */
export class RecordScanner {
  readonly #delimiter: number;
  readonly #onRecord: OnRecord;
  readonly #countsRecords: boolean;
  readonly #passOver: PassOver | undefined;
  /** The record that has not ended yet, and room for what comes next. */
  #buffer = new Uint8Array(0);
  #carried = 0;
  /** Line of the unfinished record's first character. */
  #line = 1;
  /** Where in the text the unfinished record begins. */
  #offset = 0;

  /** @param countsRecords a record is one line, whatever line feeds its cells hold: so rows of a sheet keep their numbers */
  constructor(
    delimiter: string,
    onRecord: OnRecord,
    countsRecords = false,
    passOver: PassOver | undefined = undefined,
  ) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#onRecord = onRecord;
    this.#countsRecords = countsRecords;
    this.#passOver = passOver;
  }

  /** The record that has not ended yet: a caller should give up on one that grows without end. */
  get unfinished(): { readonly line: number; readonly bytes: number } {
    return { line: this.#line, bytes: this.#carried };
  }

  /** Goes on at another place of the text, where a record begins: what is left of the one before is dropped. */
  moveTo(offset: number, line: number): void {
    this.#carried = 0;
    this.#offset = offset;
    this.#line = line;
  }

  push(chunk: Uint8Array): void {
    const length = this.#carried + chunk.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#buffer.subarray(0, this.#carried));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#carried);
    const rest = this.#scan(this.#buffer.subarray(0, length), false);
    this.#buffer.copyWithin(0, rest, length);
    this.#carried = length - rest;
    this.#offset += rest;
  }

  /**
   * Ends the text.
   *
   * @returns the line on which a quote opens that never closes, or undefined when all is well.
   */
  end(): number | undefined {
    const length = this.#carried;
    this.#carried = 0;
    return this.#scan(this.#buffer.subarray(0, length), true) < length ? this.#line : undefined;
  }

  /** Returns where the last, unfinished record starts. Lines are counted only for finished records. */
  #scan(bytes: Uint8Array, last: boolean): number {
    const delimiter = this.#delimiter;
    const length = bytes.length;
    let start = 0;
    let quoted = false;
    let lines = 0;
    const words = new DataView(bytes.buffer, bytes.byteOffset, length);
    const scanned: ScannedBytes = { bytes, words, offset: this.#offset };
    for (let at = 0; at < length; at++) {
      while (at + 4 <= length && isPlain(words.getInt32(at, true))) at += 4;
      const byte = bytes[at];
      if (byte === LF) {
        if (quoted) {
          lines += 1;
          continue;
        }
        this.#finish(scanned, start, at);
        this.#line += this.#countsRecords ? 1 : lines + 1;
        lines = 0;
        start = at + 1;
        const passed = this.#passOver?.(scanned, start, this.#line);
        if (passed === undefined) continue;
        start += passed.bytes;
        at += passed.bytes;
        this.#line += passed.lines;
      } else if (byte === QUOTE) {
        if (!quoted) {
          quoted = at === start || bytes[at - 1] === delimiter;
        } else if (at + 1 === length && !last) {
          return start;
        } else if (bytes[at + 1] === QUOTE) {
          at += 1;
        } else {
          quoted = false;
        }
      }
    }
    if (!last || quoted) return start;
    if (start < length) this.#finish(scanned, start, length);
    return length;
  }

  #finish(scanned: ScannedBytes, start: number, lineEnd: number): void {
    const { bytes } = scanned;
    const end = lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (!this.#isBlank(bytes, start, end)) this.#onRecord(scanned, start, end, this.#line);
  }

  #isBlank(bytes: Uint8Array, start: number, end: number): boolean {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (
        byte !== this.#delimiter &&
        byte !== SPACE &&
        byte !== TAB &&
        byte !== QUOTE &&
        byte !== CR
      ) {
        return false;
      }
    }
    return true;
  }
}

/** True when none of the four bytes of a word is a line feed or a quote: most text is passed over four bytes at a time. */
function isPlain(word: number): boolean {
  const lineFeeds = word ^ 0x0a0a0a0a;
  const quotes = word ^ 0x22222222;
  // A byte of zero is where subtracting one borrows from a bit that was not set (Warren, Hacker's Delight, section 6-1).
  return (
    ((((lineFeeds - 0x01010101) & ~lineFeeds) | ((quotes - 0x01010101) & ~quotes)) & 0x80808080) ===
    0
  );
}
