/** Turns what was decided about pairs, and about targets without a source, into the changes of a delta. */
import type { StoredNavigation } from './model-store.ts';
import type { ReconciliationPlan } from './reconciled-pairs.ts';

/** What the changes of targets are planned from. */
export interface TargetPlan extends ReconciliationPlan {
  /** Name of the opposite mapping. */
  readonly opposite: string | null;
  /** Every navigation property of the store. */
  readonly navigations: readonly StoredNavigation[];
}

/**
 * Refuses decisions that must not be carried out, and tells of them: what is protected, and keys that are taken. Nothing is
 * ever overwritten because it has the key of something new.
 */
export async function refuseDecisions({
  session,
  targetTypeId,
  protectedKeys,
}: ReconciliationPlan): Promise<void> {
  await session.query(
    `create temporary table refused on commit drop as
       select d.source_id, d.source_key, case
           when d.target_key = any($2) or t.key = any($2) then 'ResourceProtected' else 'KeyDuplicate' end as code
       from decided d
       left join resource t on not d.creates and t.entity_type_id = $1 and t.id = d.target_id
       left join resource o on o.entity_type_id = $1 and o.key = d.target_key and o.id <> d.target_id
       where o.id is not null
         or ((d.target_key = any($2) or t.key = any($2)) and (d.creates or d.after <> t.attributes))
         or exists (select from decided e where e.target_key = d.target_key and e.source_id <> d.source_id
                    and (d.creates or d.target_key <> t.key) and e.creates)`,
    [targetTypeId, protectedKeys],
  );
  await session.query(
    `insert into told
       select source_key, null, code, case code
         when 'ResourceProtected' then 'its target is protected, and stays as it is'
         else 'another target has the key that this one would get; mend the key, or match the two' end
       from refused;
     delete from decided d using refused r where r.source_id = d.source_id;
     analyze decided`,
  );
}

/** SQL: the digest of a planned change is that of what it leaves; of a deletion, of what was there. */
const digest = (json: string) => `md5((${json})::text)::uuid`;

/** Plans creations and updates, and what is agreed then. */
export async function planDecisions({
  session,
  deltaId,
  mapping,
  opposite,
  targetTypeId,
}: TargetPlan): Promise<void> {
  await session.query(
    `insert into resource_change (delta_id, entity_type_id, resource_id, key, change, after, source_digest)
       select ${deltaId}, ${targetTypeId}, target_id, target_key, 'insert', after, ${digest('after')}
       from decided where creates;
     insert into resource_change (delta_id, entity_type_id, resource_id, key, change, before, after, source_digest)
       select ${deltaId}, ${targetTypeId}, r.id, r.key, 'update', r.attributes, d.after, ${digest('d.after')}
       from decided d join resource r on r.entity_type_id = ${targetTypeId} and r.id = d.target_id
       where not d.creates and r.attributes <> d.after;
     insert into created_counterpart
       select source_id, source_key, target_id, target_key from decided where creates`,
  );
  await session.query(
    `insert into agreement_change (delta_id, mapping, resource_id, source_id, target_id, values)
     select ${deltaId}, $1, target_id, source_id, target_id, agreed::json from decided where agreed is not null
     union all
     select ${deltaId}, $2, target_id, target_id, source_id, opposite_agreed::json
     from decided where opposite_agreed is not null and $2::text is not null`,
    [mapping.name, opposite],
  );
  if (mapping.does === 'provision') return;
  await session.query(
    `insert into bookkeeping (delta_id, kind, entity_type_id, resource_id, from_key, to_key)
     select ${deltaId}, 'value-origin', ${targetTypeId}, target_id, property, $1
     from decided, unnest(set) property`,
    [mapping.connector],
  );
}

/** Plans what is done about targets whose source is gone or does not qualify, and about pairs that are no more. */
export async function planOrphans(plan: TargetPlan): Promise<void> {
  const { session, deltaId, mapping, targetTypeId, protectedKeys } = plan;
  await session.query(
    `insert into told
       select t.target_key, null, 'ResourceProtected', 'the target is protected, and stays as it is'
       from reacting_target t join resource r on r.entity_type_id = ${targetTypeId} and r.id = t.target_id
       where t.target_key = any($1) and (t.reaction = 'delete' or (t.reaction = 'disable' and not r.attributes @> $2::jsonb))`,
    [protectedKeys, JSON.stringify(mapping.disable)],
  );
  await session.query(
    `delete from reacting_target where target_key = any($1) and reaction in ('disable', 'delete')`,
    [protectedKeys],
  );
  await session.query(
    `insert into resource_change (delta_id, entity_type_id, resource_id, key, change, before, after, source_digest)
     select ${deltaId}, ${targetTypeId}, r.id, r.key, 'update', r.attributes, r.attributes || $1::jsonb,
       ${digest('r.attributes || $1::jsonb')}
     from reacting_target t join resource r on r.entity_type_id = ${targetTypeId} and r.id = t.target_id
     where t.reaction = 'disable' and not r.attributes @> $1::jsonb`,
    [JSON.stringify(mapping.disable)],
  );
  // What disabling has set is not what the source said: when the source comes back, it is asked again.
  await session.query(
    `insert into agreement_change (delta_id, mapping, resource_id, source_id, target_id, values)
     select ${deltaId}, a.mapping, a.target_id, a.source_id, a.target_id, (a.values::jsonb - $2::text[])::json
     from reacting_target t join agreed_values a on a.mapping = $1 and a.target_id = t.target_id
     where t.reaction = 'disable' and a.values::jsonb ?| $2::text[]`,
    [mapping.name, Object.keys(mapping.disable)],
  );
  await session.query(
    `insert into resource_change (delta_id, entity_type_id, resource_id, key, change, before, source_digest)
       select ${deltaId}, ${targetTypeId}, r.id, r.key, 'delete', r.attributes, ${digest('r.attributes')}
       from reacting_target t join resource r on r.entity_type_id = ${targetTypeId} and r.id = t.target_id
       where t.reaction = 'delete';
     insert into ended_match
       select match_id from reacting_target where reaction in ('delete', 'unmatch') and match_id is not null
       union select match_id from reacting_source where reaction = 'unmatch' and match_id is not null
       on conflict do nothing`,
  );
  await planLinksOfDeleted(plan);
  await forgetAgreements(plan);
}

/**
 * What is deleted loses its links first. A connected system may keep a member that is gone, so there, too, each holder is
 * told.
 */
async function planLinksOfDeleted(plan: TargetPlan): Promise<void> {
  const { session, deltaId, mapping, targetTypeId, navigations } = plan;
  for (const { id, connector, fromEntityTypeId, toEntityTypeId } of navigations) {
    if (mapping.does === 'provision' && connector !== mapping.connector) continue;
    const ends = [
      ...(fromEntityTypeId === targetTypeId ? ['l.from_id'] : []),
      ...(toEntityTypeId === targetTypeId ? ['l.to_id'] : []),
    ];
    if (ends.length === 0) continue;
    const isDeleted = ends.map(
      (end) =>
        `${end} in (select resource_id from resource_change where delta_id = ${deltaId} and change = 'delete')`,
    );
    await session.query(
      `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key)
       select ${deltaId}, ${id}, 'delete', l.from_id, l.to_id, f.key, t.key
       from link l join resource f on f.entity_type_id = ${fromEntityTypeId} and f.id = l.from_id
       join resource t on t.entity_type_id = ${toEntityTypeId} and t.id = l.to_id
       where l.navigation_property_id = ${id} and (${isDeleted.join(' or ')})`,
    );
  }
}

/** Of two that are matched no more nothing is agreed: should they ever be matched again, the source is asked anew. */
async function forgetAgreements({
  session,
  deltaId,
  mapping,
  opposite,
  sourceTypeId,
  targetTypeId,
}: TargetPlan): Promise<void> {
  const target = sourceTypeId < targetTypeId ? 'second' : 'first';
  const pairs = [mapping.name, opposite].filter((name) => name !== null);
  await session.query(
    `insert into agreement_change (delta_id, mapping, resource_id, source_id, target_id, gone)
     select ${deltaId}, a.mapping, m.${target}_id, a.source_id, a.target_id, true
     from ended_match e join match m on m.id = e.match_id
     join agreed_values a on a.mapping = any($1)
       and (a.source_id, a.target_id) in ((m.first_id, m.second_id), (m.second_id, m.first_id))`,
    [pairs],
  );
  await session.query(
    `insert into agreement_change (delta_id, mapping, resource_id, navigation_property_id, from_id, to_id, gone)
     select distinct ${deltaId}::bigint, a.mapping, m.${target}_id, a.navigation_property_id, a.from_id, a.to_id, true
     from ended_match e join match m on m.id = e.match_id
     join agreed_link a on a.mapping = any($1)
       and (a.from_id in (m.first_id, m.second_id) or a.to_id in (m.first_id, m.second_id))`,
    [pairs],
  );
}

/** Writes what is to be told as the rejects of the job, in place of those of an earlier preparation. */
export async function recordTold({ session, jobId, mapping }: ReconciliationPlan): Promise<number> {
  await session.query('delete from reject where job_id = $1', [jobId]);
  const { rowCount } = await session.query(
    `insert into reject (job_id, entity_type, file, key, "column", code, message)
     select $1, $2, '', key, property, code, message from told order by code, key, property`,
    [jobId, mapping.source],
  );
  return rowCount ?? 0;
}
