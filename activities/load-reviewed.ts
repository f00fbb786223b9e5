/** Loads the delta that passed the gate. */
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { readManifest, verifyExtraction } from '../connectors/extraction.ts';
import { type LoadOutcome, loadDelta } from '../store/delta-load.ts';
import { recordStep } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface LoadReviewedRequest {
  readonly connector: string;
  readonly fence: number;
  readonly extraction: string;
  /** Digest of the delta that passed. */
  readonly digest: string;
}

/**
 * Applies the delta in one transaction, after checking that the extraction it came from is untouched.
 *
 * @returns `stale` when the store moved since the delta was prepared: nothing was written.
 */
export async function loadReviewed(
  { store, extractions, log }: ActivityDependencies,
  { connector, fence, extraction, digest }: LoadReviewedRequest,
): Promise<LoadOutcome> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'load', 'running');
  const pulse = setInterval(() => heartbeat(), 1000);
  try {
    await verifyExtraction(
      extractions,
      await readManifest(extractions, extraction),
      cancellationSignal(),
    );
    const outcome = await loadDelta(store, { jobId, connector, fence, digest });
    await recordStep(store, jobId, 'load', outcome === 'applied' ? 'succeeded' : 'failed');
    log.info({ job: jobId, outcome }, 'loaded');
    return outcome;
  } finally {
    clearInterval(pulse);
  }
}
