/** Links whose rows are marked as deleted. */
import type { StoredNavigation } from './model-store.ts';
import type { Plan, ScopeComparison } from './plan.ts';

/** Plans the end of links, and of pending ones, whose rows are marked as deleted, unless another row says them. */
export async function planMarkedLinks(
  { session, deltaId }: Plan,
  { id, scope, partial }: ScopeComparison,
  { fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<void> {
  if (partial?.deleted === 0) return;
  await session.query(
    `create temporary table marked_link_${id} on commit drop as
     select distinct d.from_key, d.to_key from staged_link_deletion d
     where d.navigation_property_id = ${id}
       and not exists (select from staged_link s where s.navigation_property_id = ${id}
                       and s.from_key = d.from_key and s.to_key = d.to_key)
       and not exists (select from held_value a join held_value b on b.scope = a.scope and b.line = a.line
                       where a.scope = '${scope}' and a.value = d.from_key and b.value = d.to_key);
     analyze marked_link_${id};
     insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
     select ${deltaId}, ${id}, 'delete', l.from_id, l.to_id, f.key, t.key, l.source_digest
     from marked_link_${id} d
     join resource f on f.entity_type_id = ${fromEntityTypeId} and f.key = d.from_key
     join resource t on t.entity_type_id = ${toEntityTypeId} and t.key = d.to_key
     join link l on l.navigation_property_id = ${id} and l.from_id = f.id and l.to_id = t.id;
     insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select ${deltaId}, 'pending-remove', ${id}, p.from_key, p.to_key
     from pending_link p join marked_link_${id} d using (from_key, to_key)
     where p.navigation_property_id = ${id}`,
  );
}
