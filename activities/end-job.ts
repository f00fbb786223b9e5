/** Ends a job: writes its outcome and gives its connector back. */
import type { JobError, JobState } from '../engine/job.ts';
import { endJob, hasRejects } from '../store/job-store.ts';
import { clearLease } from '../store/lease-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface EndRequest {
  readonly connector: string;
  readonly state: JobState;
  readonly error: JobError | null;
}

/** Ends the job of the calling workflow; a success becomes `succeeded-with-rejects` when it has any. */
export async function conclude(
  { store, log }: ActivityDependencies,
  { connector, state, error }: EndRequest,
): Promise<JobState> {
  const { jobId } = currentJob();
  const outcome =
    state === 'succeeded' && (await hasRejects(store, jobId)) ? 'succeeded-with-rejects' : state;
  await endJob(store, jobId, outcome, error);
  await clearLease(store, connector, jobId);
  log.info({ job: jobId, state: outcome, code: error?.code }, 'job ended');
  return outcome;
}
