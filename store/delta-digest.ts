/** The digest of a delta: what a person approves, and what the load checks again before it writes. */
import type { PoolClient } from 'pg';

/**
 * 128 bits over every change and every piece of bookkeeping of a delta, whatever their order: two 64-bit sums of
 * PostgreSQL's seeded record hash. It guards against accidents; who may write the delta's tables may write the store.
 */
export async function digestOfDelta(session: PoolClient, deltaId: bigint): Promise<string> {
  const { rows } = await session.query<{ digest: string }>(
    `select md5(string_agg(part, ',' order by part)) as digest from (
       select 'r' || count(*) || ':' || coalesce(sum(hash_record_extended(row(c.*), 1)::numeric), 0) || ':'
         || coalesce(sum(hash_record_extended(row(c.*), 2)::numeric), 0) as part
       from resource_change c where delta_id = $1
       union all
       select 'l' || count(*) || ':' || coalesce(sum(hash_record_extended(row(c.*), 1)::numeric), 0) || ':'
         || coalesce(sum(hash_record_extended(row(c.*), 2)::numeric), 0)
       from link_change c where delta_id = $1
       union all
       select 'b' || count(*) || ':' || coalesce(sum(hash_record_extended(row(c.*), 1)::numeric), 0) || ':'
         || coalesce(sum(hash_record_extended(row(c.*), 2)::numeric), 0)
       from bookkeeping c where delta_id = $1) parts`,
    [deltaId],
  );
  return (rows[0] as { digest: string }).digest;
}
