/** Watermarks of PostgreSQL: which types of column tell what changed since a cursor, and the SQL that asks them. */
import pg from 'pg';
import { LockstepError } from '../../engine/errors.ts';
import type { Watermark } from '../../engine/source.ts';

/** How a column of one type tells what changed. */
export interface WatermarkSql {
  /** SQL over all rows: the cursor's position as text; null when no row has one. */
  position(value: string): string;
  /** SQL: true of a row that may have changed since that position. A row without a value always may have. */
  changed(value: string, position: string): string;
}

/** Long enough for most transactions that write. */
const defaultSeconds = 300;
const defaultVersions = 1000;

/** The latest local time anywhere: of a time without a zone nobody knows whose it is. */
const latestLocalTime = `(now() at time zone 'UTC' + interval '14 hours')`;

/** Type → SQL: what a stamp that is no mistake cannot be later than. One of the year 9999 must not end all exports. */
const times: Readonly<Record<string, string>> = {
  'timestamp with time zone': 'now()',
  'timestamp without time zone': latestLocalTime,
  date: latestLocalTime,
};

const numbers = ['smallint', 'integer', 'bigint', 'numeric'];

/**
 * How a column of this type tells what changed.
 *
 * @throws LockstepError `SourceUnreadable` when it cannot, or not with such an overlap
 */
export function watermarkSql(
  source: string,
  { column, overlap }: Watermark,
  type: string,
): WatermarkSql {
  const refuse = (problem: string, hint: string) =>
    new LockstepError('SourceUnreadable', `the watermark “${column}” of ${source} ${problem}`, {
      hint,
    });
  const latest = times[type];
  if (latest !== undefined) {
    const seconds =
      overlap === undefined ? defaultSeconds : 'seconds' in overlap && overlap.seconds;
    if (seconds === false)
      throw refuse(`is of type ${type}`, 'Write its `overlap` as a time, as in 15m.');
    return {
      position: (value) => `(max(${value}) filter (where ${value} <= ${latest}))::text`,
      changed: (value, position) =>
        `(${value} is null or ${value} >= ${pg.escapeLiteral(position)}::${type} - interval '${seconds} seconds')`,
    };
  }
  if (numbers.includes(type)) {
    const versions =
      overlap === undefined ? defaultVersions : 'versions' in overlap && overlap.versions;
    if (versions === false)
      throw refuse(
        `is of type ${type}`,
        'Write its `overlap` as a number of versions, as in 1000.',
      );
    return {
      // Infinity and NaN come after every number.
      position: (value) =>
        type === 'numeric'
          ? `(max(${value}) filter (where ${value} < 'Infinity'))::text`
          : `max(${value})::text`,
      changed: (value, position) =>
        `(${value} is null or ${value} >= ${pg.escapeLiteral(position)}::${type} - ${versions})`,
    };
  }
  if (type === 'xid') {
    if (overlap !== undefined)
      throw refuse(
        'needs no overlap',
        'A cursor of xmin waits for every open transaction; leave it out.',
      );
    return {
      position: () => 'pg_snapshot_xmin(pg_current_snapshot())::text',
      changed: (value, position) => `${distance(value, position)} < 2147483648`,
    };
  }
  throw refuse(
    `is of type ${type}, which cannot tell what changed`,
    'It must be a timestamp, a date, a number, or xmin. Text has no order that leaves room for an overlap.',
  );
}

/** SQL: how many transaction ids a row's is after that of the cursor, modulo 2^32: they begin anew after so many. */
function distance(value: string, position: string): string {
  return `((${value}::text::bigint - ${BigInt(position) % 2n ** 32n} + 4294967296) % 4294967296)`;
}

/** Row ids tell nothing about a cursor so long ago, nor about one that is still to come: of another server. */
export function followsTransaction(now: string, position: string): boolean {
  const passed = BigInt(now) - BigInt(position);
  return passed >= 0n && passed < 2n ** 31n;
}
