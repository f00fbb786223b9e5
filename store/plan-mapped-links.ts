/** Plans the links of targets: those of their sources, each end replaced by its counterpart, three-way as values are. */
import type { LinkRule, Mapping } from '../engine/mapping.ts';
import type { StoredNavigation } from './model-store.ts';
import type { LinkHolder } from './open-provisioning.ts';
import type { TargetPlan } from './plan-reconciliation.ts';

/** The two navigation properties of a rule, and the types at their other ends. */
interface MappedNavigation {
  readonly rule: LinkRule;
  readonly source: StoredNavigation;
  readonly target: StoredNavigation;
  readonly sourceOtherId: number;
  readonly targetOtherId: number;
  /** The resource at the other end is the one that holds the links in the connected system. */
  readonly holderIsOther: boolean;
}

/**
 * Plans the links of every pair that is confirmed, or will be when the delta is applied; after everything else.
 *
 * A link has one of two states on either side, so that both sides never conflict: the one that has changed it since they
 * agreed prevails. Only links whose both ends have a confirmed counterpart are looked at; a link of the source whose other
 * end has none is told, and left out.
 *
 * @param holders which ends hold links in the connected system that is written to
 */
export async function planMappedLinks(
  plan: TargetPlan,
  opposite: Mapping | undefined,
  idOf: (entityType: string) => number,
  holders: readonly LinkHolder[],
): Promise<void> {
  const { session, mapping, navigations } = plan;
  if (mapping.links.length === 0) return;
  await notePairs(plan);
  for (const rule of mapping.links) {
    const source = navigations.find(({ scope }) => scope === rule.sourceScope);
    const target = navigations.find(({ scope }) => scope === rule.targetScope);
    if (!source || !target) continue;
    const navigation = {
      ...{ rule, source, target },
      sourceOtherId: idOf(rule.sourceOther),
      targetOtherId: idOf(rule.targetOther),
      holderIsOther: holders.some(
        ({ navigationId, side }) =>
          navigationId === target.id && (side === 'to') !== rule.targetIsTo,
      ),
    };
    const isCovered =
      opposite?.operations.includes('update') === true &&
      opposite.links.some(
        (each) => each.targetScope === rule.sourceScope && each.sourceScope === rule.targetScope,
      );
    await noteOthers(plan, navigation);
    await noteLinks(plan, navigation);
    await tellUnknown(plan, navigation);
    await planChanges(plan, navigation, isCovered);
    await planAgreements(plan, navigation, isCovered);
    await session.query('drop table other_pair, source_link, target_link, merged_link');
  }
}

/** The pairs of this mapping that are written to: without those whose target is protected. */
async function notePairs({
  session,
  mapping,
  targetTypeId,
  protectedKeys,
}: TargetPlan): Promise<void> {
  const confirmsFound = mapping.onMatch === 'link-and-confirm';
  await session.query(
    `create temporary table link_pair on commit drop as
       select a.source_id, a.source_key, a.target_id, t.key as target_key
       from reacting_source a join resource t on t.entity_type_id = ${targetTypeId} and t.id = a.target_id
       where a.reaction = 'update' or (a.situation = 'found' and a.reaction = 'match' and ${confirmsFound})
       union all
       select source_id, source_key, target_id, target_key from decided where creates`,
  );
  await session.query('delete from link_pair where target_key = any($1)', [protectedKeys]);
  await session.query('create index on link_pair (source_id); analyze link_pair');
}

/** The counterparts of what may be at the other end. */
async function noteOthers(plan: TargetPlan, navigation: MappedNavigation): Promise<void> {
  const { session, sourceTypeId, targetTypeId } = plan;
  const { sourceOtherId, targetOtherId } = navigation;
  const [source, target] =
    sourceOtherId < targetOtherId ? (['first', 'second'] as const) : (['second', 'first'] as const);
  const isSame = sourceOtherId === sourceTypeId && targetOtherId === targetTypeId;
  await session.query(
    isSame
      ? 'create temporary table other_pair on commit drop as select * from link_pair'
      : `create temporary table other_pair on commit drop as
           select s.id as source_id, s.key as source_key, t.id as target_id, t.key as target_key
           from match m
           join resource s on s.entity_type_id = ${sourceOtherId} and s.id = m.${source}_id
           join resource t on t.entity_type_id = ${targetOtherId} and t.id = m.${target}_id
           where m.state = 'confirmed' and m.first_type_id = ${Math.min(sourceOtherId, targetOtherId)}
             and m.second_type_id = ${Math.max(sourceOtherId, targetOtherId)}`,
  );
  await session.query('create index on other_pair (source_id); analyze other_pair');
}

/** SQL: which end of a navigation property is the mapped one, and which the other. */
function ends(isTo: boolean) {
  return isTo ? { mapped: 'to_id', other: 'from_id' } : { mapped: 'from_id', other: 'to_id' };
}

/** What the source says, what the target has, and what was agreed, all of them as pairs of targets. */
async function noteLinks(
  { session, mapping }: TargetPlan,
  { rule, source, target }: MappedNavigation,
): Promise<void> {
  const ofSource = ends(rule.sourceIsTo);
  const ofTarget = ends(rule.targetIsTo);
  await session.query(
    `create temporary table source_link on commit drop as
       select p.target_id as mapped, o.target_id as other, p.source_key, l.${ofSource.other} as source_other
       from link l join link_pair p on p.source_id = l.${ofSource.mapped}
       left join other_pair o on o.source_id = l.${ofSource.other}
       where l.navigation_property_id = ${source.id};
     create temporary table target_link on commit drop as
       select l.${ofTarget.mapped} as mapped, l.${ofTarget.other} as other
       from link l join link_pair p on p.target_id = l.${ofTarget.mapped}
       join other_pair o on o.target_id = l.${ofTarget.other}
       where l.navigation_property_id = ${target.id};
     analyze source_link; analyze target_link`,
  );
  await session.query(
    `create temporary table merged_link on commit drop as
       select mapped, other, bool_or(said) as said, bool_or(held) as held, bool_or(agreed) as agreed,
         null::text as change
       from (
         select mapped, other, true as said, false as held, false as agreed from source_link where other is not null
         union all select mapped, other, false, true, false from target_link
         union all
         select l.${ofTarget.mapped}, l.${ofTarget.other}, false, false, true
         from agreed_link l join link_pair p on p.target_id = l.${ofTarget.mapped}
         join other_pair o on o.target_id = l.${ofTarget.other}
         where l.mapping = $1 and l.navigation_property_id = ${target.id}) each
       group by 1, 2`,
    [mapping.name],
  );
}

async function tellUnknown({ session }: TargetPlan, { rule }: MappedNavigation): Promise<void> {
  await session.query(
    `insert into told
     select source_key, $1, 'CounterpartUnknown', $1 || ' holds ' || count(*) || ' that have no confirmed counterpart'
     from source_link where other is null group by source_key`,
    [rule.target],
  );
}

async function planChanges(
  { session, deltaId, mapping, targetTypeId }: TargetPlan,
  { rule, target, targetOtherId }: MappedNavigation,
  isCovered: boolean,
): Promise<void> {
  await session.query(
    `update merged_link set change = 'insert' where said and not held and (not agreed or not ${isCovered});
     update merged_link set change = 'delete' where not said and held and (agreed or not ${isCovered})`,
  );
  const { mapped, other } = ends(rule.targetIsTo);
  if (target.singleValued) {
    // A reference that both sides have changed: what is managed by us prevails, as with values.
    const keeps = mapping.does === 'load' && isCovered;
    await session.query(
      keeps
        ? `update merged_link m set change = null where change = 'insert' and exists (
             select from link l where l.navigation_property_id = ${target.id} and l.${mapped} = m.mapped and not exists (
               select from merged_link d where d.mapped = m.mapped and d.other = l.${other} and d.change = 'delete'))`
        : `insert into merged_link
             select l.${mapped}, l.${other}, false, true, false, 'delete' from merged_link m
             join link l on l.navigation_property_id = ${target.id} and l.${mapped} = m.mapped
             where m.change = 'insert' and not exists (
               select from merged_link d where d.mapped = m.mapped and d.other = l.${other});
           update merged_link d set change = 'delete' where held and change is null and exists (
             select from merged_link m where m.mapped = d.mapped and m.change = 'insert')`,
    );
  }
  const keyOf = (id: string, typeId: number) =>
    `coalesce((select key from resource r where r.entity_type_id = ${typeId} and r.id = ${id}),
      (select target_key from decided d where d.creates and d.target_id = ${id}))`;
  const link = (of: string) => {
    const [mappedId, otherId] = [`${of}.mapped`, `${of}.other`];
    const [from, to] = rule.targetIsTo ? [otherId, mappedId] : [mappedId, otherId];
    const [fromType, toType] = rule.targetIsTo
      ? [targetOtherId, targetTypeId]
      : [targetTypeId, targetOtherId];
    return { from, to, fromKey: keyOf(from, fromType), toKey: keyOf(to, toType) };
  };
  const { from, to, fromKey, toKey } = link('m');
  const before = link('p');
  const previous = target.singleValued
    ? `left join merged_link p on p.mapped = m.mapped and p.change = 'delete' and m.change = 'insert'`
    : 'left join merged_link p on false';
  await session.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, previous_id,
       previous_key)
     select ${deltaId}, ${target.id}, case when p.mapped is null then m.change else 'update' end, ${from}, ${to},
       ${fromKey}, ${toKey}, ${before.to}, case when p.mapped is not null then ${before.toKey} end
     from merged_link m ${previous}
     where m.change is not null and not (${target.singleValued} and m.change = 'delete' and exists (
       select from merged_link i where i.mapped = m.mapped and i.change = 'insert'))`,
  );
}

/** What both sides have once the delta is applied is agreed; what neither has is so no more. */
async function planAgreements(
  { session, deltaId, mapping, opposite }: TargetPlan,
  { rule, source, target, holderIsOther }: MappedNavigation,
  isCovered: boolean,
): Promise<void> {
  const holder = holderIsOther ? 'm.other' : 'm.mapped';
  const agreeing = (name: string, navigation: number, from: string, to: string, joins = '') => `
    select ${deltaId}, ${name}, ${holder}, ${navigation}, ${from}, ${to}, not held_after
    from (select *, case change when 'insert' then true when 'delete' then false else held end as held_after
          from merged_link) m ${joins}
    where m.said = m.held_after and m.held_after <> exists (
      select from agreed_link a where a.mapping = ${name} and a.navigation_property_id = ${navigation}
        and a.from_id = ${from} and a.to_id = ${to})`;
  const columns =
    'insert into agreement_change (delta_id, mapping, resource_id, navigation_property_id, from_id, to_id, gone)';
  const [from, to] = rule.targetIsTo ? ['m.other', 'm.mapped'] : ['m.mapped', 'm.other'];
  await session.query(`${columns} ${agreeing('$1', target.id, from, to)}`, [mapping.name]);
  if (!isCovered || opposite === null) return;
  const [sourceFrom, sourceTo] = rule.sourceIsTo
    ? ['o.source_id', 'p.source_id']
    : ['p.source_id', 'o.source_id'];
  const joins =
    'join link_pair p on p.target_id = m.mapped join other_pair o on o.target_id = m.other';
  await session.query(`${columns} ${agreeing('$1', source.id, sourceFrom, sourceTo, joins)}`, [
    opposite,
  ]);
}
