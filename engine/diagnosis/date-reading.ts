/** The formats in which people and programs commonly write dates, and which of them a text can be read by. */
import { compileDateFormat, type ParseDate } from '../date-format.ts';

/** Common formats, in the order in which they are thought of. */
export const commonDateFormats = [
  'yyyy-MM-dd',
  'dd/MM/yyyy',
  'MM/dd/yyyy',
  'd/M/yyyy',
  'M/d/yyyy',
  'dd.MM.yyyy',
  'dd-MM-yyyy',
  'MM-dd-yyyy',
  'yyyy/MM/dd',
  'yyyyMMdd',
  'yyyy-dd-MM',
  'ddMMyyyy',
  "yyyy-MM-dd'T'HH:mm:ssXXX",
  "yyyy-MM-dd'T'HH:mm:ss",
  'yyyy-MM-dd HH:mm:ss',
  'dd/MM/yyyy HH:mm:ss',
  'dd/MM/yyyy HH:mm',
  'MM/dd/yyyy HH:mm',
] as const;

const parsers: readonly (readonly [string, ParseDate])[] = commonDateFormats.map((format) => [
  format,
  compileDateFormat(format, { timezone: undefined }),
]);

/** Every common format that reads the text as a date, with that date (ISO 8601). */
export function dateReadings(text: string): (readonly [format: string, date: string])[] {
  if (text.length < 8 || text.length > 30 || !/^\d/.test(text)) return [];
  return parsers.flatMap(([format, parse]) => {
    const date = parse(text);
    return date === undefined ? [] : [[format, date] as const];
  });
}

const day = 86_400_000;

/**
 * The date that a spreadsheet's day number stands for (days since 1899-12-30, as Excel counts from March 1900 on), or
 * undefined when the text is no such number between 1950 and 2100.
 */
export function dateOfSerial(text: string): string | undefined {
  if (!/^\d{5}(\.0+)?$/.test(text)) return undefined;
  const serial = Math.trunc(Number(text));
  if (serial < 18_264 || serial > 73_050) return undefined;
  return new Date(Date.UTC(1899, 11, 30) + serial * day).toISOString().slice(0, 10);
}

/** An ISO 8601 date with its day and month changed over, if that is another date. */
export function dayAndMonthSwapped(date: string): string | undefined {
  const [, year, month, rest] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date) ?? [];
  if (year === undefined || month === rest || Number(rest) > 12) return undefined;
  return `${year}-${rest}-${month}`;
}
