/** Date formats such as `dd/MM/yyyy`, compiled once and applied strictly: a date that does not exist is no date. */

/** Parses text of the compiled format to ISO 8601, or returns undefined when it is not such a date. */
export type ParseDate = (text: string) => string | undefined;

const allFields = [
  'year',
  'month',
  'day',
  'hour',
  'hour12',
  'minute',
  'second',
  'millisecond',
  'half',
  'offset',
] as const;
type Field = (typeof allFields)[number];
/** The text of a field, where the format has it. */
type ValueAt = (field: Field) => string | undefined;

/** Tokens of Unicode Technical Standard #35 (date field symbols) that Lockstep understands. */
const tokens: Readonly<Record<string, { field: Field; pattern: string }>> = {
  yyyy: { field: 'year', pattern: '(\\d{4})' },
  MM: { field: 'month', pattern: '(\\d{2})' },
  M: { field: 'month', pattern: '(\\d{1,2})' },
  dd: { field: 'day', pattern: '(\\d{2})' },
  d: { field: 'day', pattern: '(\\d{1,2})' },
  HH: { field: 'hour', pattern: '(\\d{2})' },
  H: { field: 'hour', pattern: '(\\d{1,2})' },
  hh: { field: 'hour12', pattern: '(\\d{2})' },
  h: { field: 'hour12', pattern: '(\\d{1,2})' },
  mm: { field: 'minute', pattern: '(\\d{2})' },
  ss: { field: 'second', pattern: '(\\d{2})' },
  SSS: { field: 'millisecond', pattern: '(\\d{3})' },
  a: { field: 'half', pattern: '([AaPp][Mm])' },
  XXX: { field: 'offset', pattern: '(Z|[+-]\\d{2}:?\\d{2})' },
};

/** Tokens of {@link anyIsoTime} alone: what may be left out. */
const optionalTokens: typeof tokens = {
  SSSS: { field: 'millisecond', pattern: '(?:\\.(\\d{1,9}))?' },
  XXXX: { field: 'offset', pattern: '(Z|[+-]\\d{2}:?\\d{2})?' },
};

/** Stands for what databases and workbooks hold: a time with any fraction of a second (kept to milliseconds), with an offset or without. */
export const anyIsoTime = 'ISO 8601';

/**
 * Compiles a format of UTS #35 symbols: `yyyy MM M dd d HH H hh h mm ss SSS a XXX`, with other letters in single
 * quotes (`yyyy-MM-dd'T'HH:mm:ssXXX`).
 *
 * Without a time zone the result is a date, `2021-03-31`. With one it is an instant in UTC,
 * `2021-03-31T08:15:00.000Z`: the zone (an IANA name) gives text without an offset its meaning, and a local time
 * that a change to summer time skips does not exist.
 *
 * @throws RangeError when a symbol is unknown, the year has two digits (which century?), or a part is missing.
 */
export function compileDateFormat(
  format: string,
  { timezone }: { readonly timezone: string | undefined },
): ParseDate {
  const fields: Field[] = [];
  let pattern = '';
  const known = format === anyIsoTime ? { ...tokens, ...optionalTokens } : tokens;
  const symbols = format === anyIsoTime ? "yyyy-MM-dd'T'HH:mm:ssSSSSXXXX" : format;
  for (const [part] of symbols.matchAll(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    const token = known[part];
    if (token) {
      fields.push(token.field);
      pattern += token.pattern;
    } else if (/^'[^']+'$/.test(part)) {
      pattern += escapePattern(part.slice(1, -1));
    } else if (/^[A-Za-z']/.test(part)) {
      throw new RangeError(unknownSymbol(part));
    } else {
      pattern += escapePattern(part);
    }
  }
  const hasHour = requireFields(fields, timezone !== undefined);
  const matcher = new RegExp(`^${pattern}$`);
  const zone = timezone === undefined ? undefined : zoneOffsets(timezone);
  // A field that the format does not have gets a group that does not exist.
  const groups = Object.fromEntries(
    allFields.map((field) => [
      field,
      fields.indexOf(field) === -1 ? fields.length + 1 : fields.indexOf(field) + 1,
    ]),
  ) as Record<Field, number>;
  return (text) => {
    const found = matcher.exec(text);
    if (!found) return undefined;
    const valueAt = (field: Field) => found[groups[field]];
    if (zone !== undefined) return instant(valueAt, zone);
    // A time that is written must exist, also where only the date is kept.
    return hasHour && instant(valueAt, utc) === undefined ? undefined : calendarDate(valueAt);
  };
}

function unknownSymbol(part: string): string {
  if (/^y+$/.test(part)) return `“${part}” does not say the century; only yyyy is understood`;
  if (part === "'") return 'a quote is not closed';
  return `“${part}” is no symbol of a date format; quote literal letters, as in 'T'`;
}

/** @returns whether the format has a time */
function requireFields(fields: readonly Field[], withTime: boolean): boolean {
  const repeated = fields.find((field, index) => fields.indexOf(field) !== index);
  if (repeated) throw new RangeError(`the ${repeated} appears twice`);
  for (const field of ['year', 'month', 'day'] as const) {
    if (!fields.includes(field)) throw new RangeError(`the ${field} is missing`);
  }
  const hasHour = fields.includes('hour') || fields.includes('hour12');
  if (withTime && !hasHour) throw new RangeError('the hour is missing; use type date');
  if (fields.includes('hour12') !== fields.includes('half')) {
    throw new RangeError('hh and a go together; HH is the hour of 24');
  }
  return hasHour;
}

function escapePattern(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

function calendarDate(valueAt: ValueAt): string | undefined {
  const year = Number(valueAt('year'));
  const month = Number(valueAt('month'));
  const day = Number(valueAt('day'));
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month))
    return undefined;
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function instant(valueAt: ValueAt, zone: ZoneOffsets): string | undefined {
  const date = calendarDate(valueAt);
  const hour = hourOfDay(valueAt);
  const minute = Number(valueAt('minute') ?? 0);
  const second = Number(valueAt('second') ?? 0);
  if (date === undefined || hour === undefined || minute > 59 || second > 59) return undefined;
  const local = Date.parse(
    `${date}T${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}.${milliseconds(valueAt)}Z`,
  );
  const written = valueAt('offset');
  const offset = written === undefined ? zone.at(local) : writtenOffset(written);
  return offset === undefined ? undefined : isoInstant(local - offset);
}

function milliseconds(valueAt: ValueAt): string {
  return (valueAt('millisecond') ?? '').padEnd(3, '0').slice(0, 3);
}

/** Undefined outside the years 1 to 9999: PostgreSQL cannot read what JavaScript writes there. */
function isoInstant(time: number): string | undefined {
  const text = new Date(time).toISOString();
  return /^(?!0000)\d{4}-/.test(text) ? text : undefined;
}

function hourOfDay(valueAt: ValueAt): number | undefined {
  const half = valueAt('half');
  if (half === undefined) {
    const hour = Number(valueAt('hour'));
    return hour <= 23 ? hour : undefined;
  }
  const hour = Number(valueAt('hour12'));
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
}

/** The offset written as `Z`, `+02:00` or `+0200`, in milliseconds. */
function writtenOffset(text: string): number | undefined {
  if (text === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(-2));
  if (hours > 18 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

interface ZoneOffsets {
  /** The zone's offset in milliseconds at a local wall time (given as if it were UTC); undefined when skipped. */
  at(local: number): number | undefined;
}

const utc: ZoneOffsets = { at: () => 0 };

function zoneOffsets(timezone: string): ZoneOffsets {
  if (timezone === 'UTC') return utc;
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offsetAt = (utc: number): number => {
    const parts = Object.fromEntries(
      clock.formatToParts(utc).map(({ type, value }) => [type, Number(value)]),
    );
    const wall = new Date(0);
    // Date.UTC would take the years 1 to 99 for 1901 to 1999.
    wall.setUTCFullYear(parts['year'] ?? 0, (parts['month'] ?? 1) - 1, parts['day']);
    wall.setUTCHours(parts['hour'] ?? 0, parts['minute'], parts['second']);
    return wall.getTime() - Math.floor(utc / 1000) * 1000;
  };
  return {
    // Around a change of the offset two candidates exist; the earlier instant wins when both fit, none fits in a gap.
    at(local) {
      const day = 86_400_000;
      const candidates = [offsetAt(local - day), offsetAt(local + day)].sort((a, b) => b - a);
      return candidates.find((offset) => offsetAt(local - offset) === offset);
    },
  };
}
