/** One job of one connector: export (or a job to take back), prepare, gate, load. READ THIS FIRST. */
import type { SyncActivities } from '../activities/index.ts';
import type { Mode } from '../engine/job.ts';
import {
  beginJob,
  exportSource,
  loadDelta,
  prepareDelta,
  prepareRollback,
} from './activity-proxies.ts';
import { Job, runToItsEnd } from './job.ts';
import type { SyncJobRequest, SyncJobResult } from './messages.ts';

type Lease = Awaited<ReturnType<SyncActivities['beginJob']>>;
type KeptExtraction = NonNullable<Extract<Lease, { held: true }>['kept']>;

/**
 * Synchronises one connected system into the identity store.
 *
 * Returns when the job succeeded, was skipped, aborted or only simulated; fails, with the code of the error as its
 * type, when it could not be done. The store is then as before.
 */
export async function syncJob(request: SyncJobRequest): Promise<SyncJobResult> {
  const { connector, mode, task = 'all', simulate = false, rollbackOf } = request;
  const { configurationFile } = request;
  const job = new Job({ connector, task, rollbackOf, configurationFile });
  return await runToItsEnd(job, async () => {
    const lease = await beginJob({
      connector,
      mode,
      task,
      extraction: request.extraction ?? null,
      simulate,
      trigger: request.trigger ?? 'person',
      by: request.by ?? null,
      configurationFile: request.configurationFile ?? null,
      rollbackOf: rollbackOf ?? null,
    });
    if (!lease.held) {
      job.note(`skipped: the connector is held by ${lease.heldBy}`);
      return 'skipped';
    }
    job.approvers = lease.approvers;
    job.approvals = lease.approvals ?? 1;
    if (lease.kept) noteChoice(job, lease.kept);

    const { place, prepare } = await sourceOf(job, request, lease.kept);
    if (task === 'export') return 'succeeded';

    job.enter('prepare');
    job.review(await prepare());
    if (simulate || task === 'prepare') return 'succeeded';

    return await job.throughTheGate('load', prepare, async (reviewed) => {
      const passed = { connector, ...place, fence: lease.fence, digest: job.digest, reviewed };
      return await loadDelta(passed);
    });
  });
}

/** Where the changes come from: an extraction, kept or made first; or what another job has changed. */
async function sourceOf(
  job: Job,
  { connector, mode, rollbackOf }: SyncJobRequest,
  chosen: KeptExtraction | null | undefined,
) {
  if (rollbackOf !== undefined) {
    // Nobody knows how large it is.
    const place = { extraction: null, bytes: null, kept: false };
    const undone = { connector, rollbackOf, bytes: null };
    return { place, prepare: () => prepareRollback(undone) };
  }
  const { extraction, bytes, kept } = chosen ?? (await newExtraction(job, { connector, mode }));
  const place = { extraction, bytes, kept };
  return { place, prepare: () => prepareDelta({ connector, ...place }) };
}

/** Leaves an extraction of the connected system as it is now. */
async function newExtraction(job: Job, source: { connector: string; mode: Mode }) {
  job.enter('export');
  const { extraction, bytes } = await exportSource(source);
  return { extraction, bytes, kept: false };
}

/** Says which extraction was chosen, and whether the store would go back in time with it. */
function noteChoice(job: Job, { extraction, newer }: KeptExtraction): void {
  job.note(`works on the extraction ${extraction}`);
  if (newer !== null) job.note(`goes back in time: the newer ${newer} is loaded already`);
}
