/** Parses records of an extraction into cells: csv-parse does where a quote stands within a cell, and nothing needs to elsewhere. */
import { parse } from 'csv-parse/sync';

/**
 * Parses whole records, separated by line feeds, into their cells. Records may differ in width.
 *
 * @throws Error of csv-parse when the quoting of a record is broken. **Danger:** its message quotes the record.
 */
export function parseRecords(records: Buffer | string, delimiter: string): string[][] {
  return parse(records, {
    delimiter,
    record_delimiter: '\n',
    relax_column_count: true,
  }) as string[][];
}

/** So many records are looked through for quotes at once: what is parsed lives no longer than that, and is collected for nothing. */
const atOnce = 512;
const carriageReturn = 0x0d;
const quote = 0x22;

/**
 * Goes through records that are laid end to end with a line feed after each.
 *
 * RFC 4180 gives only quotes a meaning beyond delimiters and line ends, so the cells of a record without one are what
 * stands between its delimiters: a look at its bytes tells where. So it does of a cell between quotes that holds none.
 */
export class RecordCursor {
  readonly bytes: Buffer;
  readonly #ends: Uint32Array;
  readonly #delimiter: string;
  #index = -1;
  #start = 0;
  #end = -1;
  #width = 0;
  #isQuoted = false;
  /** Where each cell begins and ends, one after another. */
  #edges = new Int32Array(64);
  /** Where the group of records ends that was parsed last, and what its quoted ones hold, by their numbers. */
  #parsedUntil = 0;
  #parsed = new Map<number, string[] | null>();

  /**
   * @param ends where each record ends, its line feed not counted
   * @param delimiter a character of one byte
   */
  constructor(bytes: Buffer, ends: Uint32Array, delimiter: string) {
    this.bytes = bytes;
    this.#ends = ends;
    this.#delimiter = delimiter;
  }

  /** Goes to the next record; false when there is none. */
  next(): boolean {
    this.#index += 1;
    if (this.#index >= this.#ends.length) return false;
    this.#start = this.#end + 1;
    this.#end = this.#ends[this.#index] as number;
    this.#findCells();
    return true;
  }

  /** The number of the record, from 0. */
  get index(): number {
    return this.#index;
  }

  /** How many cells can be told by a look at the bytes; 0 when the record has to be parsed. */
  get width(): number {
    return this.#width;
  }

  /** Where one of the cells begins that `width` counts. */
  cellStart(position: number): number {
    return this.#edges[position * 2] as number;
  }

  /** After its last byte. */
  cellEnd(position: number): number {
    return this.#edges[position * 2 + 1] as number;
  }

  cell(position: number): string {
    return this.bytes.toString('utf8', this.cellStart(position), this.cellEnd(position));
  }

  /** The record as it is. */
  get text(): string {
    return this.bytes.toString('utf8', this.#start, this.#end);
  }

  /** The cells; null where the quoting is broken, or a carriage return stands outside quotes: two lines of a file whose line ends are mixed. */
  cells(): string[] | null {
    const width = this.#width;
    if (width > 0) {
      if (this.#isQuoted)
        return Array.from({ length: width }, (_, position) => this.cell(position));
      return this.bytes
        .toString('utf8', this.#start, this.cellEnd(width - 1))
        .split(this.#delimiter);
    }
    if (this.#index >= this.#parsedUntil) this.#parseGroup();
    return this.#parsed.get(this.#index) ?? null;
  }

  #findCells(): void {
    const { bytes } = this;
    const delimiter = this.#delimiter.charCodeAt(0);
    let end = this.#end;
    // Some programs write CR CR LF.
    while (end > this.#start && bytes[end - 1] === carriageReturn) end -= 1;
    this.#width = 0;
    this.#isQuoted = false;
    let cells = 0;
    let start = this.#start;
    for (let at = start; at <= end; at++) {
      const byte = at === end ? delimiter : bytes[at];
      if (byte === delimiter) {
        this.#setCell(cells++, start, at);
        start = at + 1;
      } else if (byte === quote) {
        const closing = at === start ? this.#closingQuote(at, end) : -1;
        if (closing === -1) return;
        this.#setCell(cells++, start + 1, closing);
        this.#isQuoted = true;
        at = closing + 1;
        start = at + 1;
      } else if (byte === carriageReturn) return;
    }
    this.#width = cells;
  }

  /** Of a cell that holds no other quote; -1 where that is not so. */
  #closingQuote(opening: number, end: number): number {
    const { bytes } = this;
    let at = opening + 1;
    while (at < end && bytes[at] !== quote) at += 1;
    const isClosed = at + 1 === end || bytes[at + 1] === this.#delimiter.charCodeAt(0);
    return at < end && isClosed ? at : -1;
  }

  #setCell(position: number, start: number, end: number): void {
    if (position * 2 === this.#edges.length) {
      const wider = new Int32Array(this.#edges.length * 2);
      wider.set(this.#edges);
      this.#edges = wider;
    }
    this.#edges[position * 2] = start;
    this.#edges[position * 2 + 1] = end;
  }

  /** Parses the quoted records of a group from this one on. */
  #parseGroup(): void {
    const ends = this.#ends;
    this.#parsedUntil = Math.min(this.#index + atOnce, ends.length);
    const numbers: number[] = [];
    const quoted: string[] = [];
    let start = this.#start;
    let at = this.bytes.indexOf(quote, start);
    for (let index = this.#index; index < this.#parsedUntil && at !== -1; index++) {
      const end = ends[index] as number;
      if (at < end) {
        const text = this.bytes.toString('utf8', start, end);
        if (!hasStrayReturn(text)) {
          numbers.push(index);
          quoted.push(text.endsWith('\r') ? text.replace(/\r+$/, '') : text);
        }
        at = this.bytes.indexOf(quote, end);
      }
      start = end + 1;
    }
    const parsed = parseQuoted(quoted, this.#delimiter);
    this.#parsed = new Map(numbers.map((index, nth) => [index, parsed[nth] ?? null]));
  }
}

/** As {@link RecordCursor.cells} tells them, of every record. */
export function* parseEach(
  records: Buffer,
  ends: Uint32Array,
  delimiter: string,
): Generator<string[] | null> {
  const cursor = new RecordCursor(records, ends, delimiter);
  while (cursor.next()) yield cursor.cells();
}

/**
 * True for a carriage return outside quotes with something after it. At the end of a record it is white space: some
 * programs write CR CR LF.
 */
export function hasStrayReturn(record: string): boolean {
  return record.includes('\r') && /\r[^\r]/.test(record.replaceAll(/"(?:[^"]|"")*"/g, 'x'));
}

/** Parses all at once; a broken one makes them be parsed one by one, to tell which it is. */
function parseQuoted(records: readonly string[], delimiter: string): (string[] | null)[] {
  try {
    const all = parseRecords(records.map((record) => `${record}\n`).join(''), delimiter);
    if (all.length === records.length) return all;
  } catch {
    // Which one it is comes out below.
  }
  return records.map((record) => {
    try {
      const [cells, ...more] = parseRecords(record, delimiter);
      return cells && more.length === 0 ? cells : null;
    } catch {
      return null;
    }
  });
}
