/** What the generated files hold, found by PostgreSQL itself: what a tool has stored must be just that. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Data } from './data-cache.ts';
import { columns, type Day, days, type FileChange, type FileName, files } from './generate-data.ts';

/** Count and digest of rows, whatever their order. */
export type RowDigest = string;

/** Of every file of a day; `kept` is for a tool that never deletes: it still has the rows that the day has not. */
export type RowDigests = Readonly<
  Record<Day, Readonly<Record<FileName, { readonly exact: RowDigest; readonly kept: RowDigest }>>>
>;

/** Digests the rows that a SELECT of text columns gives. */
export async function digestOf(client: Client, rows: string): Promise<RowDigest> {
  const result = await client.query<{ digest: string }>(
    `select concat(count(*), ' rows, digest ', sum(hashtextextended(r::text, 0))) as digest from (${rows}) r`,
  );
  return result.rows[0]?.digest ?? '';
}

/** The rows of tables that are named and made like the files. */
export function rowsOfSchema(schema: string): Record<FileName, string> {
  const tables = files.map((name) => [name, `select ${columnsOf(name)} from ${schema}.${name}`]);
  return Object.fromEntries(tables) as Record<FileName, string>;
}

const keys = {
  users: ['login'],
  groups: ['code'],
  memberships: ['login', 'code'],
} as const satisfies Record<FileName, readonly string[]>;

/**
 * Reads all days into an empty database and digests them.
 *
 * @throws Error when the files differ in another way than the generator says.
 */
export async function digestFiles(
  client: Client,
  data: Data,
  signal: AbortSignal,
): Promise<RowDigests> {
  const digests = {} as Record<Day, Record<FileName, { exact: RowDigest; kept: RowDigest }>>;
  for (const day of days) digests[day] = {} as (typeof digests)[Day];
  for (const name of files) {
    for (const day of days) {
      const table = tableOf(name, day);
      await client.query(`create unlogged table ${table} (${columnsOf(name, ' text')})`);
      const into = client.query(copyFrom(`copy ${table} from stdin (format csv, header match)`));
      await pipeline(createReadStream(data.days[day][name]), into, { signal });
    }
    requireSame(name, 'changes', await changesOf(client, name), data.changes[name]);
    for (const day of days) {
      const exact = await digestOf(client, `select * from ${tableOf(name, day)}`);
      const kept = day === 'day-0' ? exact : await digestOf(client, withDeletedRows(name, day));
      digests[day][name] = { exact, kept };
    }
    const { 'day-1': next, 'day-1-rotated': rotated } = digests;
    requireSame(name, 'rotated rows', rotated[name], next[name]);
    for (const day of days) await client.query(`drop table ${tableOf(name, day)}`);
  }
  return digests;
}

function tableOf(name: FileName, day: Day): string {
  return `${name}_${day.replaceAll('-', '_')}`;
}

function columnsOf(name: FileName, suffix = ''): string {
  return columns[name].map((column) => `${column}${suffix}`).join(', ');
}

function withDeletedRows(name: FileName, day: Day): string {
  const same = keys[name].map((key) => `n.${key} = f.${key}`).join(' and ');
  return `select * from ${tableOf(name, day)} union all
    select * from ${tableOf(name, 'day-0')} f
    where not exists (select from ${tableOf(name, day)} n where ${same})`;
}

/** Counts the differences of the two days, independently of the generator. */
async function changesOf(client: Client, name: FileName): Promise<FileChange> {
  const [key] = keys[name];
  const { rows } = await client.query<FileChange>(
    `select count(f.${key})::int as rows,
       count(*) filter (where f.${key} is null)::int as inserted,
       count(*) filter (where f.${key} = n.${key} and f is distinct from n)::int as updated,
       count(*) filter (where n.${key} is null)::int as deleted
     from ${tableOf(name, 'day-0')} f
     full join ${tableOf(name, 'day-1')} n using (${keys[name].join(', ')})`,
  );
  return rows[0] as FileChange;
}

/** @throws Error when what was found is not what there should be. */
export function requireSame(of: string, what: string, found: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(found), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${of}: ${what} are ${is}, and should be ${should}`);
}
