/** Compares staged rows with stored resources: inserts, updates and deletes of resources. */
import { placeText } from './line-place.ts';
import { allSeen, isUnseen, type ResourceComparison, type ScopeComparison } from './plan.ts';
import { unseenResources } from './unseen-rows.ts';

/** Plans the changes of every entity type. References and associations come after, since they need the new ids. */
export async function planResources(plan: ResourceComparison): Promise<void> {
  for (const comparison of plan.entityTypes) {
    let said: string | undefined;
    if (comparison.staged > 0) {
      if (comparison.mayRepeat) await rejectRepeated(plan, comparison);
      if (!comparison.fresh) said = await planUpserts(plan, comparison);
    }
    if (comparison.partial) await planMarkedDeletes(plan, comparison);
    else if (!allSeen(comparison)) await planDeletes(plan, comparison, said);
  }
}

/** A key that stands on several lines identifies nothing: all its rows are set aside. */
async function rejectRepeated(
  plan: ResourceComparison,
  comparison: ScopeComparison,
): Promise<void> {
  const { session, deltaId } = plan;
  const { id, fresh, changes } = comparison;
  const inDelta = `select key, line from ${changes} where delta_id = ${deltaId} and entity_type_id = ${id}`;
  const inStaging = `select key, line from staged_row where entity_type_id = ${id} and key is not null`;
  const rows = fresh ? `(${inDelta} union all ${inStaging})` : `(${inStaging})`;
  const repeated = `repeated_key_${id}`;
  // First which keys: the lines of every other key would be sorted for nothing.
  const { rowCount } = await session.query(
    `create temporary table ${repeated} on commit drop as
     select key from ${rows} k group by key having count(*) > 1`,
  );
  if (rowCount !== 0) {
    const lines = `(select key, 'the key is on lines ' || string_agg(${placeText(comparison, 'line')}, ', ' order by line) as message
      from ${rows} k join ${repeated} using (key) group by key)`;
    await session.query(
      fresh
        ? `with message as ${lines}, gone as (
             delete from ${changes} c using ${repeated} k
             where c.delta_id = ${deltaId} and c.entity_type_id = ${id} and c.key = k.key
             returning c.key, c.source_digest, c.line)
           insert into staged_row (entity_type_id, key, digest, line, code, "column", value, message)
           select ${id}, key, source_digest, line, 'KeyDuplicate', '#key', key, message from gone join message using (key)`
        : `update staged_row s set code = 'KeyDuplicate', "column" = '#key', value = s.key, message = d.message
           from ${lines} d where s.entity_type_id = ${id} and s.key = d.key and s.code is null`,
    );
  }
}

/** @returns the temporary table of staged rows with the resources of their keys (`id`): each is looked up once */
async function planUpserts(plan: ResourceComparison, comparison: ScopeComparison): Promise<string> {
  const { session, deltaId } = plan;
  const { id } = comparison;
  const said = `said_resource_${id}`;
  await session.query(
    `create temporary table ${said} on commit drop as
     select s.key, s.code, s.content, s.digest, s.line, r.id, r.attributes, r.source_digest,
       r.attributes = s.content as is_equal, r.id is not null and not ${isUnseen(comparison, 'r')} as is_seen
     from staged_row s left join resource r on r.entity_type_id = ${id} and r.key = s.key
     where s.entity_type_id = ${id} and s.key is not null and coalesce(s.code, 'KeyDuplicate') = 'KeyDuplicate'`,
  );
  await rejectDuplicatesOfSeen(plan, comparison, said);
  await session.query(
    `insert into resource_change
       (delta_id, resource_id, entity_type_id, key, change, before, after, source_digest, line)
     select ${deltaId}, coalesce(id, nextval('resource_id_seq')), ${id}, key,
       case when id is null then 'insert' else 'update' end, attributes, content, digest, line
     from ${said} where code is null and not is_seen and is_equal is not true`,
  );
  await session.query(
    `insert into bookkeeping (delta_id, kind, entity_type_id, resource_id, source_digest)
     select ${deltaId}, case when source_digest is null then 'resource-digest-first' else 'resource-digest' end,
       ${id}, id, digest
     from ${said} where code is null and not is_seen and is_equal and source_digest is distinct from digest`,
  );
  return said;
}

/** The row that is stored already, and was recognised by its digest, is set aside as well; its line is looked up later. */
async function rejectDuplicatesOfSeen(
  { session }: ResourceComparison,
  comparison: ScopeComparison,
  said: string,
): Promise<void> {
  const { id, scope } = comparison;
  const { rowCount } = await session.query(
    `insert into late_reject (scope, digest, key, "column", value, code, message)
     select $1, source_digest, key, '#key', key, 'KeyDuplicate', 'the key is on line ' || ${placeText(comparison, 'min(line)')} || ' too'
     from ${said} where is_seen group by source_digest, key`,
    [scope],
  );
  if (rowCount === 0) return;
  await session.query(
    `update staged_row s set code = 'KeyDuplicate', "column" = '#key', value = s.key, message = 'the key is on another line too'
     from (select distinct key from ${said} where is_seen) d
     where s.entity_type_id = ${id} and s.key = d.key and coalesce(s.code, 'KeyDuplicate') = 'KeyDuplicate'`,
  );
}

/** A resource is deleted when its record is gone and no set-aside row may stand for it. */
async function planDeletes(
  { session, deltaId }: ResourceComparison,
  comparison: ScopeComparison,
  said: string | undefined,
): Promise<void> {
  const { id, scope } = comparison;
  const unseen = await unseenResources(session, comparison);
  // Most of them have only changed: their rows need not be looked at once more.
  const unsaid = said ? `(select id from ${unseen} except select id from ${said})` : unseen;
  await session.query(
    `insert into resource_change (delta_id, resource_id, entity_type_id, key, change, before)
     select ${deltaId}, r.id, ${id}, r.key, 'delete', r.attributes
     from ${unsaid} u join resource r on r.entity_type_id = ${id} and r.id = u.id
     where not exists (select from staged_row s where s.entity_type_id = ${id} and s.key = r.key)
       and not exists (select from held_value h where h.scope = $1 and h.value = r.key)`,
    [scope],
  );
}

/** A resource whose row is marked as deleted goes, unless another row may stand for it. */
async function planMarkedDeletes(
  { session, deltaId }: ResourceComparison,
  { id, scope, partial }: ScopeComparison,
): Promise<void> {
  if (partial?.deleted === 0) return;
  await session.query(
    `insert into resource_change (delta_id, resource_id, entity_type_id, key, change, before)
     select ${deltaId}, r.id, ${id}, r.key, 'delete', r.attributes
     from (select distinct key from staged_row_deletion where entity_type_id = ${id}) d
     join resource r on r.entity_type_id = ${id} and r.key = d.key
     where not exists (select from staged_row s where s.entity_type_id = ${id} and s.key = r.key)
       and not exists (select from held_value h where h.scope = $1 and h.value = r.key)`,
    [scope],
  );
}
