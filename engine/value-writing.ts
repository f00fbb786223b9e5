/** What a property's value is in the connected system: the inverse of the conversion of its text. */
import { compileDateText } from './date-text.ts';
import {
  compileConversion,
  defaultBooleanWords,
  type Value,
  type ValueFormat,
} from './value-format.ts';

/** What to write, or why it cannot be written (a sentence without the value itself). */
export type Writing = { readonly value: Value } | { readonly problem: string };

/**
 * Returns the function that gives what to write so that its text, read again, is the value.
 *
 * Numbers and booleans stay what they are as long as the property reads them as they are commonly written; a format of
 * its own (`A` for true, `1.234,5`) makes text of them.
 */
export function compileWriting(format: ValueFormat): (value: Value) => Writing {
  const write = writerOf(format);
  const read = compileConversion(format);
  return (value) => {
    const written = write(value);
    const again = read(String(written).trim());
    if ('value' in again && again.value === value) return { value: written };
    return { problem: `cannot be written as ${format.type} of its format` };
  };
}

function writerOf(format: ValueFormat): (value: Value) => Value {
  switch (format.type) {
    case 'string':
    case 'integer':
      return (value) => value;
    case 'number':
      return (value) => numberText(value, format.decimalSeparator);
    case 'boolean': {
      const isCommon = [true, false].every((each) =>
        format[`${each}`].some((word) => defaultBooleanWords[`${each}`][0] === word.toLowerCase()),
      );
      return (value) => (isCommon ? value : (format[value === true ? 'true' : 'false'][0] ?? ''));
    }
    case 'date':
      return dateWriter(compileDateText(format.format, { timezone: undefined }));
    case 'datetime':
      return dateWriter(compileDateText(format.format, { timezone: format.timezone }));
  }
}

/** Groups of digits are left out: they may be, and read the same. */
function numberText(value: Value, decimalSeparator: string): Value {
  const plain = String(value);
  if (decimalSeparator === '.' && !plain.includes('e')) return value;
  const decimal = plain.includes('e') ? withoutExponent(value as number) : plain;
  return decimal.replace('.', decimalSeparator);
}

function withoutExponent(value: number): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value)) ?? [];
  const figures = whole + fraction;
  const at = whole.length + Number(exponent);
  if (at <= 0) return `${sign}0.${'0'.repeat(-at)}${figures}`;
  return (
    sign +
    figures.padEnd(at, '0').slice(0, at) +
    (figures.length > at ? `.${figures.slice(at)}` : '')
  );
}

function dateWriter(write: (iso: string) => string): (value: Value) => Value {
  return (value) =>
    typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? write(value) : value;
}
