/** Workbooks that other programs wrote (`test/fixtures/workbooks/make.py`): all say the same, and read the same. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportedSheet, refusal } from './sheet-export.ts';

const fixture = (name: string) =>
  readFile(join(import.meta.dirname, '../fixtures/workbooks', `${name}.xlsx`));

const header = ['id', 'name', 'born', 'hired', 'active', 'rate', 'starts'];
const zoe = ['00017', 'Zoé Łęcka', '1984-02-29', '2024-03-05T13:45:00', 'true', '0.3', '08:30:00'];
const ann = [
  '00018',
  'O\'Hara, "Ann"',
  '1900-03-01',
  // There is no such moment in most of Europe, which a reader that goes through local time would notice.
  '2024-03-31T02:30:00',
  'false',
  '1234567890123',
  '00:00:00',
];
const bob = [
  '00019',
  'two\nlines',
  '2099-12-31',
  '1999-12-31T23:59:59',
  'true',
  '-0.00000025',
  '23:59:59',
];

test.each(['openpyxl', 'openpyxl-iso-dates', 'xlsxwriter'])('%s', async (name) => {
  const { records, lines } = await exportedSheet(await fixture(name));
  expect(records).toEqual([header, zoe, ann, bob]);
  expect(lines).toEqual([1, 2, 3, 4]);
});

test('openpyxl, counting from 1904: a day before that is a number, which no date property takes', async () => {
  const { records } = await exportedSheet(await fixture('openpyxl-1904'));
  expect(records).toEqual([header, zoe, ann.with(2, '-1401'), bob]);
});

test.each([
  ['openpyxl-formula', 'the formula was never computed, so there is no value'],
  ['xlsxwriter-formula', 'the value of the formula is not to be relied on'],
])('%s: neither computes anything, so no value of a formula is one', async (name, what) => {
  expect(await refusal(await fixture(name))).toContain(`cell B3: ${what}`);
});
