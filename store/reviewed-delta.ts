/** The delta that passed the gate, found again and checked before anything of it is applied. */
import type { PoolClient } from 'pg';
import { LockstepError } from '../engine/errors.ts';
import { digestOf, type PlannedRows, plannedBookkeeping, plannedChanges } from './delta-digest.ts';

/** A delta of a job that may be applied. */
export interface ReviewedDelta {
  readonly id: bigint;
  /** By an earlier attempt. */
  readonly applied: boolean;
  /** What was planned in tables of its own. */
  readonly sealed: readonly PlannedRows[];
}

/**
 * The job's delta of this digest, locked for the rest of the transaction; undefined when there is none.
 *
 * @throws LockstepError `InternalError` when it is simulated, or breached a limit and nobody resumed it: the gate's
 * second lock.
 */
export async function reviewedDelta(
  session: PoolClient,
  { jobId, digest }: { readonly jobId: string; readonly digest: string },
): Promise<ReviewedDelta | undefined> {
  const { rows } = await session.query<{
    id: string;
    sealed: PlannedRows[];
    applied: boolean;
    breached: boolean;
    resumed: boolean;
    simulated: boolean;
  }>(
    `select d.id, d.sealed, d.applied_at is not null as applied, jsonb_array_length(d.breaches) > 0 as breached,
       exists (select from decision where job_id = $1 and delta = d.digest
               and action = 'resume' and effect = 'applied') as resumed,
       (select simulated from job where id = $1) as simulated
     from delta d where d.job_id = $1 and d.digest = $2 order by d.id desc limit 1 for update of d`,
    [jobId, digest],
  );
  const found = rows[0];
  if (!found) return undefined;
  if (found.simulated) {
    throw new LockstepError('InternalError', 'a simulated delta came to the load');
  }
  if (found.breached && !found.resumed) {
    throw new LockstepError(
      'InternalError',
      'a delta that breaches a limit came to the load without a decision',
    );
  }
  return { id: BigInt(found.id), applied: found.applied, sealed: found.sealed };
}

/** What the delta plans; undefined when that is no longer what the digest was made of. */
export async function plannedAsReviewed(
  session: PoolClient,
  { id, sealed }: ReviewedDelta,
  digest: string,
): Promise<PlannedRows[] | undefined> {
  const planned = [
    ...(await plannedChanges(session, id)),
    ...(await plannedBookkeeping(session, id)),
    ...sealed,
  ];
  return digestOf(id, planned) === digest ? planned : undefined;
}
