/** Loads the delta of an edit that passed the gate. */
import { localAuthority } from '../engine/managed-type.ts';
import { type LoadOutcome, loadDelta } from '../store/delta-load.ts';
import { recordStep, wasApplied } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * Applies the delta of an edit in one transaction, once.
 *
 * @returns `stale` when the store moved since it was prepared: nothing was written
 */
export async function loadEdit(
  { store, log }: ActivityDependencies,
  { digest }: { readonly digest: string },
): Promise<LoadOutcome> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'load', 'running');
  // A workflow that was reset may come here again when the job has long ended.
  const outcome = (await wasApplied(store, jobId, digest))
    ? 'applied'
    : await loadDelta(store, { jobId, connector: localAuthority, fence: null, digest });
  await recordStep(store, jobId, 'load', outcome === 'applied' ? 'succeeded' : 'skipped');
  log.info({ job: jobId, outcome }, 'edit loaded');
  return outcome;
}
