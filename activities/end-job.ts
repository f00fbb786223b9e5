/** Ends a job: writes its outcome and gives its connector back. */
import type { JobError, JobState } from '../engine/job.ts';
import { endJob, wasApplied } from '../store/job-store.ts';
import { clearLease } from '../store/lease-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { type FollowUp, followUpsOf } from './follow-ups.ts';

export interface EndRequest {
  readonly connector: string;
  readonly state: JobState;
  readonly error: JobError | null;
  /** Digest of the delta whose load had begun. */
  readonly loading?: string | null;
  /** The delta that passed was empty, so it was not loaded. */
  readonly loadSkipped?: boolean;
}

export interface EndInfo {
  readonly state: JobState;
  /** The mappings whose source it has changed. */
  readonly followUps: readonly FollowUp[];
}

/**
 * Ends the job of the calling workflow; a success becomes `succeeded-with-rejects` when it has any.
 *
 * A job whose delta was applied has succeeded, whatever came after: a worker that died between the commit and its
 * report, and a cancellation or too many deaths on top of it, must not make history say that nothing was written.
 */
export async function conclude(
  dependencies: ActivityDependencies,
  { connector, state, error, loading, loadSkipped }: EndRequest,
): Promise<EndInfo> {
  const { store, log } = dependencies;
  const { jobId } = currentJob();
  const applied = state === 'succeeded' || (loading && (await wasApplied(store, jobId, loading)));
  const outcome = await endJob(store, jobId, {
    state: applied ? 'succeeded' : state,
    error: applied ? null : error,
    loadSkipped: loadSkipped ?? false,
  });
  await clearLease(store, connector, jobId);
  log.info({ job: jobId, state: outcome, code: error?.code }, 'job ended');
  return { state: outcome, followUps: applied ? await followUpsOf(dependencies, jobId) : [] };
}
