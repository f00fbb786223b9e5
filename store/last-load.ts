/** Which job of a connector was loaded last. */
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
export async function lastLoad({ pool }: Store, connector: string): Promise<LastLoad | undefined> {
  const { rows } = await pool.query<LastLoad>(
    `select j.id as "jobId", d.extraction from delta d join job j on j.id = d.job_id
     where j.connector = $1 and j.mode = 'complete' and d.extraction is not null and ${wasLoaded}
     order by d.id desc limit 1`,
    [connector],
  );
  return rows[0];
}
