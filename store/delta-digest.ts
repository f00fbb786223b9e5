/** The digest of a delta: what a person approves, and what the load checks again before it writes. */
import type { PoolClient } from 'pg';

/** What of each table goes into the digest. A record's own digest stands for the values it was mapped to. */
const digested = {
  resource_change: 'resource_id, change, source_digest',
  link_change: 'navigation_property_id, change, from_key, to_key, from_id, to_id, previous_id',
  bookkeeping:
    'kind, resource_id, navigation_property_id, from_id, to_id, from_key, to_key, source_digest',
};

type DigestedTable = keyof typeof digested;

/** How many rows of one table, change (or kind) and scope a delta holds. */
export interface PlannedRows {
  readonly table: DigestedTable;
  /** `insert`, `update` or `delete`; of bookkeeping, its kind. */
  readonly change: string;
  /** Id of the entity type or navigation property; 0 for bookkeeping. */
  readonly scope: number;
  readonly count: number;
}

/** A delta's digest, with what was counted on the way. */
export interface DigestedDelta {
  readonly digest: string;
  readonly planned: readonly PlannedRows[];
}

/**
 * A digest over every change and every piece of bookkeeping of a delta, whatever their order: for each kind of row the
 * count, the sum and the exclusive or of PostgreSQL's 64-bit record hash.
 *
 * It shows that nothing came or went since the review; that no row changes in between is seen to by a trigger, and
 * what an update or delete was reviewed against is compared with the store when it is loaded.
 */
export async function digestOfDelta(session: PoolClient, deltaId: bigint): Promise<DigestedDelta> {
  const scopes = {
    resource_change: 'entity_type_id',
    link_change: 'navigation_property_id',
    bookkeeping: '0',
  };
  const parts = Object.entries(digested).map(([table, columns]) => {
    const kind = table === 'bookkeeping' ? 'kind' : 'change';
    return `select '${table}' as "table", ${kind} as change, ${scopes[table as DigestedTable]} as scope,
        count(*)::int as count, sum(hash) as sum, bit_xor(hash) as xor
      from (select *, hash_record_extended(row(${columns}), 0) as hash from ${table} where delta_id = ${deltaId}) hashed
      group by 2, 3`;
  });
  const { rows } = await session.query<PlannedRows & { digest: string }>(
    `with part as (${parts.join(' union all ')})
     select "table", change, scope, count, md5(${deltaId}::text || coalesce(
       (select string_agg(concat_ws(':', p.table, p.change, p.scope, p.count, p.sum, p.xor), ',' order by p.table, p.change, p.scope)
        from part p), '')) as digest from part
     union all select null, null, null, 0, md5(${deltaId}::text) where not exists (select from part)`,
  );
  return {
    digest: (rows[0] as { digest: string }).digest,
    planned: rows.filter(({ table }) => table !== null),
  };
}
