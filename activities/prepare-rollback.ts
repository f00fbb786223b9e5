/** Prepares the delta of a rollback: the inverse of what another job has applied, counted and judged as any delta. */
import { cancellationSignal } from '@temporalio/activity';
import type { Configuration } from '../config/configuration.ts';
import { type Counts, noCounts, sumCounts } from '../engine/counts.ts';
import { LockstepError } from '../engine/errors.ts';
import { findBreaches, type PlannedChanges, resolveThresholds } from '../engine/threshold.ts';
import {
  closeDelta,
  countChanges,
  countLinks,
  countResources,
  type DeltaSummary,
  discardDeltas,
  openDelta,
} from '../store/delta-store.ts';
import { isSimulated, pinnedConfiguration, recordStep } from '../store/job-store.ts';
import { readModel, type StoredModel } from '../store/model-store.ts';
import type { Plan } from '../store/plan.ts';
import { forgetRolledBackOrigins, plansChangeOf } from '../store/plan-edit.ts';
import { planRollback } from '../store/plan-rollback.ts';
import { countRejects, scopesOf } from '../store/plan-rollback-scopes.ts';
import { requireAppliedDelta } from '../store/queries/applied-delta.ts';
import { simulateModel } from '../store/simulated-model.ts';
import { createStaging } from '../store/staging.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { linkCounts, linkThresholds } from './judge-delta.ts';

export interface RollbackRequest {
  readonly connector: string;
  /** Id of the job whose changes go back. */
  readonly rollbackOf: string;
}

/**
 * Prepares the inverse of a job's delta in one transaction, as {@link prepareDelta} prepares one from an extraction.
 *
 * @throws LockstepError `NotFound`, `NothingToRollBack` or `ChangesPurged` when there is nothing to prepare it from
 */
export async function prepareRollback(
  { store, configurations, log }: ActivityDependencies,
  { connector, rollbackOf }: RollbackRequest,
): Promise<DeltaSummary> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'prepare', 'running');
  const configuration = configurations.parse(await pinnedConfiguration(store, jobId));
  const simulated = await isSimulated(store, jobId);
  const stored = simulated ? undefined : await readModel(store, configuration);
  await store.transaction('read committed', (session) => discardDeltas(session, jobId));
  const summary = await store.transaction(
    'repeatable read',
    async (session) => {
      const undone = await requireAppliedDelta(session, rollbackOf);
      if (undone.connector !== connector) {
        throw new LockstepError('NotFound', `${rollbackOf} is a job of ${undone.connector}`);
      }
      const model = stored ?? (await simulateModel(session, configuration));
      await createStaging(session);
      const deltaId = await openDelta(session, jobId, null);
      const declared = [...configuration.entityTypes.values()]
        .filter((type) => type.connector === connector)
        .map(({ name }) => name);
      const plan: Plan = {
        session,
        jobId,
        deltaId,
        connector,
        entityTypes: await scopesOf(session, undone.id, declared),
        associations: [],
        navigations: [...model.navigations.values()],
      };
      await planRollback(plan, undone.id);
      await refuseProtected(plan, configuration, model);
      await forgetRolledBackOrigins(plan, undone.id);
      return await judge(plan, configuration);
    },
    cancellationSignal(),
  );
  await recordStep(store, jobId, 'prepare', 'succeeded');
  log.info({ job: jobId, counts: summary.counts, breaches: summary.breaches.length }, 'prepared');
  return summary;
}

/** @throws LockstepError `ResourceProtected` */
async function refuseProtected(
  plan: Plan,
  { managedTypes }: Configuration,
  { entityTypeIds }: StoredModel,
): Promise<void> {
  for (const { name, protected: keys } of managedTypes.values()) {
    const id = entityTypeIds.get(name);
    if (id === undefined || !(await plansChangeOf(plan, id, keys))) continue;
    throw new LockstepError('ResourceProtected', `it would change a ${name} that is protected`);
  }
}

/** No source is read, so nothing is confirmed: what counts is what goes back, and what does not. */
async function judge(plan: Plan, configuration: Configuration): Promise<DeltaSummary> {
  // An edit is of no connector.
  const limits = configuration.connectors.get(plan.connector)?.thresholds;
  const changes = await countChanges(plan);
  const links = await countLinks(plan, changes.all);
  const rejects = await countRejects(plan);
  const scopes: PlannedChanges[] = links.map((link) => ({
    ...link,
    scope: link.navigation.scope,
    of: 'links',
    thresholds: linkThresholds(configuration, link),
  }));
  const entityTypes: Record<string, Counts> = {};
  const associations: Record<string, Counts> = {};
  for (const type of plan.entityTypes) {
    const { inserted, updated, deleted, stored } = await countResources(plan, type, changes.all);
    const own = links.filter(({ navigation }) => navigation.fromEntityTypeId === type.id);
    const rejected = rejects.get(type.name) ?? 0;
    const lines = { inserted, updated, deleted };
    entityTypes[type.name] = { ...sumCounts(own.map(linkCounts)), ...lines, rejected };
    const { entityTypes: connected, managedTypes } = configuration;
    const { thresholds = {} } = connected.get(type.name) ?? managedTypes.get(type.name) ?? {};
    scopes.push({
      ...lines,
      stored,
      scope: type.name,
      of: 'lines',
      thresholds: resolveThresholds(thresholds, limits ?? {}),
    });
  }
  for (const link of links) {
    const { scope, singleValued } = link.navigation;
    if (singleValued) continue;
    associations[scope] = {
      ...noCounts,
      ...linkCounts(link),
      rejected: rejects.get(scope) ?? 0,
    };
  }
  const sum = limits && { scope: plan.connector, thresholds: resolveThresholds(limits) };
  const breaches = findBreaches(scopes, sum ?? null);
  const counts = sumCounts([
    ...Object.values(entityTypes).map(({ inserted, updated, deleted }) => ({
      inserted,
      updated,
      deleted,
    })),
    ...links.map(linkCounts),
    { rejected: [...rejects.values()].reduce((sum, count) => sum + count, 0) },
  ]);
  return await closeDelta(plan, { entityTypes, associations, counts, breaches }, [], changes);
}
