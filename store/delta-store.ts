/** Prepares a delta in one transaction: stored digests out, new rows in, comparison in SQL, counts, digest. */
import type { PoolClient } from 'pg';
import type { Counts } from '../engine/counts.ts';
import { type Diagnosis, type Finding, findingOf } from '../engine/diagnosis/diagnosis.ts';
import type { Breach } from '../engine/threshold.ts';
import {
  digestOf,
  type PlannedRows,
  plannedBookkeeping,
  plannedChanges,
  plannedFirstChanges,
} from './delta-digest.ts';
import {
  type ChangesTable,
  changesTables,
  dropFirstChanges,
  isOwnTable,
  sealFirstChanges,
} from './first-changes.ts';
import type { StoredNavigation } from './model-store.ts';
import {
  noteComingsAndGoings,
  type Plan,
  type ResourceComparison,
  type ScopeComparison,
} from './plan.ts';
import { planLinks } from './plan-links.ts';
import { planResources } from './plan-resources.ts';
import { analyseStaging } from './staging.ts';

/** What a prepared delta would change in one navigation property. */
export interface LinkPlan {
  readonly navigation: StoredNavigation;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly stored: number;
  readonly mostDeletedOfOneResource: number;
}

/** What a prepared delta would change in one entity type. */
export interface ResourcePlan {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly stored: number;
  /** Staged rows that say what is stored already, and rows recognised by digest that turned out to be duplicates. */
  readonly equal: number;
  readonly duplicatesOfSeen: number;
  readonly rejected: number;
}

/**
 * Throws away what an interrupted attempt of a job left; a delta that somebody decided on, or that was provisioned in
 * part, stays, as history. In a
 * transaction of its own: readers wait for it.
 */
export async function discardDeltas(session: PoolClient, jobId: string): Promise<void> {
  const { rows } = await session.query<{ id: string }>(
    `select id from delta d where job_id = $1 and applied_at is null and not exists (
       select from decision where job_id = $1 and delta = d.digest and effect = 'applied')
     and not exists (select from provisioning p where p.delta_id = d.id)`,
    [jobId],
  );
  for (const { id } of rows) {
    await dropFirstChanges(session, id);
    for (const table of [
      'bookkeeping',
      'resource_change',
      'link_change',
      'match_change',
      'agreement_change',
    ]) {
      await session.query(`delete from only ${table} where delta_id = $1`, [id]);
    }
    await session.query('delete from delta where id = $1', [id]);
  }
}

/** Opens a delta for a job. A rollback has no extraction. */
export async function openDelta(
  session: PoolClient,
  jobId: string,
  extraction: string | null,
): Promise<bigint> {
  const { rows } = await session.query<{ id: string }>(
    `insert into delta (job_id, extraction, digest, counts, entity_types, associations, breaches, diagnoses)
     values ($1, $2, '', '{}', '{}', '{}', '[]', '[]') returning id`,
    [jobId, extraction],
  );
  return BigInt((rows[0] as { id: string }).id);
}

/** Compares the staged rows of all entity types with the store and writes the changes of resources. */
export async function compareResources(plan: ResourceComparison): Promise<void> {
  await analyseStaging(plan.session, 'rows');
  await planResources(plan);
}

/** Compares the staged references and links with the store and writes the changes of links, once those of resources are known. */
export async function compareLinks(plan: Plan): Promise<void> {
  await analyseStaging(plan.session, 'links');
  await planLinks(plan, await noteComingsAndGoings(plan));
}

/** Counts the planned changes of an entity type, and what is stored of it now. */
export async function countResources(
  plan: Plan,
  comparison: ScopeComparison,
  planned: readonly PlannedRows[],
): Promise<ResourcePlan> {
  const { id, scope, fresh, stored, name } = comparison;
  const { rows } = await plan.session.query<Record<string, string>>(
    `select
       (select count(*) from staged_row where entity_type_id = ${id} and code is null) as usable,
       (select count(*) from late_reject where scope = $1 and code = 'KeyDuplicate') as "duplicatesOfSeen",
       (select count(*) from reject where job_id = $2 and entity_type = $3) as rejected`,
    [scope, plan.jobId, name],
  );
  const { usable, ...counted } = numbers<
    Record<'usable' | 'duplicatesOfSeen' | 'rejected', number>
  >(rows[0] as Record<string, string>);
  const changes = countsOf(planned, 'resource_change', id);
  const equal = fresh ? 0 : usable - changes.inserted - changes.updated;
  return { ...counted, ...changes, equal, stored };
}

/** Counts the planned changes of every navigation property that is declared by the connector or touched by the delta. */
export async function countLinks(plan: Plan, planned: readonly PlannedRows[]): Promise<LinkPlan[]> {
  const { session, connector } = plan;
  const plans: LinkPlan[] = [];
  const losses = await mostDeletedOfOneResource(plan, planned);
  for (const navigation of plan.navigations) {
    const { id } = navigation;
    const changes = countsOf(planned, 'link_change', id);
    const touched = changes.inserted + changes.updated + changes.deleted > 0;
    if (navigation.connector !== connector && !touched) continue;
    const compared = plan.associations.find((each) => each.id === id);
    plans.push({
      ...changes,
      navigation,
      stored: compared?.stored ?? (await countStoredLinks(session, id)),
      mostDeletedOfOneResource: losses.get(id) ?? 0,
    });
  }
  return plans;
}

/** Navigation property → how many links the resource loses that loses most of them, at either end. */
async function mostDeletedOfOneResource(
  { session, deltaId }: Plan,
  planned: readonly PlannedRows[],
): Promise<Map<number, number>> {
  if (!planned.some(({ table, change }) => table === 'link_change' && change === 'delete')) {
    return new Map();
  }
  const { rows } = await session.query<{ id: number; most: string }>(
    `select id, max(count) as most from (
       select navigation_property_id as id, count(*) from link_change
       where delta_id = ${deltaId} and change = 'delete' group by 1, from_id
       union all
       select navigation_property_id, count(*) from link_change
       where delta_id = ${deltaId} and change = 'delete' group by 1, to_id) losses
     group by 1`,
  );
  return new Map(rows.map(({ id, most }) => [id, Number(most)]));
}

/** How many rows are planned to come, change and go of one entity type or navigation property. */
export function countsOf(
  planned: readonly PlannedRows[],
  table: PlannedRows['table'],
  scope: number,
): { inserted: number; updated: number; deleted: number } {
  const count = (change: string) =>
    planned.find((rows) => rows.table === table && rows.change === change && rows.scope === scope)
      ?.count ?? 0;
  return { inserted: count('insert'), updated: count('update'), deleted: count('delete') };
}

async function countStoredLinks(
  session: PoolClient,
  navigationPropertyId: number,
): Promise<number> {
  const { rows } = await session.query<{ count: string }>(
    `select count(*) as count from link where navigation_property_id = ${navigationPropertyId}`,
  );
  return Number(rows[0]?.count);
}

function numbers<Shape>(row: Record<string, string>): Shape {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, Number(value)]),
  ) as Shape;
}

/** What the workflow is told about a prepared delta: numbers and a digest. */
export interface DeltaSummary {
  readonly digest: string;
  readonly counts: Counts;
  readonly entityTypes: Readonly<Record<string, Counts>>;
  readonly associations: Readonly<Record<string, Counts>>;
  readonly breaches: readonly Breach[];
  /** Likely causes, without what they quote: that stays in the store. */
  readonly diagnoses: readonly Finding[];
  /** There is nothing to apply: neither a change nor anything to remember. */
  readonly empty: boolean;
}

const hasOwnTable = ({ changes }: ScopeComparison) => isOwnTable(changes);

/** What a delta changes, counted. */
export interface PlannedDelta {
  readonly all: readonly PlannedRows[];
  /** Those of large first loads, whose tables are sealed with the delta. */
  readonly sealed: readonly PlannedRows[];
}

/** Counts and digests everything that the delta changes. */
export async function countChanges({
  session,
  deltaId,
  entityTypes,
  associations,
}: Plan): Promise<PlannedDelta> {
  const sealed: PlannedRows[] = [];
  for (const [kind, scopes] of [
    ['rows', entityTypes],
    ['links', associations],
  ] as const) {
    for (const comparison of scopes.filter(hasOwnTable)) {
      sealed.push(
        ...(plannedAsWritten(changesTables[kind], comparison) ??
          (await plannedFirstChanges(session, deltaId, changesTables[kind], comparison.changes))),
      );
    }
  }
  return { all: [...(await plannedChanges(session, deltaId)), ...sealed], sealed };
}

/** The rows of a large first load are what was written, where none of them had to be taken out again: nobody need count them. */
function plannedAsWritten(
  table: ChangesTable,
  { id, usable, mayRepeat, mayDangle }: ScopeComparison,
): PlannedRows[] | undefined {
  if (usable === undefined || mayRepeat || mayDangle) return undefined;
  return usable.count === 0 ? [] : [{ table, change: 'insert', scope: id, ...usable }];
}

/** What a delta comes to. */
export type JudgedDelta = Pick<
  DeltaSummary,
  'counts' | 'entityTypes' | 'associations' | 'breaches'
>;

/** Closes the preparation: digests the delta, and writes down its counts, breaches and their likely causes. */
export async function closeDelta(
  { session, deltaId, entityTypes, associations }: Plan,
  judged: JudgedDelta,
  diagnoses: readonly Diagnosis[],
  { all, sealed }: PlannedDelta,
): Promise<DeltaSummary> {
  const planned = [...all, ...(await plannedBookkeeping(session, deltaId))];
  const digest = digestOf(deltaId, planned);
  await session.query(
    `update delta set digest = $2, counts = $3, entity_types = $4, associations = $5, breaches = $6, sealed = $7,
       diagnoses = $8
     where id = $1`,
    [
      deltaId,
      digest,
      JSON.stringify(judged.counts),
      JSON.stringify(judged.entityTypes),
      JSON.stringify(judged.associations),
      JSON.stringify(judged.breaches),
      JSON.stringify(sealed),
      JSON.stringify(diagnoses),
    ],
  );
  for (const { changes } of [...entityTypes, ...associations].filter(hasOwnTable)) {
    await sealFirstChanges(session, changes);
  }
  return {
    digest,
    ...judged,
    diagnoses: diagnoses.map(findingOf),
    empty: planned.length === 0,
  };
}
