/** The stored rows whose records the extraction does not show: looked up where their keys are known, else looked for. */
import type { PoolClient } from 'pg';
import type { StoredNavigation } from './model-store.ts';
import { isUnseen, type ScopeComparison } from './plan.ts';

/** @returns the temporary table of the ids (`id`) of unseen resources, analysed */
export async function unseenResources(
  session: PoolClient,
  comparison: ScopeComparison,
): Promise<string> {
  const { id } = comparison;
  const table = `unseen_resource_${id}`;
  const lookUp = `select r.id from staged_row_deletion g
    join resource r on r.entity_type_id = ${id} and r.key = g.key and r.source_digest = g.digest
    where g.entity_type_id = ${id}`;
  if (await lookedUp(session, comparison, { table, staged: 'staged_row_deletion', lookUp })) {
    return table;
  }
  await session.query(
    `create temporary table ${table} on commit drop as
     select r.id from resource r where r.entity_type_id = ${id} and ${await lookFor(session, comparison, 'r')};
     analyze ${table}`,
  );
  return table;
}

/** @returns the temporary table of unseen links (`from_id`, `to_id`, `from_key`, `to_key`, `source_digest`), analysed */
export async function unseenLinks(
  session: PoolClient,
  comparison: ScopeComparison,
  { fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<string> {
  const { id } = comparison;
  const table = `unseen_link_${id}`;
  const isEnd = (alias: string, type: number) => `${alias}.entity_type_id = ${type} and ${alias}`;
  const [isFrom, isTo] = [isEnd('f', fromEntityTypeId), isEnd('t', toEntityTypeId)];
  const columns = 'l.from_id, l.to_id, f.key as from_key, t.key as to_key, l.source_digest';
  // The limit keeps the digests out of the joins: the planner takes a pair of them for rare, and then one link for all.
  const lookUp = `select ${columns} from staged_link_deletion g
    join resource f on ${isFrom}.key = g.from_key
    join resource t on ${isTo}.key = g.to_key
    cross join lateral (
      select * from link s where s.navigation_property_id = ${id} and s.from_id = f.id and s.to_id = t.id limit 1) l
    where g.navigation_property_id = ${id} and l.source_digest = g.digest`;
  if (await lookedUp(session, comparison, { table, staged: 'staged_link_deletion', lookUp })) {
    return table;
  }
  // Apart, so that the planner knows how few they are before it looks up their ends.
  await session.query(
    `create temporary table found_link_${id} on commit drop as
     select l.from_id, l.to_id, l.source_digest from link l
     where l.navigation_property_id = ${id} and ${await lookFor(session, comparison, 'l')};
     analyze found_link_${id};
     create temporary table ${table} on commit drop as
     select ${columns} from found_link_${id} l
     join resource f on ${isFrom}.id = l.from_id join resource t on ${isTo}.id = l.to_id;
     analyze ${table}`,
  );
  return table;
}

interface LookUp {
  readonly table: string;
  /** Where their keys are staged. */
  readonly staged: string;
  readonly lookUp: string;
}

/**
 * Fills the table from the staged keys.
 *
 * @returns false, without a table, when a row has another digest than its record had, or is not there: then only a look at
 * all of them tells
 */
async function lookedUp(
  session: PoolClient,
  { goneAreStaged, unseen }: ScopeComparison,
  { table, staged, lookUp }: LookUp,
): Promise<boolean> {
  if (!goneAreStaged) return false;
  await session.query(`analyze ${staged}`);
  const { rowCount } = await session.query(
    `create temporary table ${table} on commit drop as ${lookUp}`,
  );
  if (rowCount === unseen) {
    await session.query(`analyze ${table}`);
    return true;
  }
  await session.query(`drop table ${table}`);
  return false;
}

/** So many digests can stand in a statement. */
const fewUnseen = 100_000;

/**
 * SQL: {@link isUnseen} for a look at every stored row, which several processes can take: they cannot see a temporary
 * table.
 */
async function lookFor(
  session: PoolClient,
  comparison: ScopeComparison,
  row: string,
): Promise<string> {
  const { scope, unseen, withoutDigest } = comparison;
  if (unseen === 'all' || unseen === 0 || unseen > fewUnseen) return isUnseen(comparison, row);
  const { rows } = await session.query<{ digests: string }>(
    'select array_agg(digest)::text as digests from unseen_digest where scope = $1',
    [scope],
  );
  const missing = `${row}.source_digest = any ('${rows[0]?.digests}'::uuid[])`;
  return withoutDigest === 0 ? missing : `(${row}.source_digest is null or ${missing})`;
}
