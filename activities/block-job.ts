/** Notes that a job waits at the gate, and says so in the log. */
import { describeFinding, type Finding } from '../engine/diagnosis/diagnosis.ts';
import type { JobError } from '../engine/job.ts';
import type { Breach } from '../engine/threshold.ts';
import { recordBlocked } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** Marks the job of the calling workflow as blocked; each breach is one line **Threshold Exceeded** in the log. */
export async function blockJob(
  { store, log }: ActivityDependencies,
  request: {
    readonly breaches: readonly Breach[];
    /** Likely causes; absent where an older workflow calls. */
    readonly diagnoses?: readonly Finding[];
    readonly error: JobError | null;
  },
): Promise<void> {
  const { jobId } = currentJob();
  await recordBlocked(store, jobId, request.error);
  for (const breach of request.breaches) {
    const causes = (request.diagnoses ?? [])
      .filter(({ scope }) => isAbout(scope, breach.scope))
      .map(describeFinding);
    const diagnosis = causes.length > 0 ? { diagnosis: causes } : {};
    log.warn({ job: jobId, ...breach, ...diagnosis }, 'Threshold Exceeded');
  }
}

/** A diagnosis of an entity type is about its references, too. */
function isAbout(diagnosed: string, breached: string): boolean {
  return diagnosed === breached || breached.startsWith(`${diagnosed}.`);
}
