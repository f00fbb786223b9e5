/** The stored rows whose records the extraction does not show: looked up where their keys are known, else looked for. */
import type { PoolClient } from 'pg';
import type { StoredNavigation } from './model-store.ts';
import { type FoundRows, isUnseen, type ScopeComparison } from './plan.ts';

/** How rows are looked up by the keys that are staged among the deletions. */
export interface LookUp {
  /** The temporary table that takes them, and its columns with their types. */
  readonly table: string;
  readonly columns: readonly (readonly [name: string, type: string])[];
  /** Where the keys are. */
  readonly staged: string;
  /** Finds the rows that have the digests of their records. */
  readonly query: string;
}

/** The ids (`id`) of an entity type's resources. */
export function resourceLookUp(entityTypeId: number): LookUp {
  return {
    table: `unseen_resource_${entityTypeId}`,
    columns: [['id', 'bigint']],
    staged: 'staged_row_deletion',
    query: `select r.id from staged_row_deletion g
      join resource r on r.entity_type_id = ${entityTypeId} and r.key = g.key and r.source_digest = g.digest
      where g.entity_type_id = ${entityTypeId}`,
  };
}

/** SQL: what is told of a link `l` and its ends `f` and `t`. */
const linkFields = 'l.from_id, l.to_id, f.key as from_key, t.key as to_key, l.source_digest';

/** Links of an association (`from_id`, `to_id`, `from_key`, `to_key`, `source_digest`). */
export function linkLookUp({ id, fromEntityTypeId, toEntityTypeId }: StoredNavigation): LookUp {
  return {
    table: `unseen_link_${id}`,
    columns: [
      ['from_id', 'bigint'],
      ['to_id', 'bigint'],
      ['from_key', 'text'],
      ['to_key', 'text'],
      ['source_digest', 'uuid'],
    ],
    staged: 'staged_link_deletion',
    // The limit keeps the digests out of the joins: the planner takes a pair of them for rare, and then one link for all.
    query: `select ${linkFields} from staged_link_deletion g
      join resource f on f.entity_type_id = ${fromEntityTypeId} and f.key = g.from_key
      join resource t on t.entity_type_id = ${toEntityTypeId} and t.key = g.to_key
      cross join lateral (
        select * from link s where s.navigation_property_id = ${id} and s.from_id = f.id and s.to_id = t.id limit 1) l
      where g.navigation_property_id = ${id} and l.source_digest = g.digest`,
  };
}

/** Looks rows up for another session, whose temporary tables this one cannot see. */
export async function findRows(
  session: PoolClient,
  { columns, staged, query }: LookUp,
): Promise<FoundRows> {
  await session.query(`analyze ${staged}`);
  const arrays = columns.map(([name]) => `array_agg(${name})::text`);
  const { rows } = await session.query<[string, ...string[]]>({
    text: `select count(*), ${arrays} from (${query}) found`,
    rowMode: 'array',
  });
  const [count, ...found] = rows[0] as [string, ...string[]];
  return { count: Number(count), columns: found };
}

/** @returns the temporary table of the ids (`id`) of unseen resources, analysed */
export async function unseenResources(
  session: PoolClient,
  comparison: ScopeComparison,
): Promise<string> {
  const { id } = comparison;
  const lookUp = resourceLookUp(id);
  const { table } = lookUp;
  if (await lookedUp(session, comparison, lookUp)) return table;
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
  navigation: StoredNavigation,
): Promise<string> {
  const { id, fromEntityTypeId, toEntityTypeId } = navigation;
  const lookUp = linkLookUp(navigation);
  const { table } = lookUp;
  if (await lookedUp(session, comparison, lookUp)) return table;
  // Apart, so that the planner knows how few they are before it looks up their ends.
  await session.query(
    `create temporary table found_link_${id} on commit drop as
     select l.from_id, l.to_id, l.source_digest from link l
     where l.navigation_property_id = ${id} and ${await lookFor(session, comparison, 'l')};
     analyze found_link_${id};
     create temporary table ${table} on commit drop as
     select ${linkFields} from found_link_${id} l
     join resource f on f.entity_type_id = ${fromEntityTypeId} and f.id = l.from_id
     join resource t on t.entity_type_id = ${toEntityTypeId} and t.id = l.to_id;
     analyze ${table}`,
  );
  return table;
}

/**
 * Makes the table of the rows that are looked up, or were, beside.
 *
 * @returns false, without a table, when a row has another digest than its record had, or is not there: then only a look at
 * all of them tells
 */
async function lookedUp(
  session: PoolClient,
  { gone, unseen }: ScopeComparison,
  { table, columns, staged, query }: LookUp,
): Promise<boolean> {
  const found = await gone;
  if (found === undefined || (found !== 'staged' && found.count !== unseen)) return false;
  const typed = columns.map((column) => column.join(' '));
  await session.query(`create temporary table ${table} (${typed}) on commit drop`);
  if (found === 'staged') {
    await session.query(`analyze ${staged}`);
    const { rowCount } = await session.query(`insert into ${table} ${query}`);
    if (rowCount !== unseen) {
      await session.query(`drop table ${table}`);
      return false;
    }
  } else {
    const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`);
    await session.query(`insert into ${table} select * from unnest(${arrays})`, [...found.columns]);
  }
  await session.query(`analyze ${table}`);
  return true;
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
