/** Date formats in tables: what is a date, what is none, and which instant a local time means. */
import { describe, expect, test } from 'vitest';
import { anyIsoTime, compileDateFormat } from '../../engine/date-format.ts';

describe('a date', () => {
  const table: readonly [format: string, text: string, expected: string | undefined][] = [
    ['dd/MM/yyyy', '01/02/2020', '2020-02-01'],
    ['MM/dd/yyyy', '01/02/2020', '2020-01-02'],
    ['yyyy-MM-dd', '2020-12-31', '2020-12-31'],
    ['yyyyMMdd', '20201231', '2020-12-31'],
    ['d.M.yyyy', '1.2.2020', '2020-02-01'],
    ['d.M.yyyy', '01.12.2020', '2020-12-01'],
    ['dd/MM/yyyy', '1/2/2020', undefined],
    ['dd/MM/yyyy', '31/02/2020', undefined],
    ['dd/MM/yyyy', '31/04/2020', undefined],
    ['dd/MM/yyyy', '30/04/2020', '2020-04-30'],
    ['dd/MM/yyyy', '00/01/2020', undefined],
    ['dd/MM/yyyy', '01/00/2020', undefined],
    ['dd/MM/yyyy', '01/13/2020', undefined],
    ['dd/MM/yyyy', '12/31/2020', undefined],
    ['dd/MM/yyyy', '01/01/0000', undefined],
    ['dd/MM/yyyy', '01/01/0001', '0001-01-01'],
    ['dd/MM/yyyy', '31/12/9999', '9999-12-31'],
    ['dd/MM/yyyy', '29/02/2024', '2024-02-29'],
    ['dd/MM/yyyy', '29/02/2023', undefined],
    ['dd/MM/yyyy', '29/02/1900', undefined],
    ['dd/MM/yyyy', '29/02/2000', '2000-02-29'],
    ['dd/MM/yyyy', '01/02/20', undefined],
    ['dd/MM/yyyy', '01/02/20201', undefined],
    ['dd/MM/yyyy', '01/02/2020 ', undefined],
    ['dd/MM/yyyy', 'x01/02/2020', undefined],
    ['dd/MM/yyyy', '01-02-2020', undefined],
    ['dd.MM.yyyy', '01x02x2020', undefined],
    ["'le' dd/MM/yyyy", 'le 01/02/2020', '2020-02-01'],
    ["'d.d' dd/MM/yyyy", 'd.d 01/02/2020', '2020-02-01'],
    ["'d.d' dd/MM/yyyy", 'dxd 01/02/2020', undefined],
    ['dd/MM/yyyy HH:mm', '01/02/2020 23:59', '2020-02-01'],
  ];
  test.each(table)('%s: “%s” is %s', (format, text, expected) => {
    expect(compileDateFormat(format, { timezone: undefined })(text)).toBe(expected);
  });
});

describe('an instant', () => {
  const withOffset = "yyyy-MM-dd'T'HH:mm:ssXXX";
  const local = 'dd/MM/yyyy HH:mm';
  const table: readonly [
    zone: string,
    format: string,
    text: string,
    expected: string | undefined,
  ][] = [
    ['UTC', withOffset, '2020-02-01T10:20:30Z', '2020-02-01T10:20:30.000Z'],
    ['UTC', withOffset, '2020-02-01T10:20:30+02:00', '2020-02-01T08:20:30.000Z'],
    ['UTC', withOffset, '2020-02-01T10:20:30-0530', '2020-02-01T15:50:30.000Z'],
    ['Europe/Paris', withOffset, '2020-02-01T10:20:30-08:00', '2020-02-01T18:20:30.000Z'],
    ['UTC', withOffset, '2020-02-01T00:00:00+02:00', '2020-01-31T22:00:00.000Z'],
    ['UTC', withOffset, '2020-02-01T10:20:30+02', undefined],
    ['UTC', withOffset, '2020-02-01T10:20:30+99:00', undefined],
    ['UTC', withOffset, '2020-02-01T10:20:30+01:60', undefined],
    ['UTC', withOffset, '2020-02-01T10:20:30', undefined],
    ['UTC', withOffset, '2020-02-01T24:00:00Z', undefined],
    ['UTC', withOffset, '2020-02-01T23:60:00Z', undefined],
    ['UTC', withOffset, '2020-02-01T23:59:60Z', undefined],
    ['UTC', withOffset, '2020-02-30T10:20:30Z', undefined],
    ['UTC', 'yyyy-MM-dd HH:mm:ss.SSS', '2020-02-01 10:20:30.045', '2020-02-01T10:20:30.045Z'],
    ['UTC', 'yyyy-MM-dd HH:mm:ss.SSS', '2020-02-01 10:20:30.45', undefined],
    ['UTC', local, '01/02/2020 10:20', '2020-02-01T10:20:00.000Z'],
    ['UTC', 'dd/MM/yyyy H:mm', '01/02/2020 7:05', '2020-02-01T07:05:00.000Z'],
    ['Europe/Paris', local, '01/02/2020 10:20', '2020-02-01T09:20:00.000Z'],
    ['Europe/Paris', local, '01/08/2020 10:20', '2020-08-01T08:20:00.000Z'],
    ['America/New_York', local, '31/12/2020 20:00', '2021-01-01T01:00:00.000Z'],
    ['Asia/Kolkata', local, '01/01/2021 03:00', '2020-12-31T21:30:00.000Z'],
    ['UTC', local, '01/01/0001 00:00', '0001-01-01T00:00:00.000Z'],
    ['Europe/Paris', local, '01/06/0050 00:00', '0050-05-31T23:50:39.000Z'],
    ['America/New_York', local, '31/12/9999 23:59', undefined],
    ['Europe/Paris', local, '01/01/0001 00:00', undefined],
  ];
  test.each(table)('%s, %s: “%s” is %s', (timezone, format, text, expected) => {
    expect(compileDateFormat(format, { timezone })(text)).toBe(expected);
  });

  test.each([
    ['31/03/2024 01:59', '2024-03-31T00:59:00.000Z'],
    ['31/03/2024 02:00', undefined],
    ['31/03/2024 02:59', undefined],
    ['31/03/2024 03:00', '2024-03-31T01:00:00.000Z'],
  ])('Paris skips the hour after two in spring: %s is %s', (text, expected) => {
    expect(compileDateFormat(local, { timezone: 'Europe/Paris' })(text)).toBe(expected);
  });

  test.each([
    ['27/10/2024 01:59', '2024-10-26T23:59:00.000Z'],
    ['27/10/2024 02:00', '2024-10-27T00:00:00.000Z'],
    ['27/10/2024 02:59', '2024-10-27T00:59:00.000Z'],
    ['27/10/2024 03:00', '2024-10-27T02:00:00.000Z'],
  ])('an hour that Paris has twice in autumn means the first: %s is %s', (text, expected) => {
    expect(compileDateFormat(local, { timezone: 'Europe/Paris' })(text)).toBe(expected);
  });

  test.each([
    ['12:00 AM', '00:00'],
    ['12:59 am', '00:59'],
    ['01:00 AM', '01:00'],
    ['11:59 AM', '11:59'],
    ['12:00 PM', '12:00'],
    ['01:30 pm', '13:30'],
    ['11:59 Pm', '23:59'],
    ['00:30 AM', undefined],
    ['13:00 PM', undefined],
    ['01:30', undefined],
  ])('of the twelve-hour clock, %s is %s', (text, expected) => {
    const parse = compileDateFormat('yyyy-MM-dd hh:mm a', { timezone: 'UTC' });
    const instant = expected === undefined ? undefined : `2020-02-01T${expected}:00.000Z`;
    expect(parse(`2020-02-01 ${text}`)).toBe(instant);
  });
});

describe('a time as databases write it', () => {
  const parse = compileDateFormat(anyIsoTime, { timezone: 'Europe/Paris' });

  test.each([
    ['2026-03-29T00:30:00.123456+00:00', '2026-03-29T00:30:00.123Z'],
    ['2026-03-29T00:30:00.1+00:00', '2026-03-29T00:30:00.100Z'],
    ['2026-03-29T00:30:00Z', '2026-03-29T00:30:00.000Z'],
    ['2026-07-01T12:00:00.5', '2026-07-01T10:00:00.500Z'],
    ['2026-03-29T02:30:00', undefined],
    ['2026-03-29', undefined],
    ['infinity', undefined],
  ])('%s', (text, instant) => {
    expect(parse(text)).toBe(instant);
  });

  test('is no format that a person can write', () => {
    expect(() => compileDateFormat('yyyy-MM-dd HH:mm:ssSSSS', { timezone: 'UTC' })).toThrow('SSSS');
  });
});

describe('a format is refused', () => {
  const table: readonly [format: string, timezone: string | undefined, reason: RegExp][] = [
    ['dd/MM/yy', undefined, /“yy” does not say the century/],
    ['dd/MM/y', undefined, /“y” does not say the century/],
    ['DD/MM/YYYY', undefined, /“DD” is no symbol.*quote literal letters/],
    ['dd/mm/yyyy', undefined, /the month is missing/],
    ['dd MMM yyyy', undefined, /“MMM” is no symbol/],
    ["yyyy-MM-dd'T", undefined, /a quote is not closed/],
    ['yyyy-MM-ddTHH', undefined, /“T” is no symbol/],
    ['MM/yyyy', undefined, /the day is missing/],
    ['dd/MM', undefined, /the year is missing/],
    ['dd/MM/yyyy dd', undefined, /the day appears twice/],
    ['dd/MM/yyyy', 'UTC', /the hour is missing; use type date/],
    ['dd/MM/yyyy hh:mm', 'UTC', /hh and a go together/],
    ['dd/MM/yyyy HH:mm a', 'UTC', /hh and a go together/],
    ['dd/MM/yyyy HH:mm', 'Europe/Pari', /time zone/i],
  ];
  test.each(table)('%s: %s', (format, timezone, reason) => {
    expect(() => compileDateFormat(format, { timezone })).toThrow(reason);
    expect(() => compileDateFormat(format, { timezone })).toThrow(RangeError);
  });
});
