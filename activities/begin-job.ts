/** Begins a job: writes it down, takes its connector, and pins the configuration it will run with. */
import { withoutIncremental } from '../engine/connector-kind.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Mode, Task } from '../engine/job.ts';
import { beginJob, pinConfiguration } from '../store/job-store.ts';
import { waitForLease } from '../store/lease-store.ts';
import { applyModel } from '../store/model-store.ts';
import { type ChosenExtraction, chosenExtraction } from './chosen-extraction.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { mappedSources } from './export-source.ts';
import { itsTurnComes, takeTurn } from './turn.ts';

export interface BeginRequest {
  readonly connector: string;
  readonly mode: Mode;
  readonly simulate: boolean;
  /** Default `all`. */
  readonly task?: Task;
  /** The extraction to work on, or a job that made or used it; the last one by default. */
  readonly extraction?: string | null;
  readonly trigger: 'schedule' | 'person';
  readonly by: string | null;
  readonly configurationFile: string | null;
  /** Id of the job whose changes this one takes back. */
  readonly rollbackOf?: string | null;
}

/** The connector is ours, with the fence of the lease, and the extraction that a task alone works on; or somebody else's, and this job has nothing to do. */
export type BeginInfo =
  | {
      readonly held: true;
      readonly fence: number;
      readonly approvers: readonly string[] | null;
      readonly approvals?: number;
      readonly kept?: ChosenExtraction | null;
    }
  | { readonly held: false; readonly heldBy: string };

/**
 * Takes the connector for the job of the calling workflow.
 *
 * An incremental job that finds it taken has nothing to do: the next one reads the same changes. A complete job waits
 * its turn by failing with `ConnectorBusy`, to be retried; one that finds another waiting already has nothing to do.
 */
export async function begin(
  dependencies: ActivityDependencies,
  request: BeginRequest,
): Promise<BeginInfo> {
  const { store, configurations, log } = dependencies;
  const { jobId, runId } = currentJob();
  const { connector, mode, task = 'all' } = request;
  // Up to the gate and no further is what both mean; an export has nothing to simulate.
  const simulated = task === 'prepare' || (request.simulate && task !== 'export');
  await beginJob(store, {
    id: jobId,
    runId,
    connector,
    mode,
    task,
    simulated,
    trigger: request.trigger,
    requestedBy: request.by,
    rollbackOf: request.rollbackOf ?? null,
  });
  const lease = await takeTurn(dependencies, connector, jobId);
  if (!lease.held) {
    const heldBy = lease.holder ?? lease.waiting ?? 'another job';
    if (mode === 'incremental') return { held: false, heldBy };
    if (!(await waitForLease(store, connector, jobId))) {
      return { held: false, heldBy: lease.waiting ?? heldBy };
    }
    throw itsTurnComes(connector, heldBy);
  }
  const { configuration, source } = await configurations.read(
    request.configurationFile ?? undefined,
  );
  const settings = configuration.connectors.get(connector);
  if (!settings) {
    throw new LockstepError('NotFound', `lockstep.yaml has no connector ${connector}`);
  }
  if (!settings.enabled) {
    throw new LockstepError('ConnectorDisabled', `connector ${connector} is disabled`);
  }
  if (!settings.modes.includes(mode)) {
    throw new LockstepError(
      'IncrementalUnsupported',
      `${connector} is a ${settings.kind} connector, ${withoutIncremental(settings.kind)}`,
    );
  }
  if (!request.rollbackOf && mappedSources(configuration, connector).length === 0) {
    throw new LockstepError(
      'ConfigurationInvalid',
      `no entity type is mapped to connector ${connector}, so there is nothing to export`,
      { hint: `Give lockstep.yaml an entity type with \`connector: ${connector}\`.` },
    );
  }
  const kept = await chosenExtraction(store, jobId, { ...request, task });
  await pinConfiguration(store, jobId, source);
  // A simulation sees its model by itself: the store stays as it is.
  if (!simulated) await applyModel(store, configuration);
  log.info({ job: jobId, connector, mode, task, fence: lease.fence }, 'job began');
  return {
    held: true,
    fence: lease.fence,
    approvers: settings.approvers ?? null,
    approvals: settings.approvals,
    kept,
  };
}
