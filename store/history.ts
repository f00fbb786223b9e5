/** Takes old changes out of the history, little by little, so that nobody waits for it. */
import type { Store } from './database.ts';
import { dropFirstChanges } from './first-changes.ts';

/** What was taken out. */
export interface PurgedHistory {
  /** Deltas that have lost their single changes; their counts stay. */
  readonly deltas: number;
  readonly rows: number;
}

/** Rows taken out by one statement, which is a transaction of its own. */
const rowsAtOnce = 20_000;

const tables = [
  'resource_change',
  'link_change',
  'match_change',
  'agreement_change',
  'provisioning',
  'bookkeeping',
] as const;

/**
 * Removes the single changes of every job that ended before a moment, and what people had put down for edits. Jobs, counts, breaches, decisions and the audit
 * log stay. Found and removed by the primary key, batch by batch (the table of a large first load as a whole): it may be interrupted at any time, and run beside jobs.
 */
export async function purgeHistory(
  { pool }: Store,
  before: Date,
  batch: number = rowsAtOnce,
): Promise<PurgedHistory> {
  const { rows: old } = await pool.query<{ id: string }>(
    `select d.id from delta d join job j on j.id = d.job_id where j.ended_at < $1 and (d.sealed <> '[]' or
       ${tables.map((table) => `exists (select from only ${table} where delta_id = d.id)`).join(' or ')})
     order by d.id`,
    [before],
  );
  let rows = 0;
  for (const { id } of old) {
    rows += await dropFirstChanges(pool, id);
    for (const table of tables) {
      for (let removed = batch; removed === batch; rows += removed) {
        const { rowCount } = await pool.query(
          `delete from only ${table} where ctid = any (array(select ctid from only ${table} where delta_id = $1 limit $2))`,
          [id, batch],
        );
        removed = rowCount ?? 0;
      }
    }
  }
  // Also those that no job ever began.
  const requests = await pool.query(
    `delete from edit_request e where requested_at < $1 and not exists (
       select from job j where j.id = e.id and (j.ended_at is null or j.ended_at >= $1))`,
    [before],
  );
  rows += requests.rowCount ?? 0;
  if (old.length > 0) {
    await pool.query(
      `insert into audit_event (actor, action, subject, detail) values (session_user, 'history-purged', 'history', $1)`,
      [JSON.stringify({ before, deltas: old.length, rows })],
    );
  }
  return { deltas: old.length, rows };
}
