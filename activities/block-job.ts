/** Notes that a job waits at the gate, and says so in the log. */
import type { JobError } from '../engine/job.ts';
import type { Breach } from '../engine/threshold.ts';
import { recordBlocked } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Marks the job of the calling workflow as blocked; each breach is one line **Threshold Exceeded** in the log. */
export async function blockJob(
  { store, log }: ActivityDependencies,
  request: { readonly breaches: readonly Breach[]; readonly error: JobError | null },
): Promise<void> {
  const { jobId } = currentJob();
  await recordBlocked(store, jobId, request.error);
  for (const breach of request.breaches) log.warn({ job: jobId, ...breach }, 'Threshold Exceeded');
}
