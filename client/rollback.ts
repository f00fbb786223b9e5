/** Taking back what a job has changed: one more job, prepared from the changes of that one. */
import { LockstepError } from '../engine/errors.ts';
import type { JobDocument } from '../engine/job.ts';
import { requireAppliedDelta } from '../store/queries/applied-delta.ts';
import { jobState } from '../store/queries/job-document.ts';
import { viewJob } from './job-view.ts';
import { type RunOptions, refuseIfBlocked, requireConnector, startJob } from './run.ts';
import type { Session } from './session.ts';
import { waitForJob } from './wait.ts';

/** How to take a job back. */
export type RollbackOptions = Omit<RunOptions, 'mode'>;

/**
 * Runs the rollback of a job; resolves when it ended or blocked, or at once without `wait`.
 *
 * @throws LockstepError `NotFound`, `NothingToRollBack`, `ChangesPurged`, `ConnectorBusy`, before anything is started.
 */
export async function rollBackJob(
  session: Session,
  id: string,
  options: RollbackOptions,
): Promise<JobDocument> {
  const { wait = true } = options;
  const { connector } = await requireRollback(session, id);
  await requireConnector(session, connector);
  if (wait) await refuseIfBlocked(session, connector);
  const job = await startJob(session, connector, { ...options, mode: 'complete', rollbackOf: id });
  options.onStart?.(job);
  return wait ? await waitForJob(session, job, options) : (await viewJob(session, job)).document;
}

async function requireRollback(session: Session, id: string) {
  const store = await session.store();
  // A job that is not in the store yet, or whose name is misspelt: there are better words for it.
  if ((await jobState(store, id)) === undefined) {
    const { document } = await viewJob(session, id);
    throw new LockstepError('NothingToRollBack', `${id} is ${document.state}: it wrote nothing`);
  }
  return await requireAppliedDelta(store.pool, id);
}
