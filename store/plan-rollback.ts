/** Plans the inverse of an applied delta: what it changed goes back, but for what was changed again since. */
import type { StoredNavigation } from './model-store.ts';
import { type FutureResources, noteComingsAndGoings, type Plan } from './plan.ts';
import { planHealing, planLinksOfDeleted } from './plan-links.ts';
import { Later } from './plan-rollback-rejects.ts';
import { planInverseResources } from './plan-rollback-resources.ts';

/**
 * Writes the inverse of a delta into the delta of a plan, whose entity types are all those that the former changed.
 *
 * What is no longer as that delta left it stays as it is, and becomes a reject; what is already as it was before, is let
 * be. Nothing of what goes back has a digest, and the sources concerned count as unread: the next complete job compares
 * it with what its source says.
 *
 * @param undone id of the delta to take back; all its changes must be kept
 */
export async function planRollback(plan: Plan, undone: bigint): Promise<void> {
  const { session, jobId } = plan;
  await session.query('delete from reject where job_id = $1', [jobId]);
  const later = new Later(plan, undone);
  for (const type of plan.entityTypes) await planInverseResources(plan, later, type);
  const future = await noteComingsAndGoings(plan);
  for (const navigation of await navigationsOf(plan, undone)) {
    if (navigation.singleValued) await planInverseReferences(plan, later, future, navigation);
    else await planInverseLinks(plan, later, future, navigation);
    await planInversePending(plan, undone, future, navigation);
  }
  await planLinksOfDeleted(plan, future);
  await planHealing(plan, future);
}

/** The navigation properties that a delta did something to, whoever owns them. */
async function navigationsOf(
  { session, navigations }: Plan,
  undone: bigint,
): Promise<StoredNavigation[]> {
  const { rows } = await session.query<{ id: number }>(
    `select distinct navigation_property_id as id from link_change where delta_id = ${undone}
     union select distinct navigation_property_id from bookkeeping
     where delta_id = ${undone} and kind in ('pending-add', 'pending-remove')`,
  );
  const touched = new Set(rows.map(({ id }) => id));
  return navigations.filter(({ id }) => touched.has(id));
}

/**
 * SQL: the id that an end of a link will have, null when it will not exist, or is another resource of the same key than
 * the link had. A first load names its ends by their keys only.
 */
function sameEnd(future: FutureResources, type: number, alias: string, id: string): string {
  return `case when ${alias}.id is null or ${id} is null or ${alias}.id = ${id} then ${future.idOf(type, alias)} end`;
}

/** The links of an association: those that came go, those that went come back if both their ends are there. */
async function planInverseLinks(
  { session, deltaId }: Plan,
  later: Later,
  future: FutureResources,
  { id, scope, fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<void> {
  const table = `undone_link_${id}`;
  // The planner may not know how much there is: link by link would take for ever.
  await session.query(
    `create temporary table ${table} on commit drop as
     select c.change, c.from_key, c.to_key, f.id as stored_from, t.id as stored_to,
       ${sameEnd(future, fromEntityTypeId, 'f', 'c.from_id')} as from_id,
       ${sameEnd(future, toEntityTypeId, 't', 'c.to_id')} as to_id
     from link_change c
     ${future.join(fromEntityTypeId, 'f', 'c.from_key')}
     ${future.join(toEntityTypeId, 't', 'c.to_key')}
     where c.delta_id = ${later.undone} and c.navigation_property_id = ${id};
     analyze ${table}`,
  );
  await session.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key)
     select ${deltaId}, ${id}, 'delete', u.stored_from, u.stored_to, u.from_key, u.to_key
     from ${table} u join link l on l.navigation_property_id = ${id} and l.from_id = u.stored_from and l.to_id = u.stored_to
     where u.change = 'insert';
     insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key)
     select ${deltaId}, ${id}, 'insert', u.from_id, u.to_id, u.from_key, u.to_key
     from ${table} u
     left join link l on l.navigation_property_id = ${id} and l.from_id = u.from_id and l.to_id = u.to_id
     where u.change = 'delete' and u.from_id is not null and u.to_id is not null and l.from_id is null`,
  );
  await later.rejectLinks(
    `select '${scope}' as name, u.from_key as key, case when u.from_id is null then 'from' else 'to' end as "column",
       case when u.from_id is null then u.from_key else u.to_key end as value,
       case when u.from_id is null then ${fromEntityTypeId} else ${toEntityTypeId} end as gone_type, null::bigint as now_delta
     from ${table} u where u.change = 'delete' and (u.from_id is null or u.to_id is null)`,
  );
}

/** References: each goes back to where it pointed, if it points to where the undone delta had put it. */
async function planInverseReferences(
  { session, deltaId }: Plan,
  later: Later,
  future: FutureResources,
  { id, scope, property, fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<void> {
  const table = `undone_reference_${id}`;
  const isOurs = `exists (select from bookkeeping b where b.delta_id = ${later.undone} and b.kind = 'pending-add'
    and b.navigation_property_id = ${id} and b.from_key = w.from_key and b.to_key = w.to_key)`;
  await session.query(
    `create temporary table ${table} on commit drop as
     select *, case change
         when 'insert' then case when now_id is null and not waits then 'done'
           when now_id = stored_to and is_same then 'undo' else 'changed' end
         when 'update' then case when now_id = stored_previous then 'done'
           when now_id = stored_to and is_same and previous_id is not null then 'undo' else 'changed' end
         when 'delete' then case when now_id = stored_to then 'done'
           when now_id is null and not waits and from_id is not null and to_id is not null then 'undo' else 'changed' end
       end as outcome
     from (
       select c.change, c.from_key, c.to_key, c.previous_key, f.id as stored_from, t.id as stored_to, p.id as stored_previous,
         coalesce(f.id = c.from_id, true) as is_same,
         ${sameEnd(future, fromEntityTypeId, 'f', 'c.from_id')} as from_id,
         ${sameEnd(future, toEntityTypeId, 't', 'c.to_id')} as to_id,
         ${sameEnd(future, toEntityTypeId, 'p', 'c.previous_id')} as previous_id,
         l.to_id as now_id, l.delta_id as now_delta,
         exists (select from pending_link w where w.navigation_property_id = ${id} and w.from_key = c.from_key
                 and not ${isOurs}) as waits
       from link_change c
       ${future.join(fromEntityTypeId, 'f', 'c.from_key')}
       ${future.join(toEntityTypeId, 't', 'c.to_key')}
       ${future.join(toEntityTypeId, 'p', 'c.previous_key')}
       left join lateral (
         select l.to_id, l.delta_id from link l where l.navigation_property_id = ${id} and l.from_id = f.id
         order by l.to_id = t.id desc limit 1) l on true
       where c.delta_id = ${later.undone} and c.navigation_property_id = ${id}) u;
     analyze ${table}`,
  );
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, previous_id, previous_key)
     select ${deltaId}, ${id}, case change when 'insert' then 'delete' when 'delete' then 'insert' else change end,
       case when change = 'delete' then from_id else stored_from end,
       case change when 'insert' then stored_to when 'update' then previous_id else to_id end,
       from_key, case when change = 'update' then previous_key else to_key end,
       case when change = 'update' then stored_to end, case when change = 'update' then to_key end
     from ${table} where outcome = 'undo'`,
  );
  await compareOwnersAgain(
    { session, deltaId },
    fromEntityTypeId,
    `select distinct stored_from as id from ${table} where outcome = 'undo'`,
  );
  const goneEnd = `case change when 'update' then case when previous_id is null then previous_key end
    when 'delete' then case when to_id is null then to_key end end`;
  await later.rejectLinks(
    `select '${scope.split('.')[0]}' as name, from_key as key, '${property}' as "column",
       coalesce(n.key, case when now_id is null then ${goneEnd} end) as value,
       case when now_id is null or now_id = stored_to then
         case when ${goneEnd} is not null then ${toEntityTypeId} when from_id is null then ${fromEntityTypeId} end
       end as gone_type, now_delta
     from ${table} left join resource n on n.entity_type_id = ${toEntityTypeId} and n.id = now_id
     where outcome = 'changed'`,
  );
}

/** A reference is part of its owner's record: without digest, that one is compared again by the next complete job. */
async function compareOwnersAgain(
  { session, deltaId }: Pick<Plan, 'session' | 'deltaId'>,
  entityTypeId: number,
  owners: string,
): Promise<void> {
  const { rowCount } = await session.query(
    `insert into bookkeeping (delta_id, kind, entity_type_id, resource_id)
     select ${deltaId}, 'resource-digest', ${entityTypeId}, o.id
     from (${owners}) o where o.id is not null and o.id not in (select id from deleted_resource)`,
  );
  if (rowCount !== 0) await compareScopeAgain({ session, deltaId }, `r${entityTypeId}`);
}

async function compareScopeAgain(
  { session, deltaId }: Pick<Plan, 'session' | 'deltaId'>,
  scope: string,
): Promise<void> {
  await session.query(
    `insert into bookkeeping (delta_id, kind, from_key) select $1, 'compare-again', scope from scope_source where scope = $2`,
    [deltaId, scope],
  );
}

/** Links that began to wait wait no longer; those that ceased to wait do again while an end is missing. */
async function planInversePending(
  { session, deltaId }: Plan,
  undone: bigint,
  future: FutureResources,
  { id, singleValued, fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<void> {
  const done = (kind: string) =>
    `b.delta_id = ${undone} and b.kind = '${kind}' and b.navigation_property_id = ${id}`;
  const from = future.idOf(fromEntityTypeId, 'f');
  const to = future.idOf(toEntityTypeId, 't');
  // The reference of a resource that is not there waits for nothing.
  const missing = singleValued
    ? `${from} is not null and ${to} is null`
    : `(${from} is null or ${to} is null)`;
  const { rowCount } = await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select distinct ${deltaId}, 'pending-remove', ${id}, b.from_key, b.to_key
     from bookkeeping b join pending_link p
       on p.navigation_property_id = ${id} and p.from_key = b.from_key and p.to_key = b.to_key
     where ${done('pending-add')} and not exists (
       select from bookkeeping o where ${done('pending-remove').replaceAll('b.', 'o.')}
         and o.from_key = b.from_key and o.to_key = b.to_key)
     union all
     select distinct ${deltaId}, 'pending-add', ${id}, b.from_key, b.to_key
     from bookkeeping b
     ${future.join(fromEntityTypeId, 'f', 'b.from_key')}
     ${future.join(toEntityTypeId, 't', 'b.to_key')}
     left join pending_link p
       on p.navigation_property_id = ${id} and p.from_key = b.from_key and p.to_key = b.to_key
     where ${done('pending-remove')} and p.from_key is null and ${missing}`,
  );
  if (rowCount === 0) return;
  if (!singleValued) return await compareScopeAgain({ session, deltaId }, `l${id}`);
  await compareOwnersAgain(
    { session, deltaId },
    fromEntityTypeId,
    `select distinct r.id from bookkeeping b join resource r on r.entity_type_id = ${fromEntityTypeId} and r.key = b.from_key
     where b.delta_id = ${deltaId} and b.navigation_property_id = ${id}`,
  );
}
