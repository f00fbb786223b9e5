/** What of a planned delta looks like drift of the source: values that a spreadsheet would write, and kinds of values. */
import type { Pool, PoolClient } from 'pg';
import type { Attributes, Replacement, UpdatedResource } from '../engine/diagnosis/evidence.ts';
import { oneOf, type SampledScope, strideOf } from './delta-sample.ts';

/** So many rows are looked at, each by two regular expressions. */
const updatesLookedAt = 20_000;
const sampleSize = 2000;

/** Regular expressions: a text of digits that begins with zero; one that a spreadsheet may have written, and JSON quotes. */
const beginsWithZero = `'": "0[0-9]+"'`;
const looksComputed = `'": "([0-9]{5}(\\.0+)?|[0-9][0-9.,]*[eE]\\+?[0-9]+)"'`;

/** SQL: true for a text of digits that begins with zero. Most do not, and that is known without a regular expression. */
const leadingZero = (text: string) => `starts_with(${text}, '0') and ${text} ~ '^0[0-9]+$'`;

/** Updates that have fewer texts beginning with a zero than before, or more that look like a spreadsheet's number. */
export async function suspectUpdates(
  { session, deltaId, entityTypeId }: SampledScope,
  count: number,
): Promise<UpdatedResource[]> {
  if (count === 0) return [];
  const { rows } = await session.query<UpdatedResource>(
    // What neither begins with a zero nor looks computed is done with after two looks; the offset makes each text once.
    `select key, before, after from resource_change
     cross join lateral (select before::text as former, after::text as latter offset 0) texts
     where delta_id = $1 and entity_type_id = $2 and change = 'update'
       and ${oneOf(strideOf(count, updatesLookedAt))}
       and (former like '%": "0%' and regexp_count(former, ${beginsWithZero}) > regexp_count(latter, ${beginsWithZero})
         or latter ~ ${looksComputed} and regexp_count(latter, ${looksComputed}) > regexp_count(former, ${looksComputed}))
     limit ${sampleSize}`,
    [deltaId, entityTypeId],
  );
  return rows;
}

/** How many updates take the leading zeros from a property. */
export async function countZerosLost(
  { session, deltaId, entityTypeId }: SampledScope,
  property: string,
): Promise<number> {
  const { rows } = await session.query<{ count: string }>(
    `select count(*) from resource_change
     where delta_id = $1 and entity_type_id = $2 and change = 'update'
       and ${leadingZero('(before ->> $3)')} and after ->> $3 ~ '^[0-9]+$'
       and ltrim(before ->> $3, '0') = ltrim(after ->> $3, '0') and after ->> $3 !~ '^0[0-9]'`,
    [deltaId, entityTypeId, property],
  );
  return Number(rows[0]?.count);
}

/** How many stored values of a property (null: the key) have leading zeros; counted up to `most`. */
export async function countStoredZeros(
  session: PoolClient,
  entityTypeId: number,
  property: string | null,
  most: number,
): Promise<number> {
  const value = property === null ? 'key' : '(attributes ->> $2)';
  const { rows } = await session.query<{ count: string }>(
    `select count(*) from (
       select from resource where entity_type_id = $1 and ${leadingZero(value)} and ($2::text is null or true)
       limit ${most}) zeros`,
    [entityTypeId, property],
  );
  return Number(rows[0]?.count);
}

/** SQL: a number without its leading zeros; all zeros are one. */
const stripped = (value: string) => `coalesce(nullif(ltrim(${value}, '0'), ''), '0')`;

/** Deleted keys with leading zeros whose number is inserted. */
export async function keysWithoutZeros({
  session,
  deltaId,
  entityTypeId,
}: SampledScope): Promise<Replacement[]> {
  const { rows } = await session.query<Replacement>(
    `select null as key, gone.key as before, come.key as after
     from resource_change gone join resource_change come
       on come.delta_id = $1 and come.entity_type_id = $2 and come.change = 'insert' and come.key = ${stripped('gone.key')}
     where gone.delta_id = $1 and gone.entity_type_id = $2 and gone.change = 'delete' and ${leadingZero('gone.key')}`,
    [deltaId, entityTypeId],
  );
  return rows;
}

/** One end of the links of a navigation property, and the column of its source that says it. */
export interface LinkEnd {
  readonly navigationPropertyId: number;
  readonly end: 'from' | 'to';
  /** Entity type of that end. */
  readonly entityTypeId: number;
  /** Name of the entity type or association whose source it is in. */
  readonly source: string;
  readonly column: string;
}

/**
 * Ends of links with leading zeros that go, while the same number comes: as another link of the same resource, or as a
 * reject because nobody has that key.
 */
export async function linkEndsWithoutZeros(
  { session, deltaId, jobId }: { session: PoolClient; deltaId: bigint; jobId: string },
  { navigationPropertyId, end, source, column }: LinkEnd,
): Promise<Replacement[]> {
  const [own, other] = end === 'to' ? ['to_key', 'from_key'] : ['from_key', 'to_key'];
  const updated =
    end === 'to'
      ? `select from_key as key, previous_key as before, to_key as after from link_change
         where delta_id = $1 and navigation_property_id = $2 and change = 'update'
           and ${leadingZero('previous_key')} and to_key = ${stripped('previous_key')}
         union all`
      : '';
  const { rows } = await session.query<Replacement>(
    `${updated}
     select gone.${other}, gone.${own}, come.${own}
     from link_change gone join link_change come
       on come.delta_id = $1 and come.navigation_property_id = $2 and come.change = 'insert'
         and come.${other} = gone.${other} and come.${own} = ${stripped(`gone.${own}`)}
     where gone.delta_id = $1 and gone.navigation_property_id = $2 and gone.change = 'delete'
       and ${leadingZero(`gone.${own}`)}
     union all
     select gone.${other}, gone.${own}, r.value
     from link_change gone join (
       select distinct value from reject
       where job_id = $3 and entity_type = $4 and "column" = $5 and code = 'ReferenceUnknown') r
       on r.value = ${stripped(`gone.${own}`)}
     where gone.delta_id = $1 and gone.navigation_property_id = $2 and gone.change = 'delete'
       and ${leadingZero(`gone.${own}`)}`,
    [deltaId, navigationPropertyId, jobId, source, column],
  );
  return rows;
}

/** How many stored links have an end whose key has leading zeros; counted up to `most`. */
export async function countLinkedZeros(
  session: PoolClient,
  { navigationPropertyId, end, entityTypeId }: LinkEnd,
  most: number,
): Promise<number> {
  const { rows } = await session.query<{ count: string }>(
    `select count(*) from (
       select from link l join resource r on r.entity_type_id = $2 and r.id = l.${end}_id
       where l.navigation_property_id = $1 and ${leadingZero('r.key')} limit ${most}) zeros`,
    [navigationPropertyId, entityTypeId],
  );
  return Number(rows[0]?.count);
}

/** What some of the stored resources of an entity type say. */
export async function sampleStored(
  session: Pick<Pool, 'query'>,
  entityTypeId: number,
): Promise<Attributes[]> {
  const { rows } = await session.query<{ attributes: Attributes }>(
    `select attributes from resource where entity_type_id = $1 limit ${sampleSize}`,
    [entityTypeId],
  );
  return rows.map(({ attributes }) => attributes);
}

/** What some of the new rows say that can be used. */
export async function sampleStaged(
  session: PoolClient,
  entityTypeId: number,
): Promise<Attributes[]> {
  const { rows } = await session.query<{ attributes: Attributes }>(
    `select content as attributes from staged_row
     where entity_type_id = $1 and code is null limit ${sampleSize}`,
    [entityTypeId],
  );
  return rows.map(({ attributes }) => attributes);
}

/** Column → how many cells of it did not convert. */
export async function countUnfit(
  session: PoolClient,
  jobId: string,
  entityType: string,
): Promise<Map<string, number>> {
  const { rows } = await session.query<{ column: string; count: string }>(
    `select "column", count(*) from reject
     where job_id = $1 and entity_type = $2 and code = 'ValueInvalid' and "column" is not null group by 1`,
    [jobId, entityType],
  );
  return new Map(rows.map(({ column, count }) => [column, Number(count)]));
}
