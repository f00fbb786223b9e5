/** From what a cell of a workbook stores to the text that the extraction has for it: the stored value, never its display. */
import { errorCell } from '../../engine/error-cell.ts';
import type { NumberKind } from './number-format.ts';
import { type DateSystem, serialDate } from './serial-date.ts';

/**
 * The shortest decimal that is this number, without an exponent: `0.1`, `100000000000000000000`. Undefined for what is
 * no number.
 */
export function plainNumber(text: string): string | undefined {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const shortest = String(value === 0 ? 0 : value);
  const [, sign = '', whole = '', fraction = '', exponent] =
    /^(-?)(\d+)\.?(\d*)e([+-]\d+)$/.exec(shortest) ?? [];
  if (exponent === undefined) return shortest;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  return point <= 0
    ? `${sign}0.${'0'.repeat(-point)}${digits}`
    : `${sign}${digits.padEnd(point, '0')}`;
}

/** A number as its cell means it: a date where its format says so and there is such a date. */
export function numberText(text: string, kind: NumberKind, system: DateSystem): string | undefined {
  const plain = plainNumber(text);
  if (plain === undefined || kind === 'number') return plain;
  return serialDate(Number(text), kind, system) ?? plain;
}

const isoDate = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(Z|[+-]\d\d:\d\d)?$/;

/** A cell of type date, which is ISO 8601 already, in the form that `serialDate` gives. Anything else stays as it is. */
export function dateText(text: string, kind: NumberKind): string {
  const [, date, minutes, seconds = '00', fraction = '', offset = ''] = isoDate.exec(text) ?? [];
  if (date === undefined || minutes === undefined) return text;
  const rest = fraction.replace(/0+$/, '');
  const time = `${minutes}:${seconds}${rest === '' ? '' : `.${rest.padEnd(3, '0')}`}`;
  const isDay = time === '00:00:00' && offset === '' && kind !== 'datetime';
  return isDay ? date : `${date}T${time}${offset}`;
}

/** An error as every language's edition stores it; what is none of them is an error all the same. */
export function errorText(text: string): string {
  const error = text.trim().toUpperCase();
  return errorCell(/^#[A-Z0-9/_]+[!?]?$/.test(error) ? error : '#ERROR!');
}

/**
 * Text with its escapes: `_x000D_` is a carriage return, `_x005F_` the low line of a text that itself says `_x000D_`.
 * U+001A is left escaped: it marks error cells.
 */
export function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (escaped, code: string) =>
    code.toUpperCase() === '001A' ? escaped : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
