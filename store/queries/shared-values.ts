/** Values of correlation that several resources have: whoever has one of them, no rule can tell apart. */
import { type ComparedProperty, comparedColumns, comparedValues } from '../correlation-value.ts';
import type { ReadStore } from './read-store.ts';

/** How far a rule cannot tell the resources of an entity type apart. */
export interface SharedValues {
  /** How many values several resources have. */
  readonly values: number;
  readonly resources: number;
  /** Keys of the first of those resources, at most 20. **Danger:** identity data, for a person who asks for it. */
  readonly keys: readonly string[];
}

/** Looks at every resource of an entity type, as the rule compares it. Undefined when nothing was ever loaded of it. */
export async function sharedValues(
  { pool }: Pick<ReadStore, 'pool'>,
  entityType: string,
  properties: readonly ComparedProperty[],
): Promise<SharedValues | undefined> {
  const types = await pool.query<{ id: number }>('select id from entity_type where name = $1', [
    entityType,
  ]);
  const id = types.rows[0]?.id;
  if (id === undefined) return undefined;
  const { rows } = await pool.query<{ values: string; resources: string; keys: string[] | null }>(
    `with shared as (
       select count(*) as n, min(key collate "C") as first, (array_agg(key order by key collate "C"))[1:20] as keys
       from ${comparedValues(id, properties)} v group by ${comparedColumns(properties)} having count(*) > 1)
     select count(*) as values, coalesce(sum(n), 0) as resources,
       (select array_agg(key) from (
          select unnest(keys) as key from (select keys from shared order by first limit 20) few limit 20) k) as keys
     from shared`,
  );
  const [found] = rows;
  return {
    values: Number(found?.values),
    resources: Number(found?.resources),
    keys: found?.keys ?? [],
  };
}
