/** Conversion of a cell's text to the typed value of a property; what does not convert is said, never guessed. */
import { compileDateFormat, type ParseDate } from './date-format.ts';

/** A value as a resource stores it; dates are ISO 8601 text. A blank cell has no value at all. */
export type Value = string | number | boolean;

/** The type of a scalar property with the format of its source text. */
export type ValueFormat =
  | { readonly type: 'string' }
  | { readonly type: 'integer' }
  | {
      readonly type: 'number';
      readonly decimalSeparator: '.' | ',';
      readonly groupSeparator: '' | '.' | ',' | ' ' | "'";
    }
  | {
      readonly type: 'boolean';
      readonly true: readonly string[];
      readonly false: readonly string[];
    }
  | { readonly type: 'date'; readonly format: string }
  | { readonly type: 'datetime'; readonly format: string; readonly timezone: string };

/** A format in words: what a person would write to a colleague who makes the source. */
export function describeFormat(format: ValueFormat): string {
  switch (format.type) {
    case 'string':
      return 'text';
    case 'integer':
      return 'a whole number';
    case 'number': {
      const groups =
        format.groupSeparator === '' ? '' : ` and “${format.groupSeparator}” between groups`;
      return `a number with “${format.decimalSeparator}” as decimal separator${groups}`;
    }
    case 'boolean':
      return `true is ${format.true.join(', ')}; false is ${format.false.join(', ')}`;
    case 'date':
      return `a date written as ${format.format}`;
    case 'datetime':
      return `a date with time written as ${format.format}, in ${format.timezone} where it has no offset`;
  }
}

/** A conversion's outcome: the value, or why there is none (a sentence without the value itself). */
export type Conversion = { readonly value: Value } | { readonly problem: string };

export type Convert = (text: string) => Conversion;

/** The default words of a boolean, compared without regard to case. */
export const defaultBooleanWords = {
  true: ['true', '1', 'yes'],
  false: ['false', '0', 'no'],
} as const;

/**
 * Returns the function that converts non-blank, trimmed text of this format.
 *
 * Numbers are refused when a double cannot hold them exactly enough (integers beyond 2^53, more than 15
 * significant digits): declare such a property as `string`.
 *
 * @throws RangeError when a date format or time zone is not understood (the configuration is checked by this).
 */
export function compileConversion(format: ValueFormat): Convert {
  switch (format.type) {
    case 'string':
      return convertString;
    case 'integer':
      return convertInteger;
    case 'number':
      return numberConversion(format.decimalSeparator, format.groupSeparator);
    case 'boolean':
      return booleanConversion(format.true, format.false);
    case 'date':
      return dateConversion(
        compileDateFormat(format.format, { timezone: undefined }),
        format.format,
      );
    case 'datetime':
      return dateConversion(
        compileDateFormat(format.format, { timezone: format.timezone }),
        format.format,
      );
  }
}

function convertString(text: string): Conversion {
  // PostgreSQL's text and jsonb cannot hold U+0000.
  return text.includes('\u0000') ? { problem: 'holds a NUL character' } : { value: text };
}

function convertInteger(text: string): Conversion {
  if (!/^[+-]?\d+$/.test(text)) return { problem: 'is not a whole number' };
  const value = Number(text);
  return Number.isSafeInteger(value)
    ? { value: value === 0 ? 0 : value }
    : { problem: 'is beyond 2^53; declare the property as string' };
}

/** A space between groups is often one that does not break: U+00A0, or U+202F in French. */
const spaces = '[ \\u00a0\\u202f]';

function numberConversion(decimal: string, group: string): Convert {
  const escapedGroup = group === ' ' ? spaces : group === '.' ? '\\.' : group;
  const escapedDecimal = decimal === '.' ? '\\.' : decimal;
  const grouped = group === '' ? '\\d+' : `(?:\\d{1,3}(?:${escapedGroup}\\d{3})+|\\d+)`;
  const pattern = new RegExp(`^[+-]?${grouped}(?:${escapedDecimal}\\d+)?$`);
  return (text) => {
    if (!pattern.test(text)) {
      return { problem: `is not a number written with “${decimal}” as decimal separator` };
    }
    const plain = (
      group === '' ? text : text.replaceAll(new RegExp(escapedGroup, 'g'), '')
    ).replace(decimal, '.');
    const significant = plain.replace(/^[+-]?[0.]*/, '').replace('.', '');
    if (significant.length > 15) {
      return { problem: 'has more than 15 significant digits; declare the property as string' };
    }
    const value = Number(plain);
    return { value: value === 0 ? 0 : value };
  };
}

function booleanConversion(trueWords: readonly string[], falseWords: readonly string[]): Convert {
  const words = new Map<string, boolean>();
  for (const word of trueWords) words.set(word.toLowerCase(), true);
  for (const word of falseWords) words.set(word.toLowerCase(), false);
  const problem = `is none of ${[...trueWords, ...falseWords].join(', ')}`;
  return (text) => {
    const value = words.get(text.toLowerCase());
    return value === undefined ? { problem } : { value };
  };
}

function dateConversion(parse: ParseDate, format: string): Convert {
  return (text) => {
    const parsed = parse(text);
    return parsed === undefined
      ? { problem: `is not a date written as ${format}` }
      : { value: parsed };
  };
}
