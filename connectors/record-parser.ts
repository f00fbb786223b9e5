/** Parses records of an extraction into cells: csv-parse does where there is a quote, and nothing needs to where there is none. */
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
 * stands between its delimiters: a look at its bytes tells where.
 */
export class RecordCursor {
  readonly bytes: Buffer;
  readonly #ends: Uint32Array;
  readonly #delimiter: string;
  #index = -1;
  #start = 0;
  #end = -1;
  #width = 0;
  /** A cell lies from the byte after its edge to the edge of the next one. */
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
    return (this.#edges[position] as number) + 1;
  }

  /** After its last byte. */
  cellEnd(position: number): number {
    return this.#edges[position + 1] as number;
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
    if (this.#width > 0) {
      const end = this.cellEnd(this.#width - 1);
      return this.bytes.toString('utf8', this.#start, end).split(this.#delimiter);
    }
    if (this.#index >= this.#parsedUntil) this.#parseGroup();
    return this.#parsed.get(this.#index) ?? null;
  }

  #findCells(): void {
    const { bytes } = this;
    const delimiter = this.#delimiter.charCodeAt(0);
    let edges = this.#edges;
    let end = this.#end;
    // Some programs write CR CR LF.
    while (end > this.#start && bytes[end - 1] === carriageReturn) end -= 1;
    this.#width = 0;
    edges[0] = this.#start - 1;
    let width = 1;
    for (let at = this.#start; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === delimiter) {
        if (width + 1 === edges.length) edges = this.#widen();
        edges[width++] = at;
      } else if (byte === quote || byte === carriageReturn) return;
    }
    edges[width] = end;
    this.#width = width;
  }

  #widen(): Int32Array<ArrayBuffer> {
    const wider = new Int32Array(this.#edges.length * 2);
    wider.set(this.#edges);
    this.#edges = wider;
    return wider;
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
