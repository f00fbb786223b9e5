/** The delta that a job has applied, and whether all of its changes are still kept: what a rollback is prepared from. */
import type { Pool, PoolClient } from 'pg';
import { LockstepError } from '../../engine/errors.ts';

/** The delta of a job that can be taken back. */
export interface AppliedDelta {
  readonly id: bigint;
  readonly connector: string;
}

/**
 * Finds the delta that a job has applied.
 *
 * @throws LockstepError `NotFound` when there is no such job, `NothingToRollBack` when it changed nothing,
 * `ChangesPurged` when its changes are not all kept any more
 */
export async function requireAppliedDelta(
  session: Pool | PoolClient,
  jobId: string,
): Promise<AppliedDelta> {
  const { rows } = await session.query<{
    connector: string;
    state: string;
    simulated: boolean;
    id: string | null;
    planned: number;
    provisioned: boolean;
  }>(
    `select j.connector, j.state, j.simulated, d.id,
       exists (select from provisioning p join delta w on w.id = p.delta_id where w.job_id = j.id) as provisioned, (
       select coalesce(sum(value::int), 0)::int from jsonb_each_text(d.counts)
       where key in ('inserted', 'updated', 'deleted', 'linksInserted', 'linksUpdated', 'linksDeleted')) as planned
     from job j left join delta d on d.job_id = j.id and d.applied_at is not null
     where j.id = $1 order by d.id desc limit 1`,
    [jobId],
  );
  const [found] = rows;
  if (!found) {
    throw new LockstepError('NotFound', `There is no job “${jobId}”`, {
      hint: 'See `lockstep jobs` for the jobs there are.',
    });
  }
  const { connector, id, planned, provisioned, simulated, state } = found;
  // Its inverse would change the mirror, and not the connected system.
  if (provisioned) {
    throw new LockstepError('NothingToRollBack', `${jobId} wrote to a connected system`, {
      hint: 'Take back what the mapping was made from, and reconcile: the connected system follows.',
    });
  }
  if (id === null) {
    const why = simulated ? 'was simulated' : `is ${state}`;
    throw new LockstepError('NothingToRollBack', `${jobId} ${why}: it wrote nothing`);
  }
  if (planned === 0) {
    throw new LockstepError('NothingToRollBack', `${jobId} found everything up to date`);
  }
  const kept = await session.query<{ count: string }>(
    `select (select count(*) from resource_change where delta_id = $1)
       + (select count(*) from link_change where delta_id = $1) as count`,
    [id],
  );
  // A purge that was interrupted leaves some of them.
  if (Number(kept.rows[0]?.count) < planned) {
    throw new LockstepError('ChangesPurged', `the changes of ${jobId} are not kept any more`);
  }
  return { id: BigInt(id), connector };
}
