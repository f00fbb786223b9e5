// What the store says of jobs, read by plain SQL, so that no code under test is believed.

import type { Pool } from 'pg';
import type { Counts } from '../../engine/counts.ts';
import type { JobState } from '../../engine/job.ts';
import type { Person } from './people.ts';

/** A job with all that hangs on it. */
export interface JobFacts {
  readonly state: JobState;
  readonly ended: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly extraction: string | null;
  readonly steps: Readonly<Record<string, string>>;
  readonly deltas: readonly { digest: string; applied: boolean; counts: Counts }[];
  readonly decisions: readonly DecisionFacts[];
  /** Actions of the audit log about this job or by it, in order. */
  readonly audit: readonly string[];
}

export interface DecisionFacts {
  readonly action: string;
  readonly via: string;
  readonly effect: string;
  readonly why: string | null;
  readonly claimedBy: string | null;
  readonly identity: string | null;
  readonly reason: string | null;
}

/** Undefined while the job has not begun. */
export async function readJob(pool: Pool, jobId: string): Promise<JobFacts | undefined> {
  const { rows } = await pool.query<JobFacts>(
    `select state, ended_at is not null as ended, error, extraction,
       (select coalesce(jsonb_object_agg(name, state), '{}') from job_step where job_id = job.id) as steps,
       (select coalesce(jsonb_agg(jsonb_build_object('digest', digest, 'applied', applied_at is not null,
          'counts', counts) order by id), '[]') from delta where job_id = job.id) as deltas,
       (select coalesce(jsonb_agg(jsonb_build_object('action', action, 'via', via, 'effect', effect, 'why', why,
          'claimedBy', claimed_by, 'identity', identity, 'reason', reason) order by id), '[]')
        from decision where job_id = job.id) as decisions,
       (select coalesce(jsonb_agg(action order by id), '[]') from audit_event where subject = job.id) as audit
     from job where id = $1`,
    [jobId],
  );
  return rows[0];
}

/** The people of a connector as the store has them, in the form of `somePeople`. */
export async function readPeople(pool: Pool, connector: string): Promise<Person[]> {
  const { rows } = await pool.query<Person>(
    `select login, name, hired::text, team,
       array(select m.${connector}_team from views.${connector}_member m
             where m.${connector}_person = p.login order by 1) as groups
     from views.${connector}_person p order by login collate "C"`,
  );
  return rows;
}

/** How often each resource of a connector was changed, by the deltas that were applied: key → kinds of change. */
export async function readAppliedChanges(
  pool: Pool,
  connector: string,
): Promise<Record<string, string[]>> {
  const { rows } = await pool.query<{ key: string; changes: string[] }>(
    `select c.key, array_agg(c.change order by c.delta_id) as changes
     from resource_change c join delta d on d.id = c.delta_id and d.applied_at is not null
     join entity_type t on t.id = c.entity_type_id and t.name = $1 group by c.key`,
    [`${connector}_person`],
  );
  return Object.fromEntries(rows.map(({ key, changes }) => [key, changes]));
}

/** Links whose ends are not there, deltas that ended jobs left unapplied though they were to be, leases not free. */
export async function readLeftovers(pool: Pool, connector: string) {
  const { rows } = await pool.query<{ dangling: number; held: number; open: number }>(
    `select
       (select count(*)::int from link l where not exists (select from resource r where r.id = l.from_id)
          or not exists (select from resource r where r.id = l.to_id)) as dangling,
       (select count(*)::int from lease where connector = $1 and (holder is not null or waiting is not null)) as held,
       (select count(*)::int from job where connector = $1 and ended_at is null)
         + (select count(*)::int from job_step s join job j on j.id = s.job_id
            where j.connector = $1 and s.ended_at is null) as open`,
    [connector],
  );
  return rows[0];
}
