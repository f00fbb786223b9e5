/** Prepares the delta of a person's edit: what becomes of one resource or link, counted and judged as any delta. */
import { cancellationSignal } from '@temporalio/activity';
import type { Configuration } from '../config/configuration.ts';
import { type Counts, noCounts, sumCounts } from '../engine/counts.ts';
import type { Edit } from '../engine/edit.ts';
import { localAuthority } from '../engine/managed-type.ts';
import { findBreaches, type PlannedChanges, resolveThresholds } from '../engine/threshold.ts';
import { plannedChanges } from '../store/delta-digest.ts';
import {
  closeDelta,
  countLinks,
  countsOf,
  type DeltaSummary,
  discardDeltas,
  openDelta,
} from '../store/delta-store.ts';
import { editRequest } from '../store/edit-request.ts';
import { pinnedConfiguration, recordStep } from '../store/job-store.ts';
import { readModel, type StoredModel } from '../store/model-store.ts';
import type { Plan } from '../store/plan.ts';
import { countStored } from '../store/plan-edit.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { linkCounts, linkThresholds } from './judge-delta.ts';
import { planEdit } from './planned-edit.ts';

/**
 * Prepares what a person has put down, in one transaction.
 *
 * @throws LockstepError `NotFound`, `ResourceInvalid`, `ResourceProtected` or `AuthorityRefused`; none holds a value
 */
export async function prepareEdit(
  { store, configurations, log }: ActivityDependencies,
  _request: Readonly<Record<string, never>>,
): Promise<DeltaSummary> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'prepare', 'running');
  const configuration = configurations.parse(await pinnedConfiguration(store, jobId));
  const model = await readModel(store, configuration);
  const { entityType, request: edit } = await editRequest<Edit>(store.pool, jobId);
  await store.transaction('read committed', (session) => discardDeltas(session, jobId));
  const summary = await store.transaction(
    'repeatable read',
    async (session) => {
      const plan: Plan = {
        session,
        jobId,
        deltaId: await openDelta(session, jobId, null),
        connector: localAuthority,
        entityTypes: [],
        associations: [],
        navigations: [...model.navigations.values()],
      };
      await planEdit(plan, { configuration, model }, entityType, edit);
      return await judge(plan, configuration, model);
    },
    cancellationSignal(),
  );
  await recordStep(store, jobId, 'prepare', 'succeeded');
  log.info({ job: jobId, counts: summary.counts, breaches: summary.breaches.length }, 'prepared');
  return summary;
}

/** A person has said every line, so none asks by being the first; but all limits hold, as many as there may be of them. */
async function judge(
  plan: Plan,
  configuration: Configuration,
  model: StoredModel,
): Promise<DeltaSummary> {
  const changes = await plannedChanges(plan.session, plan.deltaId);
  const links = await countLinks(plan, changes);
  const entityTypes: Record<string, Counts> = {};
  const associations: Record<string, Counts> = {};
  const scopes: PlannedChanges[] = [];
  for (const [name, id] of model.entityTypeIds) {
    const lines = countsOf(changes, 'resource_change', id);
    const own = links.filter(({ navigation }) => navigation.fromEntityTypeId === id);
    const isTouched = lines.inserted + lines.updated + lines.deleted + own.length > 0;
    if (!isTouched) continue;
    entityTypes[name] = { ...sumCounts(own.map(linkCounts)), ...lines };
    const thresholds = resolveThresholds(configuration.managedTypes.get(name)?.thresholds ?? {});
    const stored = await countStored(plan, id);
    scopes.push({ ...lines, scope: name, of: 'lines', stored, byHand: true, thresholds });
  }
  for (const link of links) {
    const { scope, singleValued } = link.navigation;
    const thresholds = linkThresholds(configuration, link);
    scopes.push({ ...link, scope, of: 'links', byHand: true, thresholds });
    if (!singleValued) associations[scope] = { ...noCounts, ...linkCounts(link) };
  }
  const counts = sumCounts([
    ...Object.values(entityTypes).map(({ inserted, updated, deleted }) => ({
      inserted,
      updated,
      deleted,
    })),
    ...links.map(linkCounts),
  ]);
  const breaches = findBreaches(scopes, null);
  const judged = { entityTypes, associations, counts, breaches };
  return await closeDelta(plan, judged, [], { all: changes, sealed: [] });
}
