/** Plans the inverse of what an applied delta did to the resources of one entity type. */
import type { Plan, ScopeComparison } from './plan.ts';
import type { Later } from './plan-rollback-rejects.ts';

/**
 * Inserted resources go, deleted ones come back with their key (and their id, where it is free), updated ones get back
 * what they were. One that is not as the undone delta left it becomes a reject, unless it is as it was before.
 */
export async function planInverseResources(
  { session, deltaId }: Plan,
  later: Later,
  { id, name }: ScopeComparison,
): Promise<void> {
  const table = `undone_resource_${id}`;
  await session.query(
    `create temporary table ${table} on commit drop as
     select c.resource_id, c.key, c.change, c.before, c.after, n.attributes as now, n.delta_id as now_delta,
       o.id is not null as is_id_taken,
       case
         when c.change = 'insert' and n.id is null and o.id is null then 'done'
         when c.change = 'update' and n.id = c.resource_id and n.attributes = c.before then 'done'
         when c.change = 'delete' and n.attributes = c.before then 'done'
         when c.change = 'delete' and n.id is null then 'undo'
         when c.change <> 'delete' and n.id = c.resource_id and n.attributes = c.after then 'undo'
         else 'changed' end as outcome
     from resource_change c
     left join resource n on n.entity_type_id = ${id} and n.key = c.key
     left join resource o on o.entity_type_id = ${id} and o.id = c.resource_id
     where c.delta_id = ${later.undone} and c.entity_type_id = ${id};
     analyze ${table}`,
  );
  await session.query(
    `insert into resource_change (delta_id, resource_id, entity_type_id, key, change, before, after)
     select ${deltaId}, case when change = 'delete' and is_id_taken then nextval('resource_id_seq') else resource_id end,
       ${id}, key, case change when 'insert' then 'delete' when 'delete' then 'insert' else change end, now, before
     from ${table} where outcome = 'undo' order by resource_id`,
  );
  await later.rejectResources({ id, name }, `select * from ${table} where outcome = 'changed'`);
}
