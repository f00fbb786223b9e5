/** The entity types and navigation properties that the changes of a delta belong to, also those that only it knows. */
import type { ReadStore } from './read-store.ts';

/** SQL: every entity type that delta $1 may name (`id`, `name`). */
export const entityTypesOfDelta = `(
  select id, name from entity_type
  union all
  select p.id, p.name from delta d, jsonb_to_recordset(d.provisional -> 'entityTypes') as p (id int, name text)
  where d.id = $1)`;

/** SQL: every navigation property that delta $1 may name (`id`, `scope`, `property`, and the names of its ends). */
export const navigationsOfDelta = `(
  select n.id, n.scope, n.property, f.name as "from", t.name as "to"
  from navigation_property n join entity_type f on f.id = n.from_entity_type_id
  join entity_type t on t.id = n.to_entity_type_id
  union all
  select p.id, p.scope, p.property, p."from", p."to"
  from delta d, jsonb_to_recordset(d.provisional -> 'navigations')
    as p (id int, scope text, property text, "from" text, "to" text)
  where d.id = $1)`;

/** The names that only the newest delta of a job knows: entity types and link scopes that a simulation would add. */
export async function provisionalNames(store: ReadStore, jobId: string): Promise<string[]> {
  const { rows } = await store.pool.query<{ name: string }>(
    `with newest as (select provisional from delta where job_id = $1 order by id desc limit 1)
     select p.name from newest, jsonb_to_recordset(provisional -> 'entityTypes') as p (name text)
     union all
     select p.scope from newest, jsonb_to_recordset(provisional -> 'navigations') as p (scope text)`,
    [jobId],
  );
  return rows.map(({ name }) => name);
}
