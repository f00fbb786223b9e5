/** Compares the references of staged rows with stored links. */
import type { StoredNavigation } from './model-store.ts';
import { type FutureResources, type Plan, type ScopeComparison, usableRows } from './plan.ts';

/** Plans the links of every reference property whose owners were read anew. */
export async function planReferences(plan: Plan, future: FutureResources): Promise<void> {
  for (const owner of plan.entityTypes) {
    if (owner.staged === 0) continue;
    for (const navigation of plan.navigations) {
      const { singleValued, fromEntityTypeId, connector } = navigation;
      if (!singleValued || fromEntityTypeId !== owner.id || connector !== plan.connector) continue;
      await planReference(plan, future, owner, navigation);
    }
  }
}

async function planReference(
  plan: Plan,
  future: FutureResources,
  owner: ScopeComparison,
  { id, property, fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<void> {
  const { session, deltaId } = plan;
  const desired = `desired_reference_${id}`;
  const rows = usableRows(plan, owner);
  // As they should be (`to_id`, null while unknown) and as they are (`current_id`).
  await session.query(
    `create temporary table ${desired} on commit drop as
     select ${future.idOf(fromEntityTypeId, 'f')} as from_id, s.key as from_key, w.to_key, ${future.idOf(toEntityTypeId, 't')} as to_id,
       l.to_id as current_id, s.digest, s.line
     from ${rows} s
     ${future.join(fromEntityTypeId, 'f', 's.key')}
     left join staged_reference w on w.navigation_property_id = ${id} and w.from_key = s.key
     ${future.join(toEntityTypeId, 't', 'w.to_key')}
     left join lateral (
       select l.to_id from link l where l.navigation_property_id = ${id} and l.from_id = f.id
       order by l.to_id = t.id desc limit 1) l on true
     where w.to_key is not null or l.to_id is not null;
     analyze ${desired}`,
  );
  // Somebody's edit may have given a reference a second target.
  await session.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key)
     select ${deltaId}, ${id}, 'delete', l.from_id, l.to_id, d.from_key, r.key
     from ${desired} d
     join link l on l.navigation_property_id = ${id} and l.from_id = d.from_id
     join resource r on r.entity_type_id = ${toEntityTypeId} and r.id = l.to_id
     where l.to_id <> d.current_id`,
  );
  await session.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key,
       previous_id, previous_key, line)
     select ${deltaId}, ${id},
       case when d.to_id is null then 'delete' when d.current_id is null then 'insert' else 'update' end,
       d.from_id, coalesce(d.to_id, d.current_id), d.from_key,
       case when d.to_id is null then p.key else d.to_key end,
       case when d.to_id is not null then d.current_id end, case when d.to_id is not null then p.key end, d.line
     from ${desired} d left join resource p on p.entity_type_id = ${toEntityTypeId} and p.id = d.current_id
     where d.to_id is distinct from d.current_id`,
  );
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select ${deltaId}, 'pending-add', ${id}, d.from_key, d.to_key
     from ${desired} d
     where d.to_id is null and d.to_key is not null and not exists (
       select from pending_link p where p.navigation_property_id = ${id}
         and p.from_key = d.from_key and p.to_key = d.to_key)`,
  );
  // A row that was read again says anew what it refers to; what it said before no longer waits.
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select ${deltaId}, 'pending-remove', ${id}, p.from_key, p.to_key
     from pending_link p join ${rows} s on s.key = p.from_key
     where p.navigation_property_id = ${id} and not exists (
       select from ${desired} d where d.from_key = p.from_key and d.to_key = p.to_key and d.to_id is null)`,
  );
  await session.query(
    `insert into late_reject (scope, digest, line, key, "column", value, code, message)
     select '${owner.scope}', d.digest, d.line, d.from_key, $1::text, d.to_key, 'ReferenceUnknown',
       $1::text || ' refers to a ' || t.name || ' that does not exist'
     from ${desired} d join entity_type t on t.id = ${toEntityTypeId}
     where d.to_id is null and d.to_key is not null`,
    [property],
  );
}
