/** What is written of a value is read again as the same value, in every format, or is not written at all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyIsoTime } from '../../engine/date-format.ts';
import { compileConversion, type ValueFormat } from '../../engine/value-format.ts';
import { compileWriting } from '../../engine/value-writing.ts';

const plainNumber = { type: 'number', decimalSeparator: '.', groupSeparator: '' } as const;
const germanNumber = { type: 'number', decimalSeparator: ',', groupSeparator: '.' } as const;
const words = { type: 'boolean', true: ['A', 'active'], false: ['I'] } as const;
const common = { type: 'boolean', true: ['TRUE', '1'], false: ['False', '0'] } as const;
const date = (format: string) => ({ type: 'date', format }) as const;
const datetime = (format: string, timezone = 'UTC') =>
  ({ type: 'datetime', format, timezone }) as const;

test.each<[ValueFormat, unknown, unknown]>([
  [{ type: 'string' }, 'Ann', 'Ann'],
  [{ type: 'integer' }, 7, 7],
  [plainNumber, 1234.5, 1234.5],
  [plainNumber, -1.5e-7, '-0.00000015'],
  [germanNumber, 1234.5, '1234,5'],
  [words, true, 'A'],
  [words, false, 'I'],
  [common, true, true],
  [date('dd/MM/yyyy'), '2020-02-01', '01/02/2020'],
  [date("'le' d.M.yyyy"), '2020-02-01', 'le 1.2.2020'],
  [date('dd/MM/yyyy hh:mm a'), '2020-02-01', '01/02/2020 12:00 AM'],
  [datetime(anyIsoTime), '2020-02-01T08:15:00.250Z', '2020-02-01T08:15:00.250Z'],
  [datetime('dd.MM.yyyy HH:mm', 'Europe/Paris'), '2020-07-01T22:15:00.000Z', '02.07.2020 00:15'],
  [
    datetime("yyyy-MM-dd'T'HH:mm:ssXXX", 'America/St_Johns'),
    '2020-01-01T12:00:00.000Z',
    '2020-01-01T08:30:00-03:30',
  ],
])('of %o the value %s is written as %s', (format, value, written) => {
  expect(compileWriting(format)(value as string)).toEqual({ value: written });
});

test.each<[string, ValueFormat, unknown]>([
  [
    'seconds that the format does not have',
    datetime('yyyy-MM-dd HH:mm'),
    '2020-01-01T00:00:30.000Z',
  ],
  [
    'the second of two equal hours',
    datetime('yyyy-MM-dd HH:mm', 'Europe/Paris'),
    '2020-10-25T01:30:00.000Z',
  ],
  ['a word where a date belongs', date('yyyy-MM-dd'), 'soon'],
  ['more digits than are read', plainNumber, 1e21],
  ['a whole number that is none', { type: 'integer' }, 1.5],
])('%s is said to be impossible, without the value', (_, format, value) => {
  const writing = compileWriting(format)(value as string);
  expect(writing).toEqual({ problem: expect.any(String) });
  expect(JSON.stringify(writing)).not.toContain(String(value));
});

describe('whatever is read', () => {
  const readsTheSame = (format: ValueFormat, value: string | number | boolean) => {
    const writing = compileWriting(format)(value);
    if ('problem' in writing) return false;
    const again = compileConversion(format)(String(writing.value).trim());
    return 'value' in again && again.value === value;
  };
  const days = fc
    .date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    })
    .map((day) => day.toISOString());

  test('is written so that it is read the same: dates', () => {
    fc.assert(
      fc.property(
        days,
        fc.constantFrom('dd/MM/yyyy', 'yyyyMMdd', 'd.M.yyyy', 'MM-dd-yyyy HH:mm'),
        (day, format) => readsTheSame(date(format), day.slice(0, 10)),
      ),
    );
  });

  test('is written so that it is read the same: instants with their offset', () => {
    fc.assert(
      fc.property(
        days.filter((day) => day > '1980'),
        fc.constantFrom('UTC', 'Europe/Paris', 'Asia/Kathmandu', 'America/New_York'),
        (day, zone) => readsTheSame(datetime("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", zone), day),
      ),
    );
  });

  test('is written so that it is read the same: numbers of up to 15 digits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }),
        fc.integer({ min: 0, max: 12 }),
        fc.constantFrom(plainNumber, germanNumber),
        (figures, decimals, format) => readsTheSame(format, Number(`${figures}e-${decimals}`)),
      ),
    );
  });
});
