/** Which job of a connector was loaded last. */
import type { Store } from './database.ts';

/** A load: its job, and the extraction its delta was prepared from. */
export interface LastLoad {
  readonly jobId: string;
  readonly extraction: string;
}

/** The last load of a complete extraction of a connector that was not rolled back; undefined before the first one. */
export async function lastLoad({ pool }: Store, connector: string): Promise<LastLoad | undefined> {
  const { rows } = await pool.query<LastLoad>(
    `select j.id as "jobId", d.extraction from delta d join job j on j.id = d.job_id
     where j.connector = $1 and j.mode = 'complete' and d.applied_at is not null and d.extraction is not null
       and not exists (select from job b join delta u on u.job_id = b.id and u.applied_at is not null
                       where b.rollback_of = j.id)
     order by d.applied_at desc limit 1`,
    [connector],
  );
  return rows[0];
}
