/** From the number that a workbook stores for a date to ISO 8601, without any time zone. */
import type { NumberKind } from './number-format.ts';

const day = 86_400_000;

/** From which day a workbook counts. Those of 1900 know a 29 February 1900, which never was. */
export type DateSystem = 1900 | 1904;

/**
 * Gives `2024-03-05`, `2024-03-05T13:45:00` or `13:45:00`, to the millisecond where one is left; undefined where a
 * spreadsheet has no such date either: below its first day, 29 February 1900, beyond the year 9999.
 *
 * The time is written when the format shows one or the number has one: what the cell holds counts, not what it shows.
 */
export function serialDate(
  serial: number,
  kind: Exclude<NumberKind, 'number'>,
  system: DateSystem,
): string | undefined {
  if (serial < 0) return undefined;
  // Rounded, so that 13:45 is not 13:44:59.999…: a double holds such a number to about 10 µs.
  const milliseconds = Math.round(serial * day);
  if (kind === 'time' && serial < 1) return timeOf(milliseconds % day);
  const days = Math.floor(milliseconds / day);
  const date = dateOf(days, system);
  const rest = milliseconds % day;
  return date === undefined || (kind === 'date' && rest === 0) ? date : `${date}T${timeOf(rest)}`;
}

function dateOf(days: number, system: DateSystem): string | undefined {
  if (system === 1900 && (days === 0 || days === 60)) return undefined;
  const first = system === 1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30);
  const date = new Date(first + days * day);
  return date.getUTCFullYear() > 9999 ? undefined : date.toISOString().slice(0, 10);
}

function timeOf(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString();
  return milliseconds % 1000 === 0 ? text.slice(11, 19) : text.slice(11, 23);
}
