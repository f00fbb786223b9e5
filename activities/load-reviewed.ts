/** Loads the delta that passed the gate. */
import { type LoadOutcome, loadDelta } from '../store/delta-load.ts';
import { recordStep, wasApplied } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { untouchedExtraction } from './untouched-extraction.ts';

export interface LoadReviewedRequest {
  readonly connector: string;
  readonly fence: number;
  /** Null for a rollback. */
  readonly extraction: string | null;
  /** Digest of the delta that passed. */
  readonly digest: string;
  /** False when the delta goes straight from its preparation to its load. */
  readonly reviewed?: boolean;
  /** The extraction was made by an earlier job. */
  readonly kept?: boolean;
}

/**
 * Applies the delta in one transaction, unless the extraction it came from was touched since. Where there was time for
 * that (a person reviewed the delta, or an earlier job left the extraction), every byte is looked at once more.
 *
 * @returns `stale` when the store moved since the delta was prepared: nothing was written.
 */
export async function loadReviewed(
  { store, extractions, log }: ActivityDependencies,
  { connector, fence, extraction, digest, reviewed = true, kept = false }: LoadReviewedRequest,
): Promise<LoadOutcome> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'load', 'running');
  // A workflow that was reset may come here again when its connector and its extraction are long gone.
  const outcome = (await wasApplied(store, jobId, digest)) ? 'applied' : await load();
  await recordStep(store, jobId, 'load', outcome === 'applied' ? 'succeeded' : 'skipped');
  log.info({ job: jobId, outcome }, 'loaded');
  return outcome;

  async function load(): Promise<LoadOutcome> {
    if (extraction !== null) {
      const thoroughly = reviewed || kept;
      await untouchedExtraction({ store, extractions }, extraction, { thoroughly });
    }
    return await loadDelta(store, { jobId, connector, fence, digest });
  }
}
