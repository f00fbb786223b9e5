/** Prepares a delta in one transaction: stored digests out, new rows in, comparison in SQL, counts, digest. */
import type { PoolClient } from 'pg';
import type { Counts } from '../engine/counts.ts';
import type { Breach } from '../engine/threshold.ts';
import { digestOfDelta } from './delta-digest.ts';
import type { StoredNavigation } from './model-store.ts';
import { noteComingsAndGoings, type Plan, type ScopeComparison } from './plan.ts';
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
 * Opens a delta for a job. What an interrupted attempt of the same job left is thrown away; a delta that somebody
 * decided on stays, as history.
 */
export async function openDelta(
  session: PoolClient,
  jobId: string,
  extraction: string,
): Promise<bigint> {
  const old = `(select id from delta d where job_id = $1 and applied_at is null and not exists (
    select from decision where job_id = $1 and delta = d.digest and effect = 'applied'))`;
  for (const table of ['bookkeeping', 'resource_change', 'link_change']) {
    await session.query(`delete from ${table} where delta_id in ${old}`, [jobId]);
  }
  await session.query(`delete from delta where id in ${old}`, [jobId]);
  const { rows } = await session.query<{ id: string }>(
    `insert into delta (job_id, extraction, digest, counts, entity_types, associations, breaches, diagnoses)
     values ($1, $2, '', '{}', '{}', '{}', '[]', '[]') returning id`,
    [jobId, extraction],
  );
  return BigInt((rows[0] as { id: string }).id);
}

/** Compares everything staged with the store and writes the changes of the delta. */
export async function compareStaged(plan: Plan): Promise<void> {
  await analyseStaging(plan.session);
  await planResources(plan);
  await planLinks(plan, await noteComingsAndGoings(plan));
}

/** Counts the planned changes of an entity type, and what is stored of it now. */
export async function countResources(
  plan: Plan,
  comparison: ScopeComparison,
): Promise<ResourcePlan> {
  const { id, scope, fresh, stored, name } = comparison;
  const { rows } = await plan.session.query<Record<keyof ResourcePlan, string>>(
    `select
       count(*) filter (where change = 'insert') as inserted,
       count(*) filter (where change = 'update') as updated,
       count(*) filter (where change = 'delete') as deleted,
       (select count(*) from staged_row where entity_type_id = ${id} and code is null) as equal,
       (select count(*) from late_reject where scope = $1 and code = 'KeyDuplicate') as "duplicatesOfSeen",
       (select count(*) from reject where job_id = $2 and entity_type = $3) as rejected
     from resource_change where delta_id = ${plan.deltaId} and entity_type_id = ${id}`,
    [scope, plan.jobId, name],
  );
  const counted = numbers<Omit<ResourcePlan, 'stored'>>(rows[0] as Record<string, string>);
  const equal = fresh ? 0 : counted.equal - counted.inserted - counted.updated;
  return { ...counted, equal, stored };
}

/** Counts the planned changes of every navigation property that is declared by the connector or touched by the delta. */
export async function countLinks(plan: Plan): Promise<LinkPlan[]> {
  const { session, deltaId, connector } = plan;
  const { rows } = await session.query<Record<string, string>>(
    `with changed as (
       select navigation_property_id as id,
         count(*) filter (where change = 'insert') as inserted,
         count(*) filter (where change = 'update') as updated,
         count(*) filter (where change = 'delete') as deleted
       from link_change where delta_id = $1 group by 1),
     lost as (
       select navigation_property_id as id, max(count) as most from (
         select navigation_property_id, count(*) from link_change
         where delta_id = $1 and change = 'delete' group by 1, from_id
         union all
         select navigation_property_id, count(*) from link_change
         where delta_id = $1 and change = 'delete' group by 1, to_id) losses
       group by 1)
     select c.id, c.inserted, c.updated, c.deleted, coalesce(lost.most, 0) as "mostDeletedOfOneResource"
     from changed c left join lost using (id)`,
    [deltaId],
  );
  const changed = new Map(rows.map(({ id, ...counted }) => [Number(id), counted]));
  const plans: LinkPlan[] = [];
  for (const navigation of plan.navigations) {
    const counted = changed.get(navigation.id);
    if (navigation.connector !== connector && !counted) continue;
    const compared = plan.associations.find(({ id }) => id === navigation.id);
    plans.push({
      ...{ inserted: 0, updated: 0, deleted: 0, mostDeletedOfOneResource: 0 },
      ...numbers<Omit<LinkPlan, 'navigation' | 'stored'>>(counted ?? {}),
      navigation,
      stored: compared?.stored ?? (await countStoredLinks(session, navigation.id)),
    });
  }
  return plans;
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
  /** There is nothing to apply: neither a change nor anything to remember. */
  readonly empty: boolean;
}

/** Closes the preparation: digests the delta and writes down its counts and breaches. */
export async function closeDelta(
  plan: Plan,
  entityTypes: Readonly<Record<string, Counts>>,
  associations: Readonly<Record<string, Counts>>,
  counts: Counts,
  breaches: readonly Breach[],
): Promise<DeltaSummary> {
  const { digest, planned } = await digestOfDelta(plan.session, plan.deltaId);
  await plan.session.query(
    `update delta set digest = $2, counts = $3, entity_types = $4, associations = $5, breaches = $6 where id = $1`,
    [
      plan.deltaId,
      digest,
      JSON.stringify(counts),
      JSON.stringify(entityTypes),
      JSON.stringify(associations),
      JSON.stringify(breaches),
    ],
  );
  return { digest, counts, entityTypes, associations, breaches, empty: planned.length === 0 };
}
