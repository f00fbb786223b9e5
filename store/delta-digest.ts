/** The digest of a delta: what a person approves, and what the load checks again before it writes. */
import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { ChangesTable } from './first-changes.ts';

/**
 * The 64-bit hash of a row, what groups rows, and what scope they belong to. A record's own digest stands for the values
 * it was mapped to, keys for the resources they belong to.
 */
const digested = {
  resource_change: {
    hash: `uuid_hash_extended(coalesce(source_digest, '00000000-0000-0000-0000-000000000000'), resource_id)`,
    kind: 'change',
    scope: 'entity_type_id',
  },
  link_change: {
    hash: 'hashtextextended(to_key, hashtextextended(from_key, coalesce(previous_id, 0)))',
    kind: 'change',
    scope: 'navigation_property_id',
  },
  bookkeeping: {
    hash: `hash_record_extended(row(resource_id, navigation_property_id, from_id, to_id, from_key, to_key, source_digest), 0)`,
    kind: 'kind',
    scope: 'coalesce(entity_type_id, navigation_property_id, 0)',
  },
  match_change: {
    hash: `hash_record_extended(row(match_id, second_type_id, first_id, second_id, first_key, second_key, before::text, after::text), 0)`,
    kind: 'change',
    scope: 'first_type_id',
  },
  agreement_change: {
    hash: `hash_record_extended(row(mapping, resource_id, source_id, target_id, "values"::text, from_id, to_id, gone), 0)`,
    kind: `'agreement'`,
    scope: 'coalesce(navigation_property_id, 0)',
  },
} as const;

type DigestedTable = keyof typeof digested;

/** The rows of one table, change (or kind) and scope that a delta holds. */
export interface PlannedRows {
  readonly table: DigestedTable;
  /** `insert`, `update` or `delete`; of bookkeeping, its kind; `agreement`. */
  readonly change: string;
  /** Id of the entity type (of matches: of the first) or navigation property; 0 for what belongs to none. */
  readonly scope: number;
  readonly count: number;
  /** Sum and exclusive or of the rows' hashes; of a large first load, of their records' digests. */
  readonly sum: string;
  readonly xor: string;
}

/** Counts and digests what a delta changes, but for the large first loads in it. */
export async function plannedChanges(session: PoolClient, deltaId: bigint): Promise<PlannedRows[]> {
  return [
    ...(await plannedRows(session, deltaId, 'resource_change')),
    ...(await plannedRows(session, deltaId, 'link_change')),
  ];
}

/** The same of a large first load, in the table that it has to itself. */
export async function plannedFirstChanges(
  session: PoolClient,
  deltaId: bigint,
  kind: ChangesTable,
  table: string,
): Promise<PlannedRows[]> {
  return await plannedRows(session, deltaId, kind, table);
}

/** Counts and digests what a delta does besides changes of resources and links: matches and agreements too. */
export async function plannedBookkeeping(
  session: PoolClient,
  deltaId: bigint,
): Promise<PlannedRows[]> {
  return [
    ...(await plannedRows(session, deltaId, 'bookkeeping')),
    ...(await plannedRows(session, deltaId, 'match_change')),
    ...(await plannedRows(session, deltaId, 'agreement_change')),
  ];
}

async function plannedRows(
  session: PoolClient,
  deltaId: bigint,
  table: DigestedTable,
  from = `only ${table}`,
): Promise<PlannedRows[]> {
  const { hash, kind, scope } = digested[table];
  const { rows } = await session.query<PlannedRows>(
    `select '${table}' as table, ${kind} as change, ${scope} as scope, count(*)::int as count,
       sum(hash)::text as sum, bit_xor(hash)::text as xor
     from (select *, ${hash} as hash from ${from} where delta_id = ${deltaId}) hashed group by 2, 3`,
  );
  return rows;
}

/**
 * A digest over every change and every piece of bookkeeping of a delta, whatever their order: for each kind of row the
 * count, the sum and the exclusive or of 64-bit hashes (of large first loads: of the 128-bit digests of their records).
 *
 * It shows that nothing came or went since the review; that no row changes in between is seen to by a trigger (and that
 * none comes or goes, where a first load has a table to itself), and what an update or delete was reviewed against is compared with the store when it is loaded.
 *
 * @returns 32 hexadecimal digits
 */
export function digestOf(deltaId: bigint, planned: readonly PlannedRows[]): string {
  const parts = planned.map(({ table, change, scope, count, sum, xor }) =>
    [table, change, scope, count, sum, xor].join(':'),
  );
  const text = [deltaId, ...parts.sort()].join(',');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
