/** Begins a reconciliation: writes it down, takes the connector on its connected side, and pins the configuration. */
import type { Configuration } from '../config/configuration.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Mapping } from '../engine/mapping.ts';
import { beginJob, pinConfiguration, reconciliationsBefore } from '../store/job-store.ts';
import { applyModel } from '../store/model-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { itsTurnComes, takeTurn } from './turn.ts';

export interface BeginReconciliationRequest {
  readonly mapping: string;
  /** That of the mapping, as whoever started it knows it. */
  readonly connector: string;
  readonly simulate: boolean;
  readonly trigger: 'schedule' | 'person';
  readonly by: string | null;
  readonly configurationFile: string | null;
}

/** The connector is ours; or another job will do what this one would. */
export type BeginReconciliationInfo =
  | {
      readonly held: true;
      readonly fence: number;
      readonly does: Mapping['does'];
      readonly approvers: readonly string[] | null;
      readonly approvals: number;
    }
  | { readonly held: false; readonly heldBy: string };

/**
 * Takes the connector for the reconciliation of the calling workflow, and waits its turn by failing with
 * `ConnectorBusy`, to be retried. One that finds another of its mapping waiting has nothing to do: that one will see the
 * same.
 *
 * @throws LockstepError `NotFound` when there is no such mapping; `ConnectorDisabled`, `ConfigurationInvalid`
 */
export async function beginReconciliation(
  dependencies: ActivityDependencies,
  {
    mapping: name,
    connector,
    simulate,
    trigger,
    by,
    configurationFile,
  }: BeginReconciliationRequest,
): Promise<BeginReconciliationInfo> {
  const { store, configurations, workflows, log } = dependencies;
  const { jobId, runId } = currentJob();
  await beginJob(store, {
    id: jobId,
    runId,
    connector,
    mode: 'complete',
    task: 'reconcile',
    simulated: simulate,
    trigger,
    requestedBy: by,
    rollbackOf: null,
    mapping: name,
  });
  const lease = await takeTurn(dependencies, connector, jobId);
  if (!lease.held) {
    const heldBy = lease.holder ?? lease.waiting ?? 'another job';
    for (const before of simulate ? [] : await reconciliationsBefore(store, name, jobId)) {
      if (await workflows.isOpen(before)) return { held: false, heldBy: before };
    }
    throw itsTurnComes(connector, heldBy);
  }
  const { configuration, source } = await configurations.read(configurationFile ?? undefined);
  const mapping = requireMapping(configuration, name, connector);
  const settings = configuration.connectors.get(connector);
  if (!settings?.enabled) {
    throw new LockstepError('ConnectorDisabled', `connector ${connector} is disabled`);
  }
  await pinConfiguration(store, jobId, source);
  // A simulation sees its model by itself: the store stays as it is.
  if (!simulate) await applyModel(store, configuration);
  log.info({ job: jobId, connector, mapping: name, fence: lease.fence }, 'reconciliation began');
  return {
    held: true,
    fence: lease.fence,
    does: mapping.does,
    approvers: settings.approvers ?? null,
    approvals: settings.approvals,
  };
}

function requireMapping(configuration: Configuration, name: string, connector: string): Mapping {
  const mapping = configuration.mappings.get(name);
  if (!mapping) throw new LockstepError('NotFound', `lockstep.yaml has no mapping ${name}`);
  if (mapping.connector !== connector) {
    throw new LockstepError(
      'ConfigurationInvalid',
      `mapping ${name} is of connector ${mapping.connector} now, and was of ${connector} when the job was started`,
      { hint: 'Start it again.' },
    );
  }
  return mapping;
}
