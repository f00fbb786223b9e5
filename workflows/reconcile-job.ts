/** One reconciliation of one mapping: prepare, gate, and load into the store or provision to the connected system. */
import type { JobState } from '../engine/job.ts';
import {
  beginReconciliation,
  loadDelta,
  prepareReconciliation,
  provisionDelta,
} from './activity-proxies.ts';
import { Job, runToItsEnd } from './job.ts';
import type { ReconcileJobRequest, SyncJobResult } from './messages.ts';

/**
 * Assesses the situation of every resource on both sides of a mapping, and does what follows from it.
 *
 * Ends as a {@link syncJob} does. Of one that provisions, what is written stays written, whatever ends it.
 */
export async function reconcileJob(request: ReconcileJobRequest): Promise<SyncJobResult> {
  const { mapping, connector, simulate = false, configurationFile } = request;
  const job = new Job({ connector, task: 'reconcile', mapping, configurationFile });
  return await runToItsEnd(job, async (): Promise<JobState> => {
    const begun = await beginReconciliation({
      mapping,
      connector,
      simulate,
      trigger: request.trigger ?? 'person',
      by: request.by ?? null,
      configurationFile: configurationFile ?? null,
    });
    if (!begun.held) {
      job.note(`skipped: ${begun.heldBy} waits to do the same`);
      return 'skipped';
    }
    job.approvers = begun.approvers;
    job.approvals = begun.approvals;
    const { fence, does } = begun;
    const prepare = () => prepareReconciliation({ mapping, connector });

    job.enter('prepare');
    job.review(await prepare());
    if (simulate) return 'succeeded';

    return await job.throughTheGate(does, prepare, async (reviewed) => {
      const passed = { connector, fence, digest: job.digest };
      if (does === 'load') return await loadDelta({ ...passed, extraction: null, reviewed });
      const { outcome, ...written } = await provisionDelta(passed);
      if (outcome === 'applied') job.noteProvisioned(written);
      return outcome;
    });
  });
}
