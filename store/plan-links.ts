/** Compares staged references and association rows with stored links, and lets pending links heal. */
import pg from 'pg';
import { allSeen, futureResources, isUnseen, type Plan, type ScopeComparison } from './plan.ts';

/** Plans the changes of links; `planResources` must have run before. */
export async function planLinks(plan: Plan): Promise<void> {
  await planReferences(plan);
  for (const comparison of plan.associations) {
    await planAssociation(plan, comparison);
    if (!allSeen(comparison)) await planMissingLinks(plan, comparison);
  }
  await planRetiredAssociations(plan);
  await planLinksOfDeleted(plan);
  await planHealing(plan);
}

/** An association that the configuration no longer declares says no links any more: all of them go, if the gate lets them. */
async function planRetiredAssociations({
  session,
  deltaId,
  connector,
  associations,
}: Plan): Promise<void> {
  const retired = `(select id from navigation_property
    where connector = $2 and not single_valued and id <> all($3::int[]))`;
  const values = [deltaId, connector, associations.map(({ id }) => id)];
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
     select $1, l.navigation_property_id, 'delete', l.from_id, l.to_id, f.key, t.key, l.source_digest
     from link l join resource f on f.id = l.from_id join resource t on t.id = l.to_id
     where l.navigation_property_id in ${retired}`,
    values,
  );
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select $1, 'pending-remove', navigation_property_id, from_key, to_key
     from pending_link where navigation_property_id in ${retired}`,
    values,
  );
}

/** The references of every staged row, as they should be (`to_id`, null while unknown) and as they are (`current_id`). */
async function planReferences(plan: Plan): Promise<void> {
  const { session, deltaId, connector } = plan;
  await session.query(
    `create temporary table desired_reference on commit drop as
     select n.id as navigation_property_id, n.property, s.entity_type_id, f.id as from_id, s.key as from_key,
       s.reference_keys ->> n.property as to_key, t.id as to_id, l.to_id as current_id, s.digest, s.line
     from staged_row s
     join navigation_property n
       on n.from_entity_type_id = s.entity_type_id and n.single_valued
       and n.connector = ${pg.escapeLiteral(connector)}
     join ${futureResources} f on f.entity_type_id = s.entity_type_id and f.key = s.key
     left join ${futureResources} t
       on t.entity_type_id = n.to_entity_type_id and t.key = s.reference_keys ->> n.property
     left join lateral (
       select l.to_id from link l where l.navigation_property_id = n.id and l.from_id = f.id
       order by l.to_id = t.id desc limit 1) l on true
     where s.code is null and (s.reference_keys ? n.property or l.to_id is not null)`,
  );
  await session.query('analyze desired_reference');
  // Somebody's edit may have given a reference a second target.
  await session.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key)
     select $1, l.navigation_property_id, 'delete', l.from_id, l.to_id, d.from_key, r.key
     from desired_reference d
     join link l on l.navigation_property_id = d.navigation_property_id and l.from_id = d.from_id
     join resource r on r.id = l.to_id
     where l.to_id <> d.current_id`,
    [deltaId],
  );
  await session.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key,
       previous_id, previous_key)
     select $1, d.navigation_property_id,
       case when d.to_id is null then 'delete' when d.current_id is null then 'insert' else 'update' end,
       d.from_id, coalesce(d.to_id, d.current_id), d.from_key,
       case when d.to_id is null then p.key else d.to_key end,
       case when d.to_id is not null then d.current_id end, case when d.to_id is not null then p.key end
     from desired_reference d left join resource p on p.id = d.current_id
     where d.to_id is distinct from d.current_id
     on conflict do nothing`,
    [deltaId],
  );
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select $1, 'pending-add', d.navigation_property_id, d.from_key, d.to_key
     from desired_reference d
     where d.to_id is null and d.to_key is not null and not exists (
       select from pending_link p where p.navigation_property_id = d.navigation_property_id
         and p.from_key = d.from_key and p.to_key = d.to_key)`,
    [deltaId],
  );
  // A row that was read again says anew what it refers to; what it said before no longer waits.
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select $1, 'pending-remove', p.navigation_property_id, p.from_key, p.to_key
     from pending_link p
     join navigation_property n on n.id = p.navigation_property_id and n.single_valued
     join staged_row s on s.entity_type_id = n.from_entity_type_id and s.key = p.from_key and s.code is null
     where not exists (
       select from desired_reference d where d.navigation_property_id = p.navigation_property_id
         and d.from_key = p.from_key and d.to_key = p.to_key and d.to_id is null)`,
    [deltaId],
  );
  await session.query(
    `insert into late_reject (scope, digest, line, key, "column", value, code, message)
     select 'r' || d.entity_type_id, d.digest, d.line, d.from_key, d.property, d.to_key, 'ReferenceUnknown',
       d.property || ' refers to a ' || t.name || ' that does not exist'
     from desired_reference d
     join navigation_property n on n.id = d.navigation_property_id
     join entity_type t on t.id = n.to_entity_type_id
     where d.to_id is null and d.to_key is not null`,
  );
}

/** New or changed rows of an association: links to insert, or pending while an end is unknown. */
async function planAssociation(plan: Plan, comparison: ScopeComparison): Promise<void> {
  const { session, deltaId } = plan;
  const table = `desired_link_${comparison.id}`;
  await session.query(
    `create temporary table ${table} on commit drop as
     select s.from_key, s.to_key, f.id as from_id, t.id as to_id, s.digest, s.line
     from staged_link s
     join navigation_property n on n.id = s.navigation_property_id
     left join ${futureResources} f on f.entity_type_id = n.from_entity_type_id and f.key = s.from_key
     left join ${futureResources} t on t.entity_type_id = n.to_entity_type_id and t.key = s.to_key
     where n.id = ${comparison.id} and s.code is null`,
  );
  await session.query(`analyze ${table}`);
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
     select distinct on (d.from_id, d.to_id)
       $1::bigint, $2::int, 'insert', d.from_id, d.to_id, d.from_key, d.to_key, d.digest
     from ${table} d left join link l on l.navigation_property_id = $2 and l.from_id = d.from_id and l.to_id = d.to_id
     where d.from_id is not null and d.to_id is not null and l.from_id is null
     order by d.from_id, d.to_id, d.line`,
    [deltaId, comparison.id],
  );
  // Rows that say the same link twice leave the digest that is seen; the other is compared again at every run.
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_id, to_id, source_digest)
     select $1, 'link-digest', $2, d.from_id, d.to_id, (array_agg(d.digest order by d.line))[1]
     from ${table} d join link l on l.navigation_property_id = $2 and l.from_id = d.from_id and l.to_id = d.to_id
     where ${isUnseen(comparison, 'l')} group by d.from_id, d.to_id`,
    [deltaId, comparison.id],
  );
  // One row speaks for a link that several rows say, also while it is pending: the row that is seen, else the first.
  const unknown = `(d.from_id is null or d.to_id is null) and not exists (
    select from pending_link p where p.navigation_property_id = ${comparison.id}
      and p.from_key = d.from_key and p.to_key = d.to_key and not ${isUnseen(comparison, 'p')})`;
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key, source_digest)
     select $1, 'pending-add', $2, d.from_key, d.to_key, (array_agg(d.digest order by d.line))[1]
     from ${table} d where ${unknown} group by d.from_key, d.to_key`,
    [deltaId, comparison.id],
  );
  await session.query(
    `insert into late_reject (scope, digest, line, key, "column", value, code, message)
     select distinct on (d.from_key, d.to_key)
       'l' || n.id, d.digest, d.line, d.from_key, case when d.from_id is null then 'from' else 'to' end,
       case when d.from_id is null then d.from_key else d.to_key end, 'ReferenceUnknown',
       'refers to a ' || case when d.from_id is null then f.name else t.name end || ' that does not exist'
     from ${table} d join navigation_property n on n.id = ${comparison.id}
     join entity_type f on f.id = n.from_entity_type_id join entity_type t on t.id = n.to_entity_type_id
     where ${unknown} order by d.from_key, d.to_key, d.line`,
  );
}

/** Links and pending links whose rows are gone from the extraction. */
async function planMissingLinks(plan: Plan, comparison: ScopeComparison): Promise<void> {
  const { session, deltaId } = plan;
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
     select $1, $2, 'delete', l.from_id, l.to_id, f.key, t.key, l.source_digest
     from link l join resource f on f.id = l.from_id join resource t on t.id = l.to_id
     where l.navigation_property_id = $2 and ${isUnseen(comparison, 'l')}
       and not exists (select from desired_link_${comparison.id} d where d.from_id = l.from_id and d.to_id = l.to_id)
       and not exists (select from held_value a join held_value b on b.scope = a.scope and b.line = a.line
                       where a.scope = $3 and a.value = f.key and b.value = t.key)
     on conflict do nothing`,
    [deltaId, comparison.id, comparison.scope],
  );
  await session.query(
    `insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select $1, 'pending-remove', $2, p.from_key, p.to_key
     from pending_link p where p.navigation_property_id = $2 and ${isUnseen(comparison, 'p')}`,
    [deltaId, comparison.id],
  );
}

/**
 * A deleted resource takes its links with it, whoever they come from. Where a source still says the link, it becomes
 * pending again and is reported.
 */
async function planLinksOfDeleted(plan: Plan): Promise<void> {
  const { session, deltaId, connector } = plan;
  const { rowCount } = await session.query(
    `create temporary table orphaned_link on commit drop as
     with touched as (
       select l.* from deleted_resource gone join navigation_property n on n.from_entity_type_id = gone.entity_type_id
       join link l on l.navigation_property_id = n.id and l.from_id = gone.id
       union
       select l.* from deleted_resource gone join navigation_property n on n.to_entity_type_id = gone.entity_type_id
       join link l on l.navigation_property_id = n.id and l.to_id = gone.id)
     select l.navigation_property_id, l.from_id, l.to_id, f.key as from_key, t.key as to_key, l.source_digest,
       f.source_digest as owner_digest, f.entity_type_id as from_entity_type_id,
       exists (select from deleted_resource gone where gone.id = l.from_id) as from_gone
     from touched l join resource f on f.id = l.from_id join resource t on t.id = l.to_id
     where not exists (select from link_change c where c.delta_id = ${deltaId}
       and c.navigation_property_id = l.navigation_property_id and c.from_id = l.from_id
       and (c.previous_id = l.to_id or (c.to_id = l.to_id and c.change = 'delete')))`,
  );
  if (rowCount === 0) return;
  await session.query(
    `insert into link_change
       (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, source_digest)
     select ${deltaId}, navigation_property_id, 'delete', from_id, to_id, from_key, to_key, source_digest
     from orphaned_link on conflict do nothing`,
  );
  // An association's row claims its link as long as it is seen; a reference as long as its owner stays as it was.
  await session.query(
    `with claimed as (
       select o.*, n.single_valued, n.connector, n.property, f.name as from_type, t.name as to_type
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
async function planHealing(plan: Plan): Promise<void> {
  const { session, deltaId, connector } = plan;
  await session.query(
    `create temporary table waiting_link on commit drop as
     select p.*, n.single_valued, n.connector, n.property, n.from_entity_type_id, f.id as from_id, t.id as to_id,
       l.to_id as current_id
     from pending_link p join navigation_property n on n.id = p.navigation_property_id
     left join ${futureResources} f on f.entity_type_id = n.from_entity_type_id and f.key = p.from_key
     left join ${futureResources} t on t.entity_type_id = n.to_entity_type_id and t.key = p.to_key
     left join link l on n.single_valued and l.navigation_property_id = n.id and l.from_id = f.id
     where not exists (select from bookkeeping b where b.delta_id = ${deltaId} and b.kind = 'pending-remove'
       and b.navigation_property_id = p.navigation_property_id and b.from_key = p.from_key and b.to_key = p.to_key)
       and not (n.single_valued and exists (
         select from staged_row s where s.entity_type_id = n.from_entity_type_id and s.key = p.from_key and s.code is null))`,
  );
  await session.query(
    `with healed as (
       insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key,
         previous_id, previous_key, source_digest)
       select ${deltaId}, w.navigation_property_id, case when w.current_id is null then 'insert' else 'update' end,
         w.from_id, w.to_id, w.from_key, w.to_key, w.current_id, c.key, w.source_digest
       from waiting_link w left join resource c on c.id = w.current_id
       where w.from_id is not null and w.to_id is not null and w.current_id is distinct from w.to_id
         and not exists (select from link l where l.navigation_property_id = w.navigation_property_id
                         and l.from_id = w.from_id and l.to_id = w.to_id)
       on conflict do nothing)
     insert into bookkeeping (delta_id, kind, navigation_property_id, from_key, to_key)
     select ${deltaId}, 'pending-remove', navigation_property_id, from_key, to_key from waiting_link
     where (from_id is not null and to_id is not null) or (single_valued and from_id is null)`,
  );
  await session.query(
    `insert into late_reject (scope, digest, key, "column", value, code, message)
     select case when w.single_valued then 'r' || w.from_entity_type_id else 'l' || w.navigation_property_id end,
       case when w.single_valued then o.source_digest else w.source_digest end, w.from_key,
       case when w.single_valued then w.property when w.from_id is null then 'from' else 'to' end,
       case when w.from_id is null then w.from_key else w.to_key end, 'ReferenceUnknown',
       'refers to a ' || case when w.from_id is null then f.name else t.name end || ' that does not exist yet'
     from waiting_link w join navigation_property n on n.id = w.navigation_property_id
     join entity_type f on f.id = n.from_entity_type_id join entity_type t on t.id = n.to_entity_type_id
     left join resource o on o.id = w.from_id
     where w.connector = $1 and (w.from_id is null or w.to_id is null)
       and not (w.single_valued and w.from_id is null)
       and not exists (select from bookkeeping b where b.delta_id = ${deltaId} and b.kind = 'pending-add'
         and b.navigation_property_id = w.navigation_property_id and b.from_key = w.from_key and b.to_key = w.to_key)`,
    [connector],
  );
}
