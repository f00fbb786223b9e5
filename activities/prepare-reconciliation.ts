/** Prepares the delta of a reconciliation: situations, what is done about them, values and links, counted and judged. */
import { cancellationSignal } from '@temporalio/activity';
import type { Configuration } from '../config/configuration.ts';
import { type Counts, noCounts, sumCounts } from '../engine/counts.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Mapping, Situation } from '../engine/mapping.ts';
import { findBreaches, type PlannedChanges, resolveThresholds } from '../engine/threshold.ts';
import { assessMapping } from '../store/assess-mapping.ts';
import { plannedChanges } from '../store/delta-digest.ts';
import {
  closeDelta,
  countLinks,
  countsOf,
  type DeltaSummary,
  discardDeltas,
  openDelta,
} from '../store/delta-store.ts';
import { isSimulated, pinnedConfiguration, recordStep } from '../store/job-store.ts';
import { readModel, type StoredModel } from '../store/model-store.ts';
import type { Plan } from '../store/plan.ts';
import { countStored } from '../store/plan-edit.ts';
import { planMappedLinks } from '../store/plan-mapped-links.ts';
import { openMatchPlan, planMatches } from '../store/plan-matches.ts';
import { countSituations, keepSituations, noteReactions } from '../store/plan-reactions.ts';
import {
  planDecisions,
  planOrphans,
  recordTold,
  refuseDecisions,
  type TargetPlan,
} from '../store/plan-reconciliation.ts';
import {
  noteUnqualified,
  openDecisions,
  reconciledPairs,
  takeDown,
} from '../store/reconciled-pairs.ts';
import { simulateModel } from '../store/simulated-model.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { linkCounts, linkThresholds } from './judge-delta.ts';
import { MappedValues } from './mapped-values.ts';
import { PairMerging } from './pair-merging.ts';
import { targetTypes } from './target-model.ts';

export interface ReconciliationRequest {
  /** Name of the mapping. */
  readonly mapping: string;
  /** That of the mapping, whose lease the job holds. */
  readonly connector: string;
}

/** What the workflow is told: numbers and a digest. */
export interface PreparedReconciliation extends DeltaSummary {
  readonly situations: Readonly<Record<Situation, number>>;
}

/**
 * Prepares a reconciliation in one transaction. The situations found replace those of the last one at once, unless the job
 * is a simulation; all else waits for the delta to be applied.
 *
 * @throws LockstepError `NotFound` when the configuration of the job has no such mapping; `ExpressionTimedOut`
 */
export async function prepareReconciliation(
  { store, configurations, log }: ActivityDependencies,
  { mapping: name, connector }: ReconciliationRequest,
): Promise<PreparedReconciliation> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'prepare', 'running');
  const configuration = configurations.parse(await pinnedConfiguration(store, jobId));
  const mapping = configuration.mappings.get(name);
  if (mapping?.connector !== connector) {
    throw new LockstepError('NotFound', `lockstep.yaml has no mapping ${name} of ${connector}`);
  }
  const opposite =
    mapping.opposite === null ? undefined : configuration.mappings.get(mapping.opposite);
  const simulated = await isSimulated(store, jobId);
  const stored = simulated ? undefined : await readModel(store, configuration);
  await store.transaction('read committed', (session) => discardDeltas(session, jobId));
  await using values = new MappedValues(mapping, configuration);
  await using oppositeValues = opposite && new MappedValues(opposite, configuration);
  const summary = await store.transaction(
    'repeatable read',
    async (session) => {
      const model = stored ?? (await simulateModel(session, configuration));
      const deltaId = await openDelta(session, jobId, null);
      const idOf = (type: string) => model.entityTypeIds.get(type) as number;
      const plan: TargetPlan = {
        ...{ session, jobId, deltaId, mapping },
        sourceTypeId: idOf(mapping.source),
        targetTypeId: idOf(mapping.target),
        protectedKeys: configuration.managedTypes.get(mapping.target)?.protected ?? [],
        opposite: opposite?.name ?? null,
        navigations: [...model.navigations.values()],
      };
      if (mapping.where !== null) {
        await noteUnqualified(session, plan.sourceTypeId, (sources) => values.qualify(sources));
      }
      const situations = await assessMapping(session, plan);
      await openMatchPlan(session);
      await noteReactions(plan);
      await openDecisions(session);
      const merging = new PairMerging({ mapping, opposite, configuration, values, oppositeValues });
      for await (const pairs of reconciledPairs(plan, plan.opposite)) {
        const { decisions, told } = await merging.merge(pairs);
        await takeDown(session, decisions, told);
      }
      await refuseDecisions(plan);
      await planDecisions(plan);
      await planOrphans(plan);
      const matchesFound = !mapping.reactions.found || mapping.reactions.found === 'match';
      await planMatches(session, { ...plan, matchesFound });
      const holders =
        mapping.does === 'load'
          ? []
          : targetTypes(configuration, mapping.connector, model).flatMap(
              ({ navigations }) => navigations,
            );
      await planMappedLinks(plan, opposite, idOf, holders);
      const rejected = await recordTold(plan);
      if (!simulated) await keepSituations(plan);
      await countSituations(plan, situations);
      return { ...(await judge(plan, configuration, model, rejected)), situations };
    },
    cancellationSignal(),
  );
  await recordStep(store, jobId, 'prepare', 'succeeded');
  const { counts, breaches, situations } = summary;
  log.info({ job: jobId, counts, breaches: breaches.length, situations }, 'prepared');
  return summary;
}

async function judge(
  plan: TargetPlan,
  configuration: Configuration,
  model: StoredModel,
  rejected: number,
): Promise<DeltaSummary> {
  const { session, jobId, deltaId, mapping } = plan;
  const connector = configuration.connectors.get(mapping.connector);
  const delta: Plan = {
    ...{ session, jobId, deltaId },
    connector: mapping.connector,
    entityTypes: [],
    associations: [],
    navigations: [...model.navigations.values()],
  };
  const changes = await plannedChanges(session, deltaId);
  // Those of the connector that the delta does not touch say nothing about it.
  const links = (await countLinks(delta, changes)).filter(
    ({ inserted, updated, deleted }) => inserted + updated + deleted > 0,
  );
  const lines = countsOf(changes, 'resource_change', plan.targetTypeId);
  const stored = await countStored(plan, plan.targetTypeId);
  const read = await countStored(plan, plan.sourceTypeId);
  const own = links.filter(({ navigation }) => navigation.fromEntityTypeId === plan.targetTypeId);
  const entityTypes: Record<string, Counts> = {
    [mapping.target]: { ...sumCounts(own.map(linkCounts)), ...lines, read, rejected },
  };
  const associations = Object.fromEntries(
    links
      .filter(({ navigation }) => !navigation.singleValued)
      .map((link) => [link.navigation.scope, { ...noCounts, ...linkCounts(link) }]),
  );
  const scopes: PlannedChanges[] = [
    {
      ...{ ...lines, stored, scope: mapping.target, of: 'lines', ofMapping: mapping },
      thresholds: thresholdsOf(configuration, mapping),
    },
    ...links.map(
      (link): PlannedChanges => ({
        ...{ ...link, scope: link.navigation.scope, of: 'links' },
        thresholds: linkThresholds(configuration, link, mapping.thresholds),
      }),
    ),
  ];
  const breaches = findBreaches(
    scopes,
    mapping.does === 'load' || !connector
      ? null
      : { scope: connector.name, thresholds: resolveThresholds(connector.thresholds) },
  );
  const counts = sumCounts([{ ...lines, read, rejected }, ...links.map(linkCounts)]);
  const judged = { entityTypes, associations, counts, breaches };
  return await closeDelta(delta, judged, [], { all: changes, sealed: [] });
}

/** Those of the target's entity type come first, then the mapping's, then those of the connector that it is written to. */
function thresholdsOf(configuration: Configuration, mapping: Mapping) {
  const { connectors, entityTypes, managedTypes } = configuration;
  const type = managedTypes.get(mapping.target) ?? entityTypes.get(mapping.target);
  const connector = mapping.does === 'load' ? undefined : connectors.get(mapping.connector);
  return resolveThresholds(type?.thresholds ?? {}, mapping.thresholds, connector?.thresholds ?? {});
}
