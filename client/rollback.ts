/** Taking back what a job has changed: one more job, prepared from the changes of that one. */
import { LockstepError } from '../engine/errors.ts';
import type { JobDocument } from '../engine/job.ts';
import { localAuthority } from '../engine/managed-type.ts';
import { requireAppliedDelta } from '../store/queries/applied-delta.ts';
import { jobState } from '../store/queries/job-document.ts';
import { manualJobId } from '../workflows/identifiers.ts';
import { startEditJob } from './edit-job.ts';
import { viewJob } from './job-view.ts';
import {
  type RunOptions,
  randomSuffix,
  refuseIfBlocked,
  requireConnector,
  startJob,
} from './run.ts';
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
  const job =
    connector === localAuthority
      ? await startEditRollback(session, id, options)
      : await startRollback(session, connector, id, options);
  options.onStart?.(job);
  return wait ? await waitForJob(session, job, options) : (await viewJob(session, job)).document;
}

async function startRollback(
  session: Session,
  connector: string,
  id: string,
  options: RollbackOptions,
): Promise<string> {
  await requireConnector(session, connector);
  if (options.wait ?? true) await refuseIfBlocked(session, connector);
  return await startJob(session, connector, { ...options, mode: 'complete', rollbackOf: id });
}

/** An edit holds no connector, and so does its rollback. */
async function startEditRollback(
  session: Session,
  rollbackOf: string,
  { simulate = false }: RollbackOptions,
): Promise<string> {
  const job = manualJobId(localAuthority, 'rollback', new Date(), randomSuffix());
  const words = `rollback of ${rollbackOf}${simulate ? ', simulated' : ''}`;
  await startEditJob(session, job, { rollbackOf, ...(simulate && { simulate }) }, words);
  return job;
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
