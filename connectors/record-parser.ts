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

/** So many records are parsed at once: what lives no longer than that is collected for nothing. */
const atOnce = 512;

/**
 * Parses records that are laid end to end with a line feed after each; null stands for one whose quoting is broken, or
 * that has a carriage return outside quotes: two lines of a file whose line ends are mixed.
 *
 * RFC 4180 gives only quotes a meaning beyond delimiters and line ends, so a record without one is split, which is
 * ten times faster than parsing it.
 *
 * @param ends where each record ends, its line feed not counted
 */
export function* parseEach(
  records: Buffer,
  ends: Uint32Array,
  delimiter: string,
): Generator<string[] | null> {
  let start = 0;
  for (let first = 0; first < ends.length; first += atOnce) {
    const some = ends.subarray(first, first + atOnce);
    yield* parseSome(records, start, some, delimiter);
    start = (some.at(-1) as number) + 1;
  }
}

function parseSome(
  records: Buffer,
  from: number,
  ends: Uint32Array,
  delimiter: string,
): (string[] | null)[] {
  const lines = records.toString('utf8', from, ends.at(-1)).split('\n');
  // A line feed within quotes makes more lines than there are records.
  const whole = lines.length === ends.length;
  const quoted: string[] = [];
  let start = from;
  const cells = Array.from(ends, (end, index) => {
    const text = whole ? (lines[index] as string) : records.toString('utf8', start, end);
    start = end + 1;
    if (hasStrayReturn(text)) return null;
    const record = text.endsWith('\r') ? text.replace(/\r+$/, '') : text;
    if (!record.includes('"')) return record.split(delimiter);
    quoted.push(record);
    return undefined;
  });
  const parsed = parseQuoted(quoted, delimiter).values();
  return cells.map((each) =>
    each === undefined ? (parsed.next().value as string[] | null) : each,
  );
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
