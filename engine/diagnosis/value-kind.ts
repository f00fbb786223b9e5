/** The kinds of text a column may hold: whole numbers, other numbers, dates of some form, or anything else. */
import type { ValueFormat } from '../value-format.ts';

/** `integer`, `number`, a form of dates such as `9/9/9999`, or `text`. */
export type ValueKind = string;

/** So much of a column must be of one kind to be called a column of it. */
const nearlyAll = 0.9;
/** Fewer values say nothing of a column. */
const fewestValues = 10;

/** The kind of one text, trimmed and not blank. */
export function valueKind(text: string): ValueKind {
  if (/^[+-]?\d+$/.test(text)) return 'integer';
  if (/^[+-]?\d+[.,]\d+([eE][+-]?\d+)?$/.test(text)) return 'number';
  const [date] = /^\d{1,4}([./-])\d{1,2}\1\d{1,4}(?=$|[ T])/.exec(text) ?? [];
  if (date === undefined) return 'text';
  return date.replace(/\d+/g, (digits) => (digits.length > 2 ? '9999' : '9'));
}

/** The kind of text that a typed property reads; undefined for `string`, which reads any. */
export function kindOfFormat(format: ValueFormat): ValueKind | undefined {
  switch (format.type) {
    case 'string':
      return undefined;
    case 'date':
    case 'datetime':
      return valueKind(format.format.replace(/[A-Za-z]/g, '9').replaceAll("'", ''));
    case 'boolean':
      return `${[...format.true, ...format.false].join(', ')}`;
    default:
      return format.type;
  }
}

/** The kind that (nearly) all of these texts are of, if there are enough and one is. */
export function kindOfColumn(texts: readonly string[]): ValueKind | undefined {
  if (texts.length < fewestValues) return undefined;
  const counts = new Map<ValueKind, number>();
  for (const text of texts) counts.set(valueKind(text), (counts.get(valueKind(text)) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most && most[1] >= texts.length * nearlyAll ? most[0] : undefined;
}

/** How most of these texts look, of a column that was of another kind; undefined while half of them still are of it. */
export function otherKind(was: ValueKind, texts: readonly string[]): ValueKind | undefined {
  if (texts.length < fewestValues) return undefined;
  const kinds = texts.map(valueKind);
  if (kinds.filter((kind) => kind === was).length * 2 >= texts.length) return undefined;
  return kindOfColumn(texts) ?? 'of several kinds';
}
