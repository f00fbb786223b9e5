/** Begins the job of a person's edit: writes it down with who started it, and pins the configuration it will run with. */
import { localAuthority } from '../engine/managed-type.ts';
import { beginJob, pinConfiguration } from '../store/job-store.ts';
import { applyModel } from '../store/model-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface BeginEditRequest {
  readonly configurationFile: string | null;
  /** Stop at the gate. */
  readonly simulate: boolean;
  /** Id of the edit that is taken back. */
  readonly rollbackOf: string | null;
}

/**
 * Begins the job of the calling workflow. Who edits is read back from Temporal's history: what the request claims is only
 * a claim. An edit takes no lease: nobody waits for one that is held at the gate.
 */
export async function beginEdit(
  { store, configurations, workflows, log }: ActivityDependencies,
  { configurationFile, simulate, rollbackOf }: BeginEditRequest,
): Promise<void> {
  const { jobId, runId } = currentJob();
  const { principal, identity } = await workflows.starterOf(jobId, runId);
  await beginJob(store, {
    id: jobId,
    runId,
    connector: localAuthority,
    mode: 'complete',
    task: 'edit',
    simulated: simulate,
    trigger: 'person',
    requestedBy: principal ?? identity,
    rollbackOf,
  });
  const { configuration, source } = await configurations.read(configurationFile ?? undefined);
  await pinConfiguration(store, jobId, source);
  // A simulation sees its model by itself: the store stays as it is.
  if (!simulate) await applyModel(store, configuration);
  log.info({ job: jobId }, 'edit began');
}
