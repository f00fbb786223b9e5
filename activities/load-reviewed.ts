/** Loads the delta that passed the gate. */
import { cancellationSignal } from '@temporalio/activity';
import { readManifest, verifyExtraction } from '../connectors/extraction.ts';
import { type LoadOutcome, loadDelta } from '../store/delta-load.ts';
import { recordStep, wasApplied } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface LoadReviewedRequest {
  readonly connector: string;
  readonly fence: number;
  readonly extraction: string;
  /** Digest of the delta that passed. */
  readonly digest: string;
  /** False when the delta goes straight from its preparation to its load. */
  readonly reviewed?: boolean;
}

/**
 * Applies the delta in one transaction. One that a person reviewed is not applied when the extraction it came from was
 * touched since.
 *
 * @returns `stale` when the store moved since the delta was prepared: nothing was written.
 */
export async function loadReviewed(
  { store, extractions, log }: ActivityDependencies,
  { connector, fence, extraction, digest, reviewed = true }: LoadReviewedRequest,
): Promise<LoadOutcome> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'load', 'running');
  // A workflow that was reset may come here again when its connector and its extraction are long gone.
  const outcome = (await wasApplied(store, jobId, digest)) ? 'applied' : await load();
  await recordStep(store, jobId, 'load', outcome === 'applied' ? 'succeeded' : 'skipped');
  log.info({ job: jobId, outcome }, 'loaded');
  return outcome;

  async function load(): Promise<LoadOutcome> {
    if (reviewed) {
      const manifest = await readManifest(extractions, extraction);
      await verifyExtraction(extractions, manifest, cancellationSignal());
    }
    return await loadDelta(store, { jobId, connector, fence, digest });
  }
}
