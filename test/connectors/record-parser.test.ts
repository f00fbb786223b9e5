/** The cells of a record, told by a look at its bytes where that is enough: always those of csv-parse. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasStrayReturn, RecordCursor } from '../../connectors/record-parser.ts';
import { RecordScanner } from '../../engine/record-scanner.ts';

const part = fc.constantFrom(
  ...['a', 'é', ' ', ';', 'b,c', '"', '""', ',', '\r', '\r\r', '\n', '\r\n'],
  ...['"x"', '"","', '"x",', '"q,\n""z"', ',"k"\r\n', '"x\r\ny"\n', '\n"first",', ',"last"\n'],
);

function recordsOf(text: string): Buffer[] {
  const records: Buffer[] = [];
  const scanner = new RecordScanner(',', ({ bytes }, start, end) => {
    records.push(Buffer.from(bytes.slice(start, end)));
  });
  scanner.push(Buffer.from(text));
  scanner.end();
  return records;
}

/** Alone, and with what is not RFC 4180 refused. */
function parsed(record: string): string[] | null {
  if (hasStrayReturn(record)) return null;
  try {
    const rows: string[][] = parse(record.replace(/\r+$/, ''), { record_delimiter: '\n' });
    return rows.length === 1 ? (rows[0] as string[]) : null;
  } catch {
    return null;
  }
}

test('any text: the same cells, or none', () => {
  const told = { byBytes: 0, quoted: 0, byParser: 0, broken: 0 };
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 200, size: 'max' }), (parts) => {
      const records = recordsOf(parts.join(''));
      let end = -1;
      const ends = Uint32Array.from(records, ({ length }) => {
        end += length + 1;
        return end;
      });
      const all = Buffer.concat(records.flatMap((record) => [record, Buffer.from('\n')]));
      const cursor = new RecordCursor(all, ends, ',');
      for (const record of records) {
        expect(cursor.next()).toBe(true);
        const cells = cursor.cells();
        expect(cells, JSON.stringify(record.toString())).toEqual(parsed(record.toString()));
        const isTold = cursor.width > 0;
        if (isTold) {
          expect(Array.from({ length: cursor.width }, (_, nth) => cursor.cell(nth))).toEqual(cells);
        }
        if (cells === null) told.broken += 1;
        else if (!isTold) told.byParser += 1;
        else if (record.includes('"')) told.quoted += 1;
        else told.byBytes += 1;
      }
      expect(cursor.next()).toBe(false);
    }),
    { numRuns: 400 },
  );
  for (const count of Object.values(told)) expect(count).toBeGreaterThan(100);
});
