/** Rows that are no rows, and rows that only look unusual. */
import { expect, test } from 'vitest';
import { shapeProblem } from '../../engine/row-shape.ts';

const header = ['id', 'name', 'pay'];

test.each([
  ['id', 'name', 'pay'],
  [' id', '\uFEFFname ', 'pay'],
])('a header once more is no row: %s, %s, %s', (...cells) => {
  expect(shapeProblem(cells, header)).toBe('repeats the header');
});

test.each([
  ['Total', '', '3.5'],
  ['TOTAL:', '', ''],
  ['', 'Grand total', '1.234,50'],
  ['Total: 3', '3', '75 %'],
  ['Subtotal', '', '-3'],
  ['Gesamtsumme', '', '1'],
  ['Somme', '', '1'],
  ['Total général', '', '1'],
])('a line of totals is no row: %s, %s, %s', (...cells) => {
  expect(shapeProblem(cells, header)).toMatch(/line of totals/);
});

test.each([
  ['total', 'Total SA', ''],
  ['17', 'Total', ''],
  ['Totaler', '', '3'],
  ['', '', '3'],
  ['', '', ''],
  ['id', 'name', '3'],
  ['Anne', 'Somme', ''],
])('others are rows: %s, %s, %s', (...cells) => {
  expect(shapeProblem(cells, header)).toBeUndefined();
});

test('of one column nothing but the word would tell, and that may be a name', () => {
  expect(shapeProblem(['Total'], ['code'])).toBeUndefined();
  expect(shapeProblem(['code'], ['code'])).toBe('repeats the header');
});
