/** Which extractions may go: those nobody needs any more, one by one and each in a transaction of its own. */
import type { Pool, PoolClient } from 'pg';
import type { Store } from './database.ts';
import { wasLoaded } from './loaded-delta.ts';

/** Which extractions are old enough. */
export interface Outdated {
  readonly before: Date;
  /** All of them without. */
  readonly connector?: string;
  /** How many at most. */
  readonly limit: number;
}

/**
 * SQL: what an extraction `e` is still needed for. An open job works on it; it is the newest of its connector, which the
 * next export compares its sources with; or it is the one loaded last, in its mode, which says where what is stored
 * came from.
 */
const needed = `exists (select from job where ended_at is null and (extraction = e.id or id = e.job_id))
  or not exists (select from extraction n
    where n.connector = e.connector and n.removed_at is null and n.created_at > e.created_at)
  or e.id = (select d.extraction from delta d join job j on j.id = d.job_id join extraction o on o.id = d.extraction
    where j.connector = e.connector and o.mode = e.mode and ${wasLoaded}
    order by d.id desc limit 1)`;

/** The oldest extractions that may go. */
export async function outdatedExtractions(
  pool: Pool,
  { before, connector, limit }: Outdated,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `select e.id from extraction e
     where e.created_at < $1 and e.removed_at is null and ($2::text is null or e.connector = $2) and not (${needed})
     order by e.created_at limit $3`,
    [before, connector ?? null, limit],
  );
  return rows.map(({ id }) => id);
}

/**
 * Notes that an extraction goes, unless somebody has come to need it. From then on no job can choose it.
 *
 * @returns false when it is needed
 */
export async function giveUpExtraction(store: Store, id: string): Promise<boolean> {
  return await store.transaction('read committed', async (session) => {
    // A job that chooses it takes the same lock: only now it is certain who did.
    await session.query('select from extraction where id = $1 for update', [id]);
    const { rowCount } = await session.query(
      `update extraction e set removed_at = now() where id = $1 and removed_at is null and not (${needed})`,
      [id],
    );
    return rowCount === 1;
  });
}

/** Of some ids, those of extractions that are kept, and those of which it is noted that they go. */
export async function notedExtractions(
  { pool }: Pick<Store, 'pool'>,
  ids: readonly string[],
): Promise<{ kept: ReadonlySet<string>; removed: ReadonlySet<string> }> {
  const { rows } = await pool.query<{ id: string; removed: boolean }>(
    'select id, removed_at is not null as removed from extraction where id = any($1)',
    [ids],
  );
  const those = (removed: boolean) =>
    new Set(rows.filter((row) => row.removed === removed).map(({ id }) => id));
  return { kept: those(false), removed: those(true) };
}

/** Writes into the audit log that extractions went. */
export async function auditRemoval(
  session: Pool | PoolClient,
  actor: string,
  removed: { readonly before: Date; readonly extractions: readonly string[] },
): Promise<void> {
  await session.query(
    `insert into audit_event (actor, action, subject, detail) values ($1, 'extractions-removed', 'history', $2)`,
    [actor, JSON.stringify(removed)],
  );
}
