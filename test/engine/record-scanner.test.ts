/** Records found in bytes against csv-parse on the whole text: same records, right lines, wherever chunks end. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecordScanner } from '../../engine/record-scanner.ts';

interface Found {
  readonly text: string;
  readonly line: number;
}

/** Scans a text that is cut after each of the given numbers of bytes, round and round. */
function scan(text: string, delimiter = ',', cuts: readonly number[] = [7]) {
  const found: Found[] = [];
  const decoder = new TextDecoder();
  const scanner = new RecordScanner(delimiter, ({ bytes }, start, end, line) => {
    found.push({ text: decoder.decode(bytes.subarray(start, end)), line });
  });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = cuts[turn % cuts.length] as number;
    scanner.push(bytes.slice(at, at + length));
    at += length;
  }
  const openQuote = scanner.end();
  return { found, openQuote };
}

const cell = fc
  .array(fc.constantFrom('a', 'é', '😀', '"', ',', ';', '\n', '\r\n', ' ', 'x', '""'), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''));

const table = fc.record({
  rows: fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
  quoteAll: fc.boolean(),
  delimiter: fc.constantFrom(',', ';', '\t'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  endsWithLine: fc.boolean(),
  cuts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
});

function write(
  rows: readonly (readonly string[])[],
  quoteAll: boolean,
  delimiter: string,
): string[] {
  const mustQuote = (text: string) => quoteAll || /["\r\n]/.test(text) || text.includes(delimiter);
  return rows.map((row) =>
    row.map((text) => (mustQuote(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(delimiter),
  );
}

test('any table, any cuts: the records are those of csv-parse, and on the lines where they begin', () => {
  fc.assert(
    fc.property(table, ({ rows, quoteAll, delimiter, lineEnd, endsWithLine, cuts }) => {
      const records = write(rows, quoteAll, delimiter);
      const text = records.join(lineEnd) + (endsWithLine ? lineEnd : '');
      const { found, openQuote } = scan(text, delimiter, cuts);
      expect(openQuote).toBeUndefined();
      let line = 1;
      const lines = records.map((record) => {
        const begins = line;
        line += record.split('\n').length;
        return begins;
      });
      // Cells of blanks and quotes alone are blank to the scanner; the reader passes over such rows.
      const isBlank = (record: string) => /^[" \t\r]*$/.test(record.replaceAll(delimiter, ''));
      expect(found).toEqual(
        records.flatMap((record, index) =>
          isBlank(record) ? [] : [{ text: record, line: lines[index] }],
        ),
      );
      const options = { delimiter, relax_column_count: true, record_delimiter: ['\n', '\r\n'] };
      const whole = parse(text, options).filter(
        (_: unknown, index: number) => !isBlank(records[index] ?? ''),
      );
      const each = found.map((record) => parse(record.text, options)[0]);
      expect(each).toEqual(whole);
    }),
    { numRuns: 400 },
  );
});

describe('records', () => {
  test.each<[string, string, [string, number][]]>([
    [
      'LF and CRLF',
      'a,b\r\nc,d\ne',
      [
        ['a,b', 1],
        ['c,d', 2],
        ['e', 3],
      ],
    ],
    [
      'quoted line ends',
      'a,"b\nc"\r\nd',
      [
        ['a,"b\nc"', 1],
        ['d', 3],
      ],
    ],
    [
      'quoted CRLF',
      '"a\r\nb"\r\nc',
      [
        ['"a\r\nb"', 1],
        ['c', 3],
      ],
    ],
    [
      'doubled quotes',
      '"a""\n""b"\nc',
      [
        ['"a""\n""b"', 1],
        ['c', 3],
      ],
    ],
    [
      'blank lines',
      '\n\na\n \n,,\n"",""\nb\n\n',
      [
        ['a', 3],
        ['b', 7],
      ],
    ],
    [
      'a quote in the middle of a cell, which opens nothing',
      'a"b\nc"d,"e"\n',
      [
        ['a"b', 1],
        ['c"d,"e"', 2],
      ],
    ],
    [
      'a carriage return within a record',
      'a\rb\nc',
      [
        ['a\rb', 1],
        ['c', 2],
      ],
    ],
    ['no text at all', '', []],
  ])('%s', (_, text, expected) => {
    for (const cuts of [[1], [2], [3], [100]]) {
      const { found } = scan(text, ',', cuts);
      expect(found.map((record) => [record.text, record.line])).toEqual(expected);
    }
  });

  test.each<[string, number]>([
    ['a,"b\nc\n', 1],
    ['a\nb\n"c,d', 3],
    ['a\n"b\n\n\n', 2],
    ['"', 1],
  ])(
    'a quote that never closes is told by the line on which its record begins: %j',
    (text, line) => {
      expect(scan(text).openQuote).toBe(line);
    },
  );

  test('what has not ended yet can be asked for', () => {
    const scanner = new RecordScanner(',', () => {});
    scanner.push(new TextEncoder().encode('a\nb\n"ccc'));
    expect(scanner.unfinished).toEqual({ line: 3, bytes: 4 });
  });
});

test('where records are counted, cells of several lines shift nobody, and a blank line counts as one', () => {
  const lines: number[] = [];
  const scanner = new RecordScanner(',', (_scanned, _start, _end, line) => lines.push(line), true);
  scanner.push(new TextEncoder().encode('\na,b\n"1\n2\n3",x\n\n\n4,"5\n'));
  scanner.push(new TextEncoder().encode('6"\n7,8\n'));
  scanner.end();
  expect(lines).toEqual([2, 3, 6, 7]);
});
