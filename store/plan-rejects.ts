/** The rejects of a delta: rows the mapper set aside, and rows or links that only the comparison could refuse. */
import type { PoolClient } from 'pg';
import { openRowSink } from './copy.ts';
import { fileOf, lineOf } from './line-place.ts';
import type { Plan, ScopeComparison } from './plan.ts';
import { RowWriter } from './row-writer.ts';

/** What a source calls the things rejects name: scope → property (or `from`, `to`, `#key`) → column. */
export type ColumnNames = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Digests of unchanged records whose lines are wanted, four words each, by scope. */
export async function wantedLines(session: PoolClient): Promise<Map<string, Uint32Array[]>> {
  const { rows } = await session.query<{ scope: string; digest: string }>(
    'select distinct scope, digest::text from late_reject where line is null and digest is not null',
  );
  const wanted = new Map<string, Uint32Array[]>();
  for (const { scope, digest } of rows) {
    const bytes = Buffer.from(digest.replaceAll('-', ''), 'hex');
    const list = wanted.get(scope) ?? [];
    list.push(Uint32Array.from([0, 4, 8, 12], (at) => bytes.readUInt32LE(at)));
    wanted.set(scope, list);
  }
  return wanted;
}

/**
 * Gives late rejects the lines on which their records were found.
 *
 * @param found every line of each record; where there are several, those that were staged speak for themselves
 */
export async function supplyLines(
  session: PoolClient,
  { scope, id }: ScopeComparison,
  found: Iterable<{ digest: Uint32Array; line: number }>,
): Promise<void> {
  await session.query(
    'create temporary table if not exists found_line (digest uuid, line int) on commit drop; truncate found_line',
  );
  const sink = openRowSink(session, 'found_line (digest, line)');
  const writer = new RowWriter(1 << 12);
  for (const { digest, line } of found) writer.row(2).uuid(digest).int(line);
  await sink.write(writer.take());
  await sink.end();
  await session.query(
    `delete from found_line f using (
       select digest, line from staged_row where entity_type_id = $2 and $1 like 'r%'
       union all
       select digest, line from staged_link where navigation_property_id = $2 and $1 like 'l%') staged
     where f.digest = staged.digest and f.line = staged.line`,
    [scope, id],
  );
  await session.query(
    `update late_reject r set line = f.line
     from (select digest, min(line) as line from found_line group by digest) f
     where r.scope = $1 and r.digest = f.digest and r.line is null`,
    [scope],
  );
}

/** Writes the rejects of the job, in place of those of an earlier preparation. */
export async function recordRejects(plan: Plan, columns: ColumnNames): Promise<void> {
  const { session, jobId } = plan;
  await session.query('delete from reject where job_id = $1', [jobId]);
  for (const [staged, comparisons] of [
    ['row', plan.entityTypes],
    ['link', plan.associations],
  ] as const) {
    for (const comparison of comparisons) await recordScope(plan, staged, comparison, columns);
  }
}

async function recordScope(
  { session, jobId }: Plan,
  of: 'row' | 'link',
  comparison: ScopeComparison,
  columns: ColumnNames,
): Promise<void> {
  const { scope, id, name } = comparison;
  const staged =
    of === 'row'
      ? `select key, line, "column", value, code, message from staged_row where entity_type_id = ${id}`
      : `select null as key, line, "column", value, code, message from staged_link where navigation_property_id = ${id}`;
  await session.query(
    `insert into reject (job_id, entity_type, file, line, key, "column", value, code, message)
     select $1, $2, ${fileOf(comparison, 'line')}, ${lineOf(comparison, 'line')}, key,
       coalesce($4::jsonb ->> "column", "column"), value, code, message
     from (${staged} and code is not null
           union all
           select key, line, "column", value, code, message from late_reject where scope = $3) rejected
     order by line, code, "column", value`,
    [jobId, name, scope, JSON.stringify(columns[scope] ?? {})],
  );
}
