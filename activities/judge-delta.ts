/** Judges a planned delta: what it changes of which scope, in numbers, and which limits that passes. */
import type { Configuration, ConnectorSettings } from '../config/configuration.ts';
import { type Counts, noCounts, sumCounts } from '../engine/counts.ts';
import { digestText } from '../engine/record-digest.ts';
import {
  findBreaches,
  type PlannedChanges,
  resolveThresholds,
  type ThresholdSettings,
} from '../engine/threshold.ts';
import {
  countChanges,
  countLinks,
  countResources,
  type LinkPlan,
  type ResourcePlan,
} from '../store/delta-store.ts';
import { allSeen, type Plan } from '../store/plan.ts';
import { forgetSource, noteSource } from '../store/scope-source.ts';
import { moveCursor } from './cursors.ts';
import type { CountedSource, Judged } from './diagnosis.ts';
import { type FormerLoad, limitsAfter } from './former-load.ts';
import type { SourceReading } from './source-reading.ts';

/** Counts a delta, holds its counts against the limits, and notes what each scope was read from. */
export async function judge(
  plan: Plan,
  readings: readonly SourceReading[],
  configuration: Configuration,
  connector: ConnectorSettings,
  former: FormerLoad,
): Promise<Judged> {
  const changes = await countChanges(plan);
  const links = await countLinks(plan, changes.all);
  const entityTypes: Record<string, Counts> = {};
  const associations: Record<string, Counts> = {};
  const scopes: PlannedChanges[] = [];
  const sources: CountedSource[] = [];
  for (const reading of readings) {
    const { comparison, source } = reading;
    const planned = await countResources(plan, comparison, changes.all);
    const link = links.find(({ navigation }) => navigation.scope === comparison.name);
    await rememberSource(plan, reading, planned.rejected, link ?? planned);
    const { read } = reading;
    sources.push({ reading, counts: { ...(link ?? planned), rejected: planned.rejected, read } });
    await moveCursor(plan, source);
    if (link) {
      associations[comparison.name] = countsOfAssociation(reading, planned, link);
      continue;
    }
    entityTypes[comparison.name] = countsOfEntityType(reading, planned, links);
    const own = resolveThresholds(source.thresholds, connector.thresholds);
    scopes.push({
      ...planned,
      scope: comparison.name,
      of: 'lines',
      thresholds: limitsAfter(former, source.task, own),
    });
  }
  for (const link of links) {
    scopes.push({
      ...link,
      scope: link.navigation.scope,
      of: 'links',
      thresholds: linkThresholds(configuration, link),
    });
  }
  const breaches = findBreaches(scopes, {
    scope: connector.name,
    thresholds: resolveThresholds(connector.thresholds),
  });
  const rejectedLinks = Object.values(associations).map(({ read, rejected }) => ({
    read,
    rejected,
  }));
  const counts = sumCounts([
    ...Object.values(entityTypes).map((each) => ({
      ...each,
      linksInserted: 0,
      linksUpdated: 0,
      linksDeleted: 0,
    })),
    ...rejectedLinks,
    ...links.map(linkCounts),
  ]);
  return { delta: { entityTypes, associations, counts, breaches }, changes, sources, links };
}

/** A scope without rejects need not be compared again as long as its source stays as it is. */
async function rememberSource(
  plan: Plan,
  { source, again, comparison }: SourceReading,
  rejected: number,
  { stored, inserted, updated, deleted }: ResourcePlan | LinkPlan,
): Promise<void> {
  if (again) return;
  // Of what an incremental job reads, the scope may hold more than the source shows.
  if (comparison.partial && !allSeen(comparison)) return await forgetSource(plan, source.scope);
  const { file, seed, scope } = source;
  const remembered = {
    scope,
    sha256: file.sha256,
    seed: digestText(seed),
    stored: stored + inserted - deleted,
  };
  const changes = inserted + updated + deleted > 0;
  await noteSource(plan, scope, rejected === 0 ? remembered : null, changes);
}

export function linkCounts({ inserted, updated, deleted }: LinkPlan): Partial<Counts> {
  return { linksInserted: inserted, linksUpdated: updated, linksDeleted: deleted };
}

/** The links of an entity type are those of the navigation properties it has on its from side. */
function countsOfEntityType(
  { comparison, read, seen }: SourceReading,
  { inserted, updated, deleted, equal, duplicatesOfSeen, rejected }: ResourcePlan,
  links: readonly LinkPlan[],
): Counts {
  const own = links.filter(({ navigation }) => navigation.fromEntityTypeId === comparison.id);
  const unchanged = seen + equal - duplicatesOfSeen;
  return {
    ...sumCounts(own.map(linkCounts)),
    read,
    rejected,
    unchanged,
    inserted,
    updated,
    deleted,
  };
}

function countsOfAssociation(
  { read }: SourceReading,
  { rejected }: ResourcePlan,
  link: LinkPlan,
): Counts {
  const unchanged = link.stored - link.deleted - link.updated;
  return { ...noCounts, ...linkCounts(link), read, rejected, unchanged };
}

/**
 * A navigation property has the limits of its association, or of the entity type whose reference it is.
 *
 * @param ofMapping those that a mapping sets for what it changes
 */
export function linkThresholds(
  configuration: Configuration,
  { navigation }: LinkPlan,
  ofMapping: ThresholdSettings = {},
) {
  const { scope } = navigation;
  const owning = scope.split('.')[0] ?? '';
  const association =
    configuration.associations.get(scope) ?? configuration.managedAssociations.get(scope);
  const entityType =
    configuration.entityTypes.get(owning) ?? configuration.managedTypes.get(owning);
  const owner = configuration.connectors.get(navigation.connector ?? '');
  const own: ThresholdSettings = association?.thresholds ?? entityType?.thresholds ?? {};
  return resolveThresholds(own, ofMapping, owner?.thresholds ?? {});
}
