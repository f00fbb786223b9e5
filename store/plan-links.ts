/** Compares staged references and association rows with stored links, and lets pending links heal. */

import type { StoredNavigation } from './model-store.ts';
import {
  allSeen,
  type FutureResources,
  isUnseen,
  type Plan,
  type ScopeComparison,
  usableRows,
} from './plan.ts';
import { planMarkedLinks } from './plan-marked-links.ts';
import { planReferences } from './plan-references.ts';
import { unseenLinks } from './unseen-rows.ts';

/** Plans the changes of links; `planResources` must have run before. */
export async function planLinks(plan: Plan, future: FutureResources): Promise<void> {
  await planReferences(plan, future);
  for (const comparison of plan.associations) {
    const navigation = plan.navigations.find(({ id }) => id === comparison.id) as StoredNavigation;
    if (comparison.fresh) await checkFirstLinks(plan, future, comparison, navigation);
    else if (comparison.staged > 0) await planAssociation(plan, future, comparison, navigation);
    if (comparison.partial) await planMarkedLinks(plan, comparison, navigation);
    else if (!allSeen(comparison)) await planMissingLinks(plan, comparison, navigation);
  }
  await planRetiredAssociations(plan);
  await planLinksOfDeleted(plan, future);
  await planHealing(plan, future);
}

/** An association that the configuration no longer declares says no links any more: all of them go, if the gate lets them. */
async function planRetiredAssociations(plan: Plan): Promise<void> {
  const { session, deltaId, connector, associations, navigations } = plan;
  const declared = new Set(associations.map(({ id }) => id));
  for (const { id, fromEntityTypeId, toEntityTypeId, ...navigation } of navigations) {
    if (navigation.connector !== connector || navigation.singleValued || declared.has(id)) continue;
    await session.query(
      `insert into link_change
         (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
       select ${deltaId}, ${id}, 'delete', l.from_id, l.to_id, f.key, t.key, l.source_digest
       from link l join resource f on f.entity_type_id = ${fromEntityTypeId} and f.id = l.from_id
       join resource t on t.entity_type_id = ${toEntityTypeId} and t.id = l.to_id
       where l.navigation_property_id = ${id};
       insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
       select ${deltaId}, 'pending-remove', navigation_property_id, from_key, to_key
       from pending_link where navigation_property_id = ${id}`,
    );
  }
}

/**
 * The rows of an association that was never loaded are inserts of the delta already. Those that say a link once more go
 * out of it, and those of which an end is unknown become pending.
 */
async function checkFirstLinks(
  { session, deltaId }: Plan,
  future: FutureResources,
  { id, scope, mayRepeat, mayDangle, changes }: ScopeComparison,
  { fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<void> {
  const ours = `c.delta_id = ${deltaId} and c.navigation_property_id = ${id}`;
  if (mayRepeat) {
    await session.query(
      `delete from ${changes} c using (
         select c.id, row_number() over (partition by c.from_key, c.to_key order by c.line, c.id) as nth
         from ${changes} c where ${ours}) again
       where ${ours} and c.id = again.id and again.nth > 1`,
    );
  }
  if (!mayDangle) return;
  const fromUnknown = `${future.idOf(fromEntityTypeId, 'f')} is null`;
  const toUnknown = `${future.idOf(toEntityTypeId, 't')} is null`;
  // The planner may not know how much there is: link by link would take for ever.
  await session.query('set local enable_nestloop = off');
  const { rowCount: unknown } = await session.query(
    `create temporary table unknown_link_${id} on commit drop as
     select c.id, c.from_key, c.to_key, c.source_digest, c.line, ${fromUnknown} as from_unknown
     from ${changes} c
     ${future.join(fromEntityTypeId, 'f', 'c.from_key')}
     ${future.join(toEntityTypeId, 't', 'c.to_key')}
     where ${ours} and (${fromUnknown} or ${toUnknown})`,
  );
  await session.query('set local enable_nestloop = on');
  if (unknown === 0) return;
  await session.query(
    `delete from ${changes} c using unknown_link_${id} u where ${ours} and c.id = u.id;
     insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key, source_digest)
     select ${deltaId}, 'pending-add', ${id}, from_key, to_key, source_digest from unknown_link_${id};
     insert into late_reject (scope, digest, line, key, "column", value, code, message)
     select '${scope}', u.source_digest, u.line, u.from_key, case when u.from_unknown then 'from' else 'to' end,
       case when u.from_unknown then u.from_key else u.to_key end, 'ReferenceUnknown',
       'refers to a ' || case when u.from_unknown then f.name else t.name end || ' that does not exist'
     from unknown_link_${id} u join entity_type f on f.id = ${fromEntityTypeId}
     join entity_type t on t.id = ${toEntityTypeId}`,
  );
}

/** New or changed rows of an association: links to insert, or pending while an end is unknown. */
async function planAssociation(
  { session, deltaId }: Plan,
  future: FutureResources,
  comparison: ScopeComparison,
  { fromEntityTypeId, toEntityTypeId }: StoredNavigation,
): Promise<void> {
  const { id } = comparison;
  const table = desiredLinks(comparison);
  await session.query(
    `create temporary table ${table} on commit drop as
     select s.from_key, s.to_key, ${future.idOf(fromEntityTypeId, 'f')} as from_id,
       ${future.idOf(toEntityTypeId, 't')} as to_id, s.digest, s.line
     from staged_link s
     ${future.join(fromEntityTypeId, 'f', 's.from_key')}
     ${future.join(toEntityTypeId, 't', 's.to_key')}
     where s.navigation_property_id = ${id} and s.code is null`,
  );
  await session.query(`analyze ${table}`);
  // Looked up once: of rows that are new or changed hardly any says a link that is stored.
  await session.query(
    `create temporary table said_link_${id} on commit drop as
     select d.from_id, d.to_id, d.digest, d.line, l.source_digest from ${table} d
     join link l on l.navigation_property_id = ${id} and l.from_id = d.from_id and l.to_id = d.to_id`,
  );
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest, line)
     select distinct on (d.from_id, d.to_id)
       ${deltaId}, ${id}, 'insert', d.from_id, d.to_id, d.from_key, d.to_key, d.digest, d.line
     from ${table} d
     where d.from_id is not null and d.to_id is not null
       and not exists (select from said_link_${id} l where l.from_id = d.from_id and l.to_id = d.to_id)
     order by d.from_id, d.to_id, d.line`,
  );
  // Rows that say the same link twice leave the digest that is seen; the other is compared again at every run.
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_id, to_id, source_digest)
     select ${deltaId}, 'link-digest', ${id}, l.from_id, l.to_id, (array_agg(l.digest order by l.line))[1]
     from said_link_${id} l where ${isUnseen(comparison, 'l')} group by l.from_id, l.to_id
     having bool_and(l.source_digest is distinct from l.digest)`,
  );
  // One row speaks for a link that several rows say, also while it is pending: the row that is seen, else the first.
  const unknown = `(d.from_id is null or d.to_id is null) and not exists (
    select from pending_link p where p.navigation_property_id = ${id}
      and p.from_key = d.from_key and p.to_key = d.to_key and not ${isUnseen(comparison, 'p')})`;
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key, source_digest)
     select ${deltaId}, 'pending-add', ${id}, d.from_key, d.to_key, (array_agg(d.digest order by d.line))[1]
     from ${table} d where ${unknown} group by d.from_key, d.to_key`,
  );
  await session.query(
    `insert into late_reject (scope, digest, line, key, "column", value, code, message)
     select distinct on (d.from_key, d.to_key)
       '${comparison.scope}', d.digest, d.line, d.from_key, case when d.from_id is null then 'from' else 'to' end,
       case when d.from_id is null then d.from_key else d.to_key end, 'ReferenceUnknown',
       'refers to a ' || case when d.from_id is null then f.name else t.name end || ' that does not exist'
     from ${table} d join entity_type f on f.id = ${fromEntityTypeId} join entity_type t on t.id = ${toEntityTypeId}
     where ${unknown} order by d.from_key, d.to_key, d.line`,
  );
}

function desiredLinks({ id }: ScopeComparison): string {
  return `desired_link_${id}`;
}

/** Links and pending links whose rows are gone from the extraction. */
async function planMissingLinks(
  { session, deltaId }: Plan,
  comparison: ScopeComparison,
  navigation: StoredNavigation,
): Promise<void> {
  const { id, scope, staged } = comparison;
  const desired = `and not exists (
    select from ${desiredLinks(comparison)} d where d.from_id = l.from_id and d.to_id = l.to_id)`;
  const unseen = await unseenLinks(session, comparison, navigation);
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
     select ${deltaId}, ${id}, 'delete', l.from_id, l.to_id, l.from_key, l.to_key, l.source_digest
     from ${unseen} l
     where not exists (select from held_value a join held_value b on b.scope = a.scope and b.line = a.line
                       where a.scope = '${scope}' and a.value = l.from_key and b.value = l.to_key)
       ${staged > 0 ? desired : ''}`,
  );
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select ${deltaId}, 'pending-remove', ${id}, p.from_key, p.to_key
     from pending_link p where p.navigation_property_id = ${id} and ${isUnseen(comparison, 'p')}`,
  );
}

/**
 * A deleted resource takes its links with it, whoever they come from. Where a source still says the link, it becomes
 * pending again and is reported.
 */
export async function planLinksOfDeleted(plan: Plan, future: FutureResources): Promise<void> {
  const { session, deltaId, connector } = plan;
  const touched = plan.navigations.filter(
    ({ fromEntityTypeId, toEntityTypeId }) =>
      future.deletes(fromEntityTypeId) || future.deletes(toEntityTypeId),
  );
  if (touched.length === 0) return;
  await session.query(
    `create temporary table orphaned_link (
       navigation_property_id int, from_id bigint, to_id bigint, from_key text, to_key text, source_digest uuid,
       owner_digest uuid, from_gone boolean) on commit drop`,
  );
  for (const { id, fromEntityTypeId, toEntityTypeId } of touched) {
    // Apart, so that the planner knows how few they are before it looks up their ends.
    await session.query(
      `create temporary table touched_link_${id} on commit drop as
         select l.* from deleted_resource gone join link l on l.navigation_property_id = ${id} and l.from_id = gone.id
         where gone.entity_type_id = ${fromEntityTypeId}
         union
         select l.* from deleted_resource gone join link l on l.navigation_property_id = ${id} and l.to_id = gone.id
         where gone.entity_type_id = ${toEntityTypeId};
       analyze touched_link_${id}`,
    );
    await session.query(
      `insert into orphaned_link
       select ${id}, l.from_id, l.to_id, f.key, t.key, l.source_digest, f.source_digest,
         exists (select from deleted_resource gone where gone.id = l.from_id)
       from touched_link_${id} l join resource f on f.entity_type_id = ${fromEntityTypeId} and f.id = l.from_id
       join resource t on t.entity_type_id = ${toEntityTypeId} and t.id = l.to_id
       where not exists (select from link_change c where c.delta_id = ${deltaId}
         and c.navigation_property_id = ${id} and c.from_id = l.from_id
         and (c.previous_id = l.to_id or (c.to_id = l.to_id and c.change = 'delete')))`,
    );
  }
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
     select ${deltaId}, navigation_property_id, 'delete', from_id, to_id, from_key, to_key, source_digest
     from orphaned_link`,
  );
  // An association's row claims its link as long as it is seen; a reference as long as its owner stays as it was.
  await session.query(
    `with claimed as (
       select o.*, n.single_valued, n.connector, n.property, n.from_entity_type_id, f.name as from_type, t.name as to_type
       from orphaned_link o join navigation_property n on n.id = o.navigation_property_id
       join entity_type f on f.id = n.from_entity_type_id join entity_type t on t.id = n.to_entity_type_id
       where case when n.single_valued then not o.from_gone else o.source_digest is not null end
         and not exists (select from unseen_digest u
                         where u.scope = 'l' || o.navigation_property_id and u.digest = o.source_digest)),
     pending as (
       insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key, source_digest)
       select ${deltaId}, 'pending-add', navigation_property_id, from_key, to_key, source_digest from claimed)
     insert into late_reject (scope, digest, key, "column", value, code, message)
     select case when single_valued then 'r' || from_entity_type_id else 'l' || navigation_property_id end,
       case when single_valued then owner_digest else source_digest end, from_key,
       case when single_valued then property when from_gone then 'from' else 'to' end,
       case when from_gone then from_key else to_key end, 'ReferenceUnknown',
       case when single_valued then property || ' refers' else 'refers' end || ' to a '
         || case when from_gone then from_type else to_type end || ' that does not exist any more'
     from claimed where connector = $1`,
    [connector],
  );
}

/** Pending links whose ends exist now become links, of whichever connector; the others of this one are reported again. */
export async function planHealing(plan: Plan, future: FutureResources): Promise<void> {
  const { session, deltaId, connector } = plan;
  const { rows } = await session.query<{ id: number }>(
    'select distinct navigation_property_id as id from pending_link',
  );
  const waited = new Set(rows.map(({ id }) => id));
  const concerned = plan.navigations.filter(
    (each) =>
      waited.has(each.id) &&
      (each.connector === connector ||
        future.inserts(each.fromEntityTypeId) ||
        future.inserts(each.toEntityTypeId)),
  );
  if (concerned.length === 0) return;
  await session.query(
    `create temporary table waiting_link (
       navigation_property_id int, from_key text, to_key text, source_digest uuid, single_valued boolean,
       from_id bigint, to_id bigint, current_id bigint, current_key text, owner_digest uuid) on commit drop`,
  );
  for (const navigation of concerned) await noteWaiting(plan, future, navigation);
  await session.query(
    `with healed as (
       insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key,
         previous_id, previous_key, source_digest)
       select ${deltaId}, w.navigation_property_id, case when w.current_id is null then 'insert' else 'update' end,
         w.from_id, w.to_id, w.from_key, w.to_key, w.current_id, w.current_key, w.source_digest
       from waiting_link w
       where w.from_id is not null and w.to_id is not null and w.current_id is distinct from w.to_id
         and not exists (select from link l where l.navigation_property_id = w.navigation_property_id
                         and l.from_id = w.from_id and l.to_id = w.to_id)
         and not exists (select from link_change c where c.delta_id = ${deltaId}
                         and c.navigation_property_id = w.navigation_property_id
                         and c.from_key = w.from_key and c.to_key = w.to_key))
     insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select ${deltaId}, 'pending-remove', navigation_property_id, from_key, to_key from waiting_link
     where (from_id is not null and to_id is not null) or (single_valued and from_id is null)`,
  );
  await session.query(
    `insert into late_reject (scope, digest, key, "column", value, code, message)
     select case when w.single_valued then 'r' || n.from_entity_type_id else 'l' || n.id end,
       case when w.single_valued then w.owner_digest else w.source_digest end, w.from_key,
       case when w.single_valued then n.property when w.from_id is null then 'from' else 'to' end,
       case when w.from_id is null then w.from_key else w.to_key end, 'ReferenceUnknown',
       'refers to a ' || case when w.from_id is null then f.name else t.name end || ' that does not exist yet'
     from waiting_link w join navigation_property n on n.id = w.navigation_property_id
     join entity_type f on f.id = n.from_entity_type_id join entity_type t on t.id = n.to_entity_type_id
     where n.connector = $1 and (w.from_id is null or w.to_id is null)
       and not (w.single_valued and w.from_id is null)
       and not exists (select from bookkeeping b where b.delta_id = ${deltaId} and b.kind = 'pending-add'
         and b.navigation_property_id = w.navigation_property_id and b.from_key = w.from_key and b.to_key = w.to_key)`,
    [connector],
  );
}

/** The pending links of one navigation property that this delta does not take away, with the ends they have by now. */
async function noteWaiting(
  plan: Plan,
  future: FutureResources,
  { id, fromEntityTypeId, toEntityTypeId, singleValued }: StoredNavigation,
): Promise<void> {
  const { session, deltaId } = plan;
  const owner = plan.entityTypes.find((type) => type.id === fromEntityTypeId);
  const readAgain =
    singleValued && owner
      ? `and not exists (select from ${usableRows(plan, owner)} s where s.key = p.from_key)`
      : '';
  const current = `select l.to_id, c.key from link l
    join resource c on c.entity_type_id = ${toEntityTypeId} and c.id = l.to_id
    where ${singleValued} and l.navigation_property_id = ${id} and l.from_id = f.id`;
  await session.query(
    `insert into waiting_link
     select ${id}, p.from_key, p.to_key, p.source_digest, ${singleValued}, ${future.idOf(fromEntityTypeId, 'f')},
       ${future.idOf(toEntityTypeId, 't')}, l.to_id, l.key, o.source_digest
     from pending_link p
     ${future.join(fromEntityTypeId, 'f', 'p.from_key')}
     ${future.join(toEntityTypeId, 't', 'p.to_key')}
     left join resource o on o.entity_type_id = ${fromEntityTypeId} and o.id = f.id
     left join lateral (${current}) l on true
     where p.navigation_property_id = ${id} ${readAgain}
       and not exists (select from bookkeeping b where b.delta_id = ${deltaId} and b.kind = 'pending-remove'
         and b.navigation_property_id = ${id} and b.from_key = p.from_key and b.to_key = p.to_key)`,
  );
}
