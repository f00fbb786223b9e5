/** Takes the delta that passed the gate to the connected system, resource by resource, and the mirror along with it. */
import { cancellationSignal } from '@temporalio/activity';
import { createWriter } from '../connectors/registry.ts';
import type { WriteOutcome, Writer } from '../connectors/writer.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Store } from '../store/database.ts';
import { pinnedConfiguration, recordStep } from '../store/job-store.ts';
import { readModel } from '../store/model-store.ts';
import { openProvisioning, type ProvisioningRequest } from '../store/open-provisioning.ts';
import {
  type ProvisioningTally,
  type ProvisioningUnit,
  pendingUnits,
  tallyProvisioning,
} from '../store/provisioning-units.ts';
import {
  endProvisioning,
  provisionedBefore,
  type Settlement,
  settleUnit,
} from '../store/settle-provisioning.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import {
  type PlannedUnit,
  type PlannedWrite,
  type Unwritable,
  WritePlanner,
} from './planned-write.ts';
import type { Report } from './pulse.ts';
import { type TargetType, targetTypes } from './target-model.ts';
import { WrittenResources } from './written-resource.ts';

export interface ProvisionRequest {
  readonly connector: string;
  readonly fence: number;
  /** Digest of the delta that passed. */
  readonly digest: string;
}

/** Numbers of resources. */
export interface ProvisionOutcome {
  /** `stale`: the mirror or the delta moved since it was prepared, and nothing was written. */
  readonly outcome: 'applied' | 'stale';
  readonly applied: number;
  readonly notApplied: number;
  readonly failed: number;
}

/** So many resources are planned at a time. */
const pageSize = 500;

/**
 * Writes what is planned and not written yet. A write that fails stops no other; what is settled stays so, whatever
 * happens to this attempt.
 *
 * @throws LockstepError `TargetUnavailable` when the system as a whole is out of reach: another attempt goes on
 */
export async function provisionDelta(
  { store, configurations, log }: ActivityDependencies,
  { connector, fence, digest }: ProvisionRequest,
  report: Report,
): Promise<ProvisionOutcome> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'provision', 'running');
  // A workflow that was reset may come here again when its connector is long gone.
  const before = await provisionedBefore(store, jobId, digest);
  if (before) return await ended(before);
  const configuration = configurations.parse(await pinnedConfiguration(store, jobId));
  const settings = configuration.connectors.get(connector);
  const writer = settings && createWriter(settings);
  if (settings?.kind !== 'scim' || writer === undefined) {
    throw new LockstepError('ConfigurationInvalid', `connector ${connector} does not write`);
  }
  const types = targetTypes(configuration, connector, await readModel(store, configuration));
  const holders = types.flatMap(({ navigations }) => navigations);
  const request = { jobId, connector, fence, digest };
  const opened = await openProvisioning(store, request, holders);
  if (opened === 'stale') {
    await recordStep(store, jobId, 'provision', 'skipped');
    return { outcome: 'stale', applied: 0, notApplied: 0, failed: 0 };
  }
  const { deltaId, isAgain } = opened;
  const entityTypes = [...configuration.entityTypes.values()];
  await using written = new WrittenResources(store, types, entityTypes);
  const tally = await tallyProvisioning(store, deltaId);
  const progress = new Progress(tally, report);
  const place = { ...request, deltaId };
  const { concurrency } = settings;
  const planner = new WritePlanner(types, isAgain);
  await new Run({ store, writer, types, planner, written, place, concurrency, progress }).all();
  return await ended(await endProvisioning(store, jobId, deltaId));

  async function ended({ applied, notApplied, failed }: ProvisioningTally) {
    await recordStep(store, jobId, 'provision', 'succeeded');
    log.info({ job: jobId, applied, notApplied, failed }, 'provisioned');
    return { outcome: 'applied', applied, notApplied, failed } as const;
  }
}

/** Counts what is settled, for the heartbeat. */
class Progress {
  readonly #report: Report;
  readonly #total: number;
  #done: number;

  constructor({ pending, applied, notApplied, failed }: ProvisioningTally, report: Report) {
    this.#report = report;
    this.#done = applied + notApplied + failed;
    this.#total = pending + this.#done;
    this.#tell();
  }

  add(): void {
    this.#done += 1;
    this.#tell();
  }

  #tell(): void {
    this.#report({ done: this.#done, total: this.#total, unit: 'resources' });
  }
}

interface RunPlace {
  readonly store: Store;
  readonly writer: Writer;
  /** Those that hold members after those that are members. */
  readonly types: readonly TargetType[];
  readonly planner: WritePlanner;
  readonly written: WrittenResources;
  readonly place: ProvisioningRequest & { readonly deltaId: bigint };
  readonly concurrency: number;
  readonly progress: Progress;
}

/** One attempt at what is pending. */
class Run {
  readonly #on: RunPlace;
  readonly #signal = cancellationSignal();

  constructor(on: RunPlace) {
    this.#on = on;
  }

  /**
   * Resources before what refers to them; what refers to one another, in a second round. Deletions come last, and the
   * other way round: nobody is deleted while still a member.
   */
  async all(): Promise<void> {
    const { types } = this.#on;
    for (const last of [false, true]) {
      for (const type of types) await this.#pass(type, ['create', 'update'], last);
    }
    for (const type of types.toReversed()) await this.#pass(type, ['delete'], true);
  }

  async #pass(
    type: TargetType,
    operations: readonly ProvisioningUnit['operation'][],
    last: boolean,
  ): Promise<void> {
    const { store, place, planner } = this.#on;
    const page = { ...place, entityTypeId: type.id, operations, limit: pageSize };
    for (let after = 0n; ; ) {
      this.#signal.throwIfAborted();
      const units = await pendingUnits(store, { ...page, after }, type.navigations);
      const planned = units.map((unit, nth) => planner.plan(type, unit, nth, last));
      for (const each of planned) {
        if (each !== 'later' && 'problem' in each) await this.#refuse(each);
      }
      await this.#write(type, planned.filter(isWrite));
      const end = units.at(-1);
      if (end === undefined || units.length < pageSize) return;
      after = end.resourceId;
    }
  }

  async #write(type: TargetType, writes: readonly PlannedWrite[]): Promise<void> {
    if (writes.length === 0) return;
    const { writer, concurrency, written } = this.#on;
    const byNth = new Map(writes.map((each) => [each.write.nth, each]));
    const held = writes.flatMap(({ members }) => members.map(({ attribute }) => attribute));
    await writer.write({
      writes: writes.map(({ write }) => write),
      readBack: new Map([[type.resourceType, [...new Set([...type.paths, ...held])]]]),
      concurrency,
      onOutcome: async (outcome: WriteOutcome) => {
        const planned = byNth.get(outcome.nth) as PlannedWrite;
        await this.#settle(planned.unit, await written.settlementOf(type, planned, outcome));
      },
      signal: this.#signal,
    });
  }

  async #refuse({ unit, paths, problem }: Unwritable): Promise<void> {
    const nothing = { readBack: null, links: [] };
    const failure = { state: 'failed', code: 'TargetRefused', message: problem, paths } as const;
    await this.#settle(unit, { ...nothing, ...failure });
  }

  async #settle(unit: ProvisioningUnit, settlement: Settlement): Promise<void> {
    await settleUnit(this.#on.store, this.#on.place, unit, settlement);
    if (settlement.state !== 'pending') this.#on.progress.add();
  }
}

function isWrite(planned: PlannedUnit): planned is PlannedWrite {
  return planned !== 'later' && 'write' in planned;
}
