/** Compares staged rows with stored resources: inserts, updates and deletes of resources. */
import { allSeen, isUnseen, type Plan, type ScopeComparison } from './plan.ts';

/** Plans the changes of every entity type. References and associations come after, since they need the new ids. */
export async function planResources(plan: Plan): Promise<void> {
  for (const comparison of plan.entityTypes) {
    await rejectDuplicates(plan, comparison);
    await planUpserts(plan, comparison);
    if (!allSeen(comparison)) await planDeletes(plan, comparison);
  }
  await noteComingsAndGoings(plan);
}

/**
 * Inserted and deleted resources, apart: of the table of all changes the planner knows nothing yet, and would look up a
 * hundred thousand new resources one by one in a list.
 */
async function noteComingsAndGoings({ session, deltaId }: Plan): Promise<void> {
  await session.query(
    `create temporary table inserted_resource on commit drop as
       select resource_id as id, entity_type_id, key from resource_change
       where delta_id = ${deltaId} and change = 'insert';
     create temporary table deleted_resource on commit drop as
       select resource_id as id, entity_type_id from resource_change
       where delta_id = ${deltaId} and change = 'delete';
     analyze inserted_resource; analyze deleted_resource`,
  );
}

/**
 * A key that stands on several lines identifies nothing: all its rows are set aside, also the one that is stored
 * already and was recognised by its digest (whose line is looked up later).
 */
async function rejectDuplicates({ session }: Plan, comparison: ScopeComparison): Promise<void> {
  await session.query(
    `update staged_row s set code = 'KeyDuplicate', "column" = '#key', value = s.key, message = 'the key is on lines ' || d.lines
     from (select key, string_agg(line::text, ', ' order by line) as lines
           from staged_row where entity_type_id = $1 and key is not null group by key having count(*) > 1) d
     where s.entity_type_id = $1 and s.key = d.key and s.code is null`,
    [comparison.id],
  );
  if (comparison.unseen === 'all') return;
  await session.query(
    `with duplicate as (
       update staged_row s set code = 'KeyDuplicate', "column" = '#key', value = s.key, message = 'the key is on another line too'
       from resource r
       where s.entity_type_id = $1 and coalesce(s.code, 'KeyDuplicate') = 'KeyDuplicate'
         and r.entity_type_id = $1 and r.key = s.key and not ${isUnseen(comparison, 'r')}
       returning s.key, r.source_digest, s.line)
     insert into late_reject (scope, digest, key, "column", value, code, message)
     select $2, source_digest, key, '#key', key, 'KeyDuplicate', 'the key is on line ' || min(line) || ' too'
     from duplicate group by source_digest, key`,
    [comparison.id, comparison.scope],
  );
}

async function planUpserts({ session, deltaId }: Plan, { id }: ScopeComparison): Promise<void> {
  await session.query(
    `insert into resource_change
       (delta_id, resource_id, entity_type_id, key, change, before, after, source_digest)
     select $1, coalesce(r.id, nextval('resource_id_seq')), $2, s.key,
       case when r.id is null then 'insert' else 'update' end, r.attributes, s.content, s.digest
     from staged_row s left join resource r on r.entity_type_id = $2 and r.key = s.key
     where s.entity_type_id = $2 and s.code is null and (r.id is null or r.attributes <> s.content)`,
    [deltaId, id],
  );
  await session.query(
    `insert into bookkeeping (delta_id, kind, resource_id, source_digest)
     select $1, case when r.source_digest is null then 'resource-digest-first' else 'resource-digest' end, r.id, s.digest
     from staged_row s join resource r on r.entity_type_id = $2 and r.key = s.key
     where s.entity_type_id = $2 and s.code is null and r.attributes = s.content
       and r.source_digest is distinct from s.digest`,
    [deltaId, id],
  );
}

/** A resource is deleted when its record is gone and no set-aside row may stand for it. */
async function planDeletes({ session, deltaId }: Plan, comparison: ScopeComparison): Promise<void> {
  await session.query(
    `insert into resource_change (delta_id, resource_id, entity_type_id, key, change, before)
     select $1, r.id, $2, r.key, 'delete', r.attributes
     from resource r
     where r.entity_type_id = $2 and ${isUnseen(comparison, 'r')}
       and not exists (select from staged_row s where s.entity_type_id = $2 and s.key = r.key)
       and not exists (select from held_value h where h.scope = $3 and h.value = r.key)`,
    [deltaId, comparison.id, comparison.scope],
  );
}
