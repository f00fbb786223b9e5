/** Values of managed resources: which may be stored, and what a text that a person typed means. */
import { anyIsoTime } from './date-format.ts';
import {
  type Conversion,
  compileConversion,
  defaultBooleanWords,
  type ValueFormat,
} from './value-format.ts';

/** How people write values, whatever the source of a property may be: ISO 8601, `true` or `false`, a decimal point. */
const formats: Readonly<Record<ValueFormat['type'], ValueFormat>> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number', decimalSeparator: '.', groupSeparator: '' },
  boolean: { type: 'boolean', ...defaultBooleanWords },
  date: { type: 'date', format: 'yyyy-MM-dd' },
  datetime: { type: 'datetime', format: anyIsoTime, timezone: 'UTC' },
};

/** Reads a text that a person typed; it must not be blank, which is no value. */
export function readManagedValue(type: ValueFormat['type'], text: string): Conversion {
  if (type === 'number' && /^[+-]?\d+,\d+$/.test(text)) {
    return { problem: 'is not a number; the decimal separator is “.”' };
  }
  return compileConversion(formats[type])(text.trim());
}

/**
 * Says why something cannot be the value of a property of this type, in words that go on after its name and without the
 * value itself; undefined when it can. Dates and times must be as they are stored: `2021-03-31`,
 * `2021-03-31T08:15:00.000Z`.
 */
export function valueProblem(type: ValueFormat['type'], value: unknown): string | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? textProblem(value) : 'is not a text';
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : 'is not a whole number below 2^53';
    case 'number':
      return Number.isFinite(value) ? undefined : 'is not a number';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'is neither true nor false';
    case 'date':
      return isAsStored('date', value) ? undefined : 'is not a date written as 2021-03-31';
    case 'datetime':
      return isAsStored('datetime', value)
        ? undefined
        : 'is not a time written as 2021-03-31T08:15:00.000Z';
  }
}

function textProblem(text: string): string | undefined {
  if (text.trim() === '') return 'is blank; leave it out instead';
  // PostgreSQL's JSON can hold neither.
  if (text.includes('\u0000')) return 'holds a NUL character';
  return text.isWellFormed() ? undefined : 'holds half a character (a lone surrogate)';
}

function isAsStored(type: 'date' | 'datetime', value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const read = compileConversion(formats[type])(value);
  return 'value' in read && read.value === value;
}
