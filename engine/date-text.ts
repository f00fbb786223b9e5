/** Writes dates as a date format such as `dd/MM/yyyy` has them: the inverse of `date-format.ts`. */
import { anyIsoTime } from './date-format.ts';

/** Writes an ISO 8601 date (or instant in UTC) as text of the compiled format. */
export type WriteDate = (iso: string) => string;

/** A wall clock: the moment in the time zone, as if it were UTC, and how far that zone is from UTC then. */
interface Clock {
  readonly wall: Date;
  readonly offsetMinutes: number;
}

const writers: Readonly<Record<string, (clock: Clock) => string>> = {
  yyyy: ({ wall }) => digits(wall.getUTCFullYear(), 4),
  MM: ({ wall }) => digits(wall.getUTCMonth() + 1, 2),
  M: ({ wall }) => String(wall.getUTCMonth() + 1),
  dd: ({ wall }) => digits(wall.getUTCDate(), 2),
  d: ({ wall }) => String(wall.getUTCDate()),
  HH: ({ wall }) => digits(wall.getUTCHours(), 2),
  H: ({ wall }) => String(wall.getUTCHours()),
  hh: ({ wall }) => digits(hourOfHalf(wall), 2),
  h: ({ wall }) => String(hourOfHalf(wall)),
  mm: ({ wall }) => digits(wall.getUTCMinutes(), 2),
  ss: ({ wall }) => digits(wall.getUTCSeconds(), 2),
  SSS: ({ wall }) => digits(wall.getUTCMilliseconds(), 3),
  a: ({ wall }) => (wall.getUTCHours() < 12 ? 'AM' : 'PM'),
  XXX: ({ offsetMinutes }) => offsetText(offsetMinutes),
};

/**
 * Compiles the writing of a format that `compileDateFormat` understands.
 *
 * **Danger:** a format may lack what a value has (seconds, or which of two equal hours at the end of summer time): read the
 * text back before it is used.
 */
export function compileDateText(
  format: string,
  { timezone }: { readonly timezone: string | undefined },
): WriteDate {
  if (format === anyIsoTime) return (iso) => iso;
  const parts = [...format.matchAll(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)].map(([part]) => {
    const text = /^'[^']+'$/.test(part) ? part.slice(1, -1) : part;
    return writers[part] ?? (() => text);
  });
  const clockAt = clockOf(timezone ?? 'UTC');
  return (iso) => {
    const clock = clockAt(Date.parse(iso));
    return parts.map((write) => write(clock)).join('');
  };
}

function clockOf(timezone: string): (time: number) => Clock {
  if (timezone === 'UTC') return (time) => ({ wall: new Date(time), offsetMinutes: 0 });
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (time) => {
    const at = Object.fromEntries(
      format.formatToParts(time).map(({ type, value }) => [type, Number(value)]),
    );
    const wall = new Date(0);
    // Date.UTC would take the years 1 to 99 for 1901 to 1999.
    wall.setUTCFullYear(at['year'] ?? 0, (at['month'] ?? 1) - 1, at['day']);
    const milliseconds = ((time % 1000) + 1000) % 1000;
    wall.setUTCHours(at['hour'] ?? 0, at['minute'], at['second'], milliseconds);
    return { wall, offsetMinutes: Math.round((wall.getTime() - time) / 60_000) };
  };
}

function hourOfHalf(wall: Date): number {
  return wall.getUTCHours() % 12 || 12;
}

function offsetText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${digits(Math.floor(size / 60), 2)}:${digits(size % 60, 2)}`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
