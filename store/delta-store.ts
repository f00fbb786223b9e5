/** Prepares a delta in one transaction: stored digests out, new rows in, comparison in SQL, counts, digest. */
import type { PoolClient } from 'pg';
import type { Counts } from '../engine/counts.ts';
import { DigestSet } from '../engine/digest-set.ts';
import type { Breach } from '../engine/threshold.ts';
import { readDigests } from './copy.ts';
import { digestOfDelta } from './delta-digest.ts';
import type { StoredNavigation } from './model-store.ts';
import type { Plan, ScopeComparison } from './plan.ts';
import { planLinks } from './plan-links.ts';
import { planResources } from './plan-resources.ts';
import { analyseStaging } from './staging.ts';

/** The digests of one scope's stored records, and how many resources (links, pending links) carry none. */
export interface StoredDigests {
  readonly digests: DigestSet;
  readonly withoutDigest: number;
}

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

/** Reads the digests of an entity type's stored resources. */
export async function storedResourceDigests(
  session: PoolClient,
  entityTypeId: number,
): Promise<StoredDigests> {
  return await collectDigests(
    session,
    `select source_digest from resource where entity_type_id = ${entityTypeId}`,
  );
}

/** Reads the digests of an association's stored links and of its pending ones. */
export async function storedLinkDigests(
  session: PoolClient,
  navigationPropertyId: number,
): Promise<StoredDigests> {
  return await collectDigests(
    session,
    `select source_digest from link where navigation_property_id = ${navigationPropertyId}
     union all
     select source_digest from pending_link where navigation_property_id = ${navigationPropertyId}`,
  );
}

async function collectDigests(session: PoolClient, query: string): Promise<StoredDigests> {
  const { rows } = await session.query<{ count: string }>(
    `select count(source_digest) as count from (${query}) stored`,
  );
  const digests = new DigestSet(Number((rows[0] as { count: string }).count));
  let withoutDigest = 0;
  await readDigests(session, query, (words) => {
    if (words === null) withoutDigest += 1;
    else digests.add(words);
  });
  return { digests, withoutDigest };
}

/** Compares everything staged with the store and writes the changes of the delta. */
export async function compareStaged(plan: Plan): Promise<void> {
  await analyseStaging(plan.session);
  await planResources(plan);
  await planLinks(plan);
}

/** Counts the planned changes of an entity type, and what is stored of it now. */
export async function countResources(
  plan: Plan,
  comparison: ScopeComparison,
): Promise<ResourcePlan> {
  const { rows } = await plan.session.query<Record<keyof ResourcePlan, string>>(
    `select
       count(*) filter (where change = 'insert') as inserted,
       count(*) filter (where change = 'update') as updated,
       count(*) filter (where change = 'delete') as deleted,
       (select count(*) from resource where entity_type_id = $2) as stored,
       (select count(*) from staged_row s join resource r on r.entity_type_id = $2 and r.key = s.key
        where s.entity_type_id = $2 and s.code is null and r.attributes = s.content) as equal,
       (select count(*) from late_reject where scope = $3 and code = 'KeyDuplicate') as "duplicatesOfSeen",
       (select count(*) from reject where job_id = $4 and entity_type = $5) as rejected
     from resource_change where delta_id = $1 and entity_type_id = $2`,
    [plan.deltaId, comparison.id, comparison.scope, plan.jobId, comparison.name],
  );
  return numbers(rows[0] as Record<keyof ResourcePlan, string>);
}

/** Counts the planned changes of every navigation property that is declared by the connector or touched by the delta. */
export async function countLinks(plan: Plan): Promise<LinkPlan[]> {
  const { rows } = await plan.session.query<
    Record<string, string> & { navigation: StoredNavigation }
  >(
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
     select json_build_object('id', n.id, 'scope', n.scope, 'connector', n.connector,
         'fromEntityTypeId', n.from_entity_type_id, 'toEntityTypeId', n.to_entity_type_id,
         'property', n.property, 'inverse', n.inverse, 'singleValued', n.single_valued) as navigation,
       coalesce(c.inserted, 0) as inserted, coalesce(c.updated, 0) as updated, coalesce(c.deleted, 0) as deleted,
       (select count(*) from link l where l.navigation_property_id = n.id) as stored,
       coalesce(lost.most, 0) as "mostDeletedOfOneResource"
     from navigation_property n left join changed c on c.id = n.id left join lost on lost.id = n.id
     where n.connector = $2 or c.id is not null order by n.scope`,
    [plan.deltaId, plan.connector],
  );
  return rows.map(({ navigation, ...counted }) => ({
    navigation,
    ...numbers<Omit<LinkPlan, 'navigation'>>(counted),
  }));
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
}

/** Closes the preparation: digests the delta and writes down its counts and breaches. */
export async function closeDelta(
  plan: Plan,
  entityTypes: Readonly<Record<string, Counts>>,
  associations: Readonly<Record<string, Counts>>,
  counts: Counts,
  breaches: readonly Breach[],
): Promise<DeltaSummary> {
  const digest = await digestOfDelta(plan.session, plan.deltaId);
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
  return { digest, counts, entityTypes, associations, breaches };
}
