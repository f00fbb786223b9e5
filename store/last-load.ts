/** Which job of a connector was loaded last, as what the next one is held against. */
import type { Store } from './database.ts';
import { wasLoaded } from './loaded-delta.ts';

/** A load: its job, and the extraction its delta was prepared from. */
export interface LastLoad {
  readonly jobId: string;
  readonly extraction: string;
}

/**
 * The last load of a complete extraction of a connector, or the last job that found nothing to load: what it read is what
 * is stored. One that was rolled back does not count. Undefined before the first one.
 */
export async function lastLoad(
  { pool }: Pick<Store, 'pool'>,
  connector: string,
): Promise<LastLoad | undefined> {
  const { rows } = await pool.query<LastLoad>(
    `select j.id as "jobId", d.extraction
     from delta d join job j on j.id = d.job_id left join extraction e on e.id = d.extraction
     where j.connector = $1 and coalesce(e.mode, j.mode) = 'complete' and d.extraction is not null and ${wasLoaded}
     order by d.id desc limit 1`,
    [connector],
  );
  return rows[0];
}

/** Whether an extraction holds everything, or only what changed. One that was never written down holds everything. */
export async function isComplete(
  { pool }: Pick<Store, 'pool'>,
  extraction: string,
): Promise<boolean> {
  const { rows } = await pool.query<{ mode: string }>('select mode from extraction where id = $1', [
    extraction,
  ]);
  return rows[0]?.mode !== 'incremental';
}
