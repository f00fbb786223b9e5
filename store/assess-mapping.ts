/**
 * Finds the situation of every resource on both sides of a mapping, and leaves it in temporary tables: what is matched
 * stays matched, what is not is correlated.
 */
import pg, { type PoolClient } from 'pg';
import { ruleText } from '../engine/correlation-rule.ts';
import type { CorrelationRule, Mapping, Situation } from '../engine/mapping.ts';
import { type ComparedProperty, comparedColumns, comparedValues } from './correlation-value.ts';

/** A mapping between two entity types that the store knows. */
export interface MappedPair {
  readonly mapping: Pick<Mapping, 'correlate'>;
  readonly sourceTypeId: number;
  readonly targetTypeId: number;
}

/** So many candidates are listed for a person to choose from, the first by their keys. */
const listedCandidates = 20;

/**
 * Assesses a mapping. Makes these temporary tables, which the end of the transaction takes away:
 *
 * - `assessed_match (match_id, state, source_id, source_key, target_id, target_key, stored_source_id, stored_target_id,
 *   source_missing_since, target_missing_since, returned)`: every match of the two entity types. `source_id` and
 *   `target_id` are those of the resources that are there now, null for one that is gone. Where a resource of the same key
 *   has come in place of one that was gone, its id differs from the stored one, and `returned` is true.
 * - `assessed_source (source_id, source_key, situation, target_id, target_key, match_id, match_state, rule, compared,
 *   candidates)`: every resource of the source. `rule` and `compared` (the source's values of the properties it compares)
 *   of what correlation found; `candidates` of ambiguous ones, at most 20 keys.
 * - `assessed_target (target_id, target_key, situation, match_id, match_state, source_id, source_key, missing_since)`:
 *   targets that are `unassigned`, or `sourceMissing`: matched with a resource that is gone (`source_id` null) or does not
 *   qualify. `missing_since` is what the match says, null when it is the first time.
 *
 * A match with one end gone binds the other no more than it must: when a rule finds exactly one free counterpart for it (a
 * resource whose key has changed is another resource), it is `found` again, and the old match makes way for the new.
 *
 * Sources that do not qualify are read from the temporary table `unqualified_source (source_id)`, if there is one.
 *
 * @returns how many resources are in each situation
 */
export async function assessMapping(
  session: PoolClient,
  pair: MappedPair,
): Promise<Record<Situation, number>> {
  await session.query(
    'create temporary table if not exists unqualified_source (source_id bigint primary key) on commit drop',
  );
  await session.query('analyze unqualified_source');
  await assessMatches(session, pair);
  await correlate(session, pair);
  await assessSources(session, pair);
  await assessTargets(session, pair);
  return await countSituations(session);
}

/** SQL: the columns of a match, seen from a mapping. */
export function matchSides({ sourceTypeId, targetTypeId }: Omit<MappedPair, 'mapping'>) {
  const sourceFirst = sourceTypeId < targetTypeId;
  return {
    source: sourceFirst ? 'first' : 'second',
    target: sourceFirst ? 'second' : 'first',
    /** SQL: the condition for matches (and what is shaped like them) of the two entity types. */
    of: (alias: string) =>
      `${alias}.first_type_id = ${Math.min(sourceTypeId, targetTypeId)}
       and ${alias}.second_type_id = ${Math.max(sourceTypeId, targetTypeId)}`,
  } as const;
}

async function assessMatches(session: PoolClient, pair: MappedPair): Promise<void> {
  const { source, target, of } = matchSides(pair);
  // Of several matches that wait for the same key, the newest gets it.
  const side = (name: 'source' | 'target', prefix: string, typeId: number) => `
    create temporary table returned_${name} on commit drop as
      select distinct on (r.id) m.id as match_id, r.id
      from match m
      join resource r on r.entity_type_id = ${typeId} and r.key = m.${prefix}_key
      where ${of('m')}
        and not exists (select from resource g where g.entity_type_id = ${typeId} and g.id = m.${prefix}_id)
        and not exists (select from match o where ${of('o')} and o.${prefix}_id = r.id)
      order by r.id, m.id desc;
    analyze returned_${name}`;
  await session.query(side('source', source, pair.sourceTypeId));
  await session.query(side('target', target, pair.targetTypeId));
  await session.query(
    `create temporary table assessed_match on commit drop as
       select m.id as match_id, m.state,
         coalesce(s.id, rs.id) as source_id, m.${source}_key as source_key,
         coalesce(t.id, rt.id) as target_id, m.${target}_key as target_key,
         m.${source}_id as stored_source_id, m.${target}_id as stored_target_id,
         m.${source}_missing_since as source_missing_since, m.${target}_missing_since as target_missing_since,
         rs.id is not null or rt.id is not null as returned
       from match m
       left join resource s on s.entity_type_id = ${pair.sourceTypeId} and s.id = m.${source}_id
       left join resource t on t.entity_type_id = ${pair.targetTypeId} and t.id = m.${target}_id
       left join returned_source rs on rs.match_id = m.id
       left join returned_target rt on rt.match_id = m.id
       where ${of('m')};
     analyze assessed_match`,
  );
}

/** Looks for the counterparts of what has none, rule by rule: the first that finds anything decides. */
async function correlate(session: PoolClient, pair: MappedPair): Promise<void> {
  await session.query(
    `create temporary table open_source on commit drop as
       select r.id as source_id from resource r
       left join assessed_match m on m.source_id = r.id
       left join unqualified_source u on u.source_id = r.id
       where r.entity_type_id = ${pair.sourceTypeId} and m.target_id is null and u.source_id is null;
     create temporary table correlated (
       source_id bigint, rule text, compared jsonb, found bigint, target_id bigint, candidates text[]
     ) on commit drop;
     alter table open_source add primary key (source_id);
     analyze open_source`,
  );
  // A wrong guess of how many values there are must not have every source looked up in a list of all targets.
  await session.query('set local enable_nestloop = off');
  for (const rule of pair.mapping.correlate) {
    const { rows } = await session.query<{ open: boolean }>(
      'select exists (select from open_source) as open',
    );
    if (!rows[0]?.open) break;
    await applyRule(session, pair, rule);
  }
  await session.query('set local enable_nestloop to default');
}

async function applyRule(
  session: PoolClient,
  pair: MappedPair,
  rule: CorrelationRule,
): Promise<void> {
  const { source, target, of } = matchSides(pair);
  const side = (of: 'source' | 'target') =>
    rule.pairs.map((each): ComparedProperty => ({ property: each[of], ignore: each.ignore }));
  const columns = comparedColumns(rule.pairs);
  const same = (one: string, other: string) =>
    rule.pairs.map((_, nth) => `${one}.k${nth} = ${other}.k${nth}`).join(' and ');
  const text = pg.escapeLiteral(ruleText(rule));
  await session.query(
    `create temporary table rule_source on commit drop as
       select v.*, exists (
         select from non_match n where ${of('n')} and n.${source}_key = v.key) as refused
       from ${comparedValues(pair.sourceTypeId, side('source'), 'exists (select from open_source o where o.source_id = r.id)')} v;
     analyze rule_source;
     create temporary table rule_target on commit drop as
       select t.* from ${comparedValues(pair.targetTypeId, side('target'))} t
       where exists (select from rule_source s where ${same('s', 't')});
     analyze rule_target;
     insert into correlated (source_id, rule, found, target_id, candidates)
       select s.id, ${text}, t.found, t.id, t.keys
       from rule_source s
       join (select ${columns}, count(*) as found, min(id) as id, ${firstKeys('key')} as keys
             from rule_target group by ${columns}) t on ${same('s', 't')}
       where not s.refused
       union all
       select s.id, ${text}, count(*), min(t.id), ${firstKeys('t.key')}
       from rule_source s join rule_target t on ${same('s', 't')}
       where s.refused and not exists (
         select from non_match n where ${of('n')} and n.${source}_key = s.key and n.${target}_key = t.key)
       group by s.id;
     delete from open_source o using correlated c where c.source_id = o.source_id;
     update correlated c set compared = ${comparedDocument(rule)} from resource r
       where c.compared is null and r.entity_type_id = ${pair.sourceTypeId} and r.id = c.source_id;
     drop table rule_source, rule_target;
     analyze open_source`,
  );
}

/** SQL: an aggregate, the keys to choose from. */
function firstKeys(key: string): string {
  return `(array_agg(${key} order by ${key} collate "C"))[1:${listedCandidates}]`;
}

/** SQL: the source's values of what a rule compares, of alias `r`. */
function comparedDocument({ pairs }: CorrelationRule): string {
  const parts = pairs.map(({ source }) => {
    const property = pg.escapeLiteral(source);
    return `${property}, r.attributes -> ${property}`;
  });
  return `jsonb_build_object(${parts.join(', ')})`;
}

async function assessSources(session: PoolClient, pair: MappedPair): Promise<void> {
  await session.query(
    `analyze correlated;
     create temporary table judged on commit drop as
       select c.*, case
         when c.found > 1 then 'ambiguous'
         when m.match_id is not null then 'foundAlreadyMatched'
         when count(*) over (partition by c.found, c.target_id) > 1 then 'ambiguous'
         else 'found' end as situation
       from correlated c
       left join assessed_match m on c.found = 1 and m.target_id = c.target_id and m.source_id is not null;
     analyze judged;
     create temporary table assessed_source on commit drop as
       select r.id as source_id, r.key as source_key,
         case when u.source_id is not null then 'unqualified'
           when m.target_id is not null then m.state
           when c.source_id is not null then c.situation
           when m.match_id is not null then 'missing'
           else 'absent' end as situation,
         coalesce(m.target_id, t.id) as target_id,
         case when m.target_id is null and t.id is not null then t.key else m.target_key end as target_key,
         m.match_id, m.state as match_state, c.rule, c.compared,
         case when c.situation = 'ambiguous' then c.candidates else '{}'::text[] end as candidates
       from resource r
       left join assessed_match m on m.source_id = r.id
       left join unqualified_source u on u.source_id = r.id
       left join judged c on c.source_id = r.id
       left join resource t on t.entity_type_id = ${pair.targetTypeId} and t.id = c.target_id
         and c.situation <> 'ambiguous'
       where r.entity_type_id = ${pair.sourceTypeId};
     analyze assessed_source`,
  );
}

async function assessTargets(session: PoolClient, pair: MappedPair): Promise<void> {
  await session.query(
    `create temporary table assessed_target on commit drop as
       select r.id as target_id, r.key as target_key,
         case when m.match_id is null then 'unassigned' else 'sourceMissing' end as situation,
         m.match_id, m.state as match_state, m.source_id, m.source_key, m.source_missing_since as missing_since
       from resource r
       left join assessed_match m on m.target_id = r.id
       left join unqualified_source u on u.source_id = m.source_id
       left join judged c on c.target_id = r.id and c.situation = 'found'
       where r.entity_type_id = ${pair.targetTypeId} and c.source_id is null
         and (m.source_id is null or u.source_id is not null);
     analyze assessed_target`,
  );
}

async function countSituations(session: PoolClient): Promise<Record<Situation, number>> {
  const { rows } = await session.query<{ situation: Situation; count: string }>(
    `select situation, count(*) from assessed_source group by 1
     union all select situation, count(*) from assessed_target group by 1`,
  );
  const none: Record<Situation, number> = {
    confirmed: 0,
    unconfirmed: 0,
    found: 0,
    absent: 0,
    ambiguous: 0,
    foundAlreadyMatched: 0,
    missing: 0,
    unqualified: 0,
    sourceMissing: 0,
    unassigned: 0,
  };
  return { ...none, ...Object.fromEntries(rows.map((row) => [row.situation, Number(row.count)])) };
}
