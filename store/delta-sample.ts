/** Samples of what a delta plans in one scope, spread over all of it, for the diagnoses of a breach. */
import type { PoolClient } from 'pg';
import type {
  KeyedResource,
  Replacement,
  UnfitValue,
  UpdatedResource,
} from '../engine/diagnosis/evidence.ts';

/** So many changes of a kind tell what happened. */
const sampleSize = 2000;
/** Of inserted resources that are sought among the deleted ones. */
const soughtResources = 500;

/** The changes of one entity type in one delta. */
export interface SampledScope {
  readonly session: PoolClient;
  readonly deltaId: bigint;
  readonly entityTypeId: number;
}

/**
 * SQL: one of so many rows, chosen by key, so that each comes or stays whole. Keys that differ in capitals and leading zeros
 * only are chosen together.
 */
export function oneOf(every: number, key = 'key'): string {
  return every === 1 ? 'true' : `(hashtext(ltrim(lower(${key}), '0')) & 2147483647) % ${every} = 0`;
}

export const strideOf = (count: number, size = sampleSize) => Math.max(1, Math.ceil(count / size));

/** Updated resources. @param count how many there are */
export async function sampleUpdates(
  { session, deltaId, entityTypeId }: SampledScope,
  count: number,
): Promise<UpdatedResource[]> {
  if (count === 0) return [];
  const { rows } = await session.query<UpdatedResource>(
    `select key, before, after from resource_change
     where delta_id = $1 and entity_type_id = $2 and change = 'update' and ${oneOf(strideOf(count))}
     limit ${sampleSize * 2}`,
    [deltaId, entityTypeId],
  );
  return rows;
}

/** Inserted and deleted resources: the same keys of both, as far as {@link oneOf} takes them for the same. */
export async function sampleComingsAndGoings(
  { session, deltaId, entityTypeId }: SampledScope,
  { inserted, deleted }: { readonly inserted: number; readonly deleted: number },
): Promise<{ inserts: KeyedResource[]; deletes: KeyedResource[] }> {
  const chosen = oneOf(strideOf(Math.max(inserted, deleted)));
  const sample = async (change: 'insert' | 'delete', image: string) => {
    const { rows } = await session.query<KeyedResource>(
      `select key, ${image} as attributes from resource_change
       where delta_id = $1 and entity_type_id = $2 and change = $3 and ${chosen}
       limit ${sampleSize * 2}`,
      [deltaId, entityTypeId, change],
    );
    return rows;
  };
  return {
    inserts: inserted === 0 ? [] : await sample('insert', 'after'),
    deletes: deleted === 0 ? [] : await sample('delete', 'before'),
  };
}

/** Any inserted resources, without a look at the others: a first load may insert millions. */
export async function someInserts(
  { session, deltaId, entityTypeId }: SampledScope,
  count: number,
): Promise<KeyedResource[]> {
  const { rows } = await session.query<KeyedResource>(
    `select key, after as attributes from resource_change
     where delta_id = $1 and entity_type_id = $2 and change = 'insert' limit $3`,
    [deltaId, entityTypeId, count],
  );
  return rows;
}

/** Cells that did not convert, with what is stored of their resources. @param count of all rejects of the entity type */
export async function sampleUnfit(
  { session, entityTypeId }: SampledScope,
  jobId: string,
  entityType: string,
  count: number,
): Promise<UnfitValue[]> {
  if (count === 0) return [];
  const { rows } = await session.query<UnfitValue>(
    `select j.key, j."column", j.value, r.attributes as stored
     from reject j left join resource r on r.entity_type_id = $3 and r.key = j.key
     where j.job_id = $1 and j.entity_type = $2 and j.code = 'ValueInvalid' and j."column" is not null
       and j.value is not null and j.id % ${strideOf(count)} = 0
     limit ${sampleSize}`,
    [jobId, entityType, entityTypeId],
  );
  return rows;
}

/** How many rejects of each code an entity type or association has, most first. */
export async function countRejects(
  session: PoolClient,
  jobId: string,
  entityType: string,
): Promise<Map<string, number>> {
  const { rows } = await session.query<{ code: string; count: string }>(
    `select code, count(*) from reject where job_id = $1 and entity_type = $2
     group by code order by count(*) desc, code`,
    [jobId, entityType],
  );
  return new Map(rows.map(({ code, count }) => [code, Number(count)]));
}

/**
 * Inserted resources that say of themselves just what one deleted resource says, and only that one.
 *
 * @param ignored properties that do not count: the key, and what is computed from others
 * @returns the pairs, and among how many inserted resources they were sought
 */
export async function sameUnderAnotherKey(
  { session, deltaId, entityTypeId }: SampledScope,
  inserted: number,
  ignored: readonly string[],
): Promise<{ pairs: Replacement[]; among: number }> {
  const { rows } = await session.query<{ after: string; before: string | null; found: string }>(
    `with come as (
       select key, after - $3::text[] as rest from resource_change
       where delta_id = $1 and entity_type_id = $2 and change = 'insert'
         and ${oneOf(strideOf(inserted, soughtResources))} limit ${soughtResources * 2}),
     gone as (
       select key, before - $3::text[] as rest from resource_change
       where delta_id = $1 and entity_type_id = $2 and change = 'delete')
     select come.key as after, min(gone.key) as before, count(gone.key) as found
     from come left join gone on gone.rest = come.rest and come.rest <> '{}'
     group by come.key`,
    [deltaId, entityTypeId, ignored],
  );
  const pairs = rows
    .filter(({ found }) => Number(found) === 1)
    .map(({ before, after }) => ({ key: null, before: before as string, after }));
  return { pairs, among: rows.length };
}

/** The resources of these keys that the delta deletes. */
export async function deletedAmong(
  { session, deltaId, entityTypeId }: SampledScope,
  keys: readonly string[],
): Promise<KeyedResource[]> {
  const { rows } = await session.query<KeyedResource>(
    `select key, before as attributes from resource_change
     where delta_id = $1 and entity_type_id = $2 and change = 'delete' and key = any ($3)`,
    [deltaId, entityTypeId, keys],
  );
  return rows;
}
