/** The digest of a delta: what a person approves, and what the load checks again before it writes. */
import type { PoolClient } from 'pg';

/** What of each table goes into the digest. A record's own digest stands for the values it was mapped to. */
const digested = {
  resource_change: 'resource_id, change, source_digest',
  link_change: 'navigation_property_id, change, from_id, to_id, previous_id',
  bookkeeping:
    'kind, resource_id, navigation_property_id, from_id, to_id, from_key, to_key, source_digest',
};

/**
 * A digest over every change and every piece of bookkeeping of a delta, whatever their order: for each table the count,
 * the sum and the exclusive or of PostgreSQL's 64-bit record hash.
 *
 * It shows that nothing came or went since the review; that no row changes in between is seen to by a trigger, and
 * what an update or delete was reviewed against is compared with the store when it is loaded.
 */
export async function digestOfDelta(session: PoolClient, deltaId: bigint): Promise<string> {
  const parts = Object.entries(digested).map(
    ([table, columns]) => `(select concat_ws(':', count(*), sum(hash), bit_xor(hash))
       from (select hash_record_extended(row(${columns}), 0) as hash from ${table} where delta_id = $1) hashed)`,
  );
  const { rows } = await session.query<{ digest: string }>(
    `select md5(concat_ws(',', $1::bigint, ${parts.join(', ')})) as digest`,
    [deltaId],
  );
  return (rows[0] as { digest: string }).digest;
}
