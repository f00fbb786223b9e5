/** Begins a job: writes it down, takes its connector, and pins the configuration it will run with. */
import { ApplicationFailure, activityInfo } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { withoutIncremental } from '../engine/connector-kind.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Mode, Task } from '../engine/job.ts';
import { beginJob, endJob, pinConfiguration } from '../store/job-store.ts';
import { clearLease, takeLease, waitForLease } from '../store/lease-store.ts';
import { applyModel } from '../store/model-store.ts';
import { type ChosenExtraction, chosenExtraction } from './chosen-extraction.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { mappedSources } from './export-source.ts';

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
  { store, configurations, workflows, log }: ActivityDependencies,
  request: BeginRequest,
): Promise<BeginInfo> {
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
  const lease = await takeFromTheDead();
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

  /** Whoever holds the lease or waits for it must be open in Temporal; a terminated job could not clean up. */
  async function takeFromTheDead() {
    for (;;) {
      const answer = await takeLease(store, connector, jobId);
      if (answer.held) return answer;
      const others = [answer.holder, answer.waiting].filter(
        (id) => id !== null && id !== jobId,
      ) as string[];
      const dead: string[] = [];
      for (const other of others) if (!(await workflows.isOpen(other))) dead.push(other);
      if (dead.length === 0) return answer;
      for (const other of dead) {
        await clearLease(store, connector, other);
        await endTerminated(other);
        log.warn(
          { connector, job: other },
          'took the connector from a job that is closed in Temporal',
        );
      }
    }
  }

  async function endTerminated(other: string): Promise<void> {
    const row = await store.prisma.job.findUnique({
      where: { id: other },
      select: { endedAt: true },
    });
    if (row === null || row.endedAt !== null) return;
    const error = new LockstepError('JobTerminated', 'the workflow was terminated in Temporal');
    const { code, message, hint } = error;
    await endJob(store, other, { state: 'failed', error: { code, message, hint } });
  }
}

function itsTurnComes(connector: string, heldBy: string): ApplicationFailure {
  const { attempt } = activityInfo();
  return ApplicationFailure.create({
    type: 'ConnectorBusy',
    message: `connector ${connector} is held by ${heldBy}; this job is next`,
    details: [
      {
        hint: `Wait for it, or decide on it: lockstep resume ${heldBy} or lockstep abort ${heldBy}.`,
      },
    ],
    nextRetryDelay: Math.min(500 * 2 ** Math.min(attempt, 10), 10_000),
    // Waiting is no failure: it stays out of the worker's error metrics and logs.
    category: ApplicationFailureCategory.BENIGN,
  });
}
