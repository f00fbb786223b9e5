/** Conversions in tables: the value of a text, or why there is none. */
import { describe, expect, test } from 'vitest';
import {
  compileConversion,
  defaultBooleanWords,
  type ValueFormat,
} from '../../engine/value-format.ts';

function convert(format: ValueFormat, text: string): unknown {
  const conversion = compileConversion(format)(text);
  return 'value' in conversion ? conversion.value : new Error(conversion.problem);
}

const refused = (reason: RegExp) =>
  expect.objectContaining({ message: expect.stringMatching(reason) });

test.each([
  ['Łucja "Lu"', 'Łucja "Lu"'],
  ['00123', '00123'],
  ['a\nb', 'a\nb'],
  ['😀', '😀'],
  ['a\u0000b', refused(/NUL/)],
])('string: %j', (text, expected) => {
  expect(convert({ type: 'string' }, text)).toEqual(expected);
});

test.each([
  ['0', 0],
  ['-0', 0],
  ['007', 7],
  ['+5', 5],
  ['-12', -12],
  ['9007199254740991', 9007199254740991],
  ['-9007199254740991', -9007199254740991],
  ['9007199254740992', refused(/beyond 2\^53/)],
  ['9007199254740993', refused(/declare the property as string/)],
  ['1.0', refused(/not a whole number/)],
  ['1e3', refused(/not a whole number/)],
  ['0x10', refused(/not a whole number/)],
  ['1 000', refused(/not a whole number/)],
  ['--1', refused(/not a whole number/)],
  ['١', refused(/not a whole number/)],
])('integer: “%s”', (text, expected) => {
  const value = convert({ type: 'integer' }, text);
  expect(value).toEqual(expected);
  expect(Object.is(value, -0)).toBe(false);
});

describe('number', () => {
  const separators = [
    ['.', ''],
    [',', ''],
    ['.', ','],
    [',', '.'],
    [',', ' '],
    ['.', "'"],
  ] as const;
  test.each(separators)('with “%s” and “%s”', (decimalSeparator, groupSeparator) => {
    const format = { type: 'number', decimalSeparator, groupSeparator } as const;
    const written = (text: string) =>
      text.replaceAll(/[.,]/g, (mark) => (mark === '.' ? decimalSeparator : groupSeparator));
    expect(convert(format, written('1234.5'))).toBe(1234.5);
    expect(convert(format, written('-0.25'))).toBe(-0.25);
    expect(convert(format, written('+3'))).toBe(3);
    if (groupSeparator !== '') {
      expect(convert(format, written('1,234,567.89'))).toBe(1234567.89);
      expect(convert(format, written('1,23'))).toBeInstanceOf(Error);
      expect(convert(format, written('12,34,567'))).toBeInstanceOf(Error);
      expect(convert(format, written('1,,234'))).toBeInstanceOf(Error);
    }
  });

  const plain = { type: 'number', decimalSeparator: '.', groupSeparator: '' } as const;
  test.each([
    ['-0', 0],
    ['-0.0', 0],
    ['0.1', 0.1],
    ['007.50', 7.5],
    ['123456789012345', 123456789012345],
    ['0.000123456789012345', 0.000123456789012345],
    ['1234567890.12345', 1234567890.12345],
    ['1234567890123456', refused(/15 significant digits/)],
    ['0.1234567890123456', refused(/15 significant digits/)],
    ['1,5', refused(/“\.” as decimal separator/)],
    ['1,234.5', refused(/decimal separator/)],
    ['.5', refused(/decimal separator/)],
    ['5.', refused(/decimal separator/)],
    ['1e5', refused(/decimal separator/)],
    ['NaN', refused(/decimal separator/)],
    ['Infinity', refused(/decimal separator/)],
    ['12 €', refused(/decimal separator/)],
  ])('“%s”', (text, expected) => {
    const value = convert(plain, text);
    expect(value).toEqual(expected);
    expect(Object.is(value, -0)).toBe(false);
  });

  test('a wrong decimal separator is refused, not read as thousands', () => {
    const german = { type: 'number', decimalSeparator: ',', groupSeparator: '' } as const;
    expect(convert(german, '1.5')).toBeInstanceOf(Error);
  });
});

describe('boolean', () => {
  test.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['Yes', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['2', refused(/is none of true, 1, yes, false, 0, no/)],
    ['y', refused(/is none of/)],
  ])('by default “%s”', (text, expected) => {
    expect(convert({ type: 'boolean', ...defaultBooleanWords }, text)).toEqual(expected);
  });

  test('has only the words that are configured', () => {
    const format = { type: 'boolean', true: ['A'], false: ['I', 'É'] } as const;
    expect(convert(format, 'a')).toBe(true);
    expect(convert(format, 'é')).toBe(false);
    expect(convert(format, 'true')).toEqual(refused(/is none of A, I, É/));
  });
});

test('a date and a datetime are ISO 8601, and say the format when they are none', () => {
  const date = { type: 'date', format: 'dd/MM/yyyy' } as const;
  expect(convert(date, '31/12/2020')).toBe('2020-12-31');
  expect(convert(date, '12/31/2020')).toEqual(refused(/not a date written as dd\/MM\/yyyy/));
  const datetime = {
    type: 'datetime',
    format: 'dd/MM/yyyy HH:mm',
    timezone: 'Europe/Paris',
  } as const;
  expect(convert(datetime, '31/12/2020 12:00')).toBe('2020-12-31T11:00:00.000Z');
  expect(convert(datetime, '31/12/2020')).toEqual(refused(/not a date/));
});

test('no problem quotes the value: messages of conversions may be logged by whoever maps', () => {
  const formats: readonly ValueFormat[] = [
    { type: 'integer' },
    { type: 'number', decimalSeparator: '.', groupSeparator: '' },
    { type: 'boolean', ...defaultBooleanWords },
    { type: 'date', format: 'yyyy-MM-dd' },
  ];
  for (const format of formats) {
    expect((convert(format, 'canary-7f3') as Error).message).not.toContain('canary');
  }
});
