/** Which keys the store does not know. */
import type { ReadStore } from './read-store.ts';

/** Of these keys, those that no resource of the entity type has. An entity type the store never heard of has none. */
export async function unknownKeys(
  { pool }: Pick<ReadStore, 'pool'>,
  entityType: string,
  keys: readonly string[],
): Promise<Set<string>> {
  const { rows } = await pool.query<{ key: string }>(
    `select k.key from unnest($2::text[]) as k (key)
     where not exists (
       select from resource r
       where r.entity_type_id = (select id from entity_type where name = $1) and r.key = k.key)`,
    [entityType, keys],
  );
  return new Set(rows.map(({ key }) => key));
}
