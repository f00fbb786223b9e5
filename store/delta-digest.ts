/** The digest of a delta: what a person approves, and what the load checks again before it writes. */
import type { PoolClient } from 'pg';

/**
 * A digest over every change and every piece of bookkeeping of a delta, whatever their order: for each table the count,
 * the sum and the exclusive or of PostgreSQL's 64-bit record hash. It guards against accidents; who may write the
 * delta's tables may write the store.
 */
export async function digestOfDelta(session: PoolClient, deltaId: bigint): Promise<string> {
  const parts = ['resource_change', 'link_change', 'bookkeeping'].map(
    (table) => `(select concat_ws(':', count(*), sum(hash), bit_xor(hash))
       from (select hash_record_extended(row(c.*), 0) as hash from ${table} c where delta_id = $1) hashed)`,
  );
  const { rows } = await session.query<{ digest: string }>(
    `select md5(concat_ws(',', ${parts.join(', ')})) as digest`,
    [deltaId],
  );
  return (rows[0] as { digest: string }).digest;
}
