/** Writes what a reconciliation makes of the matches of its mapping into its delta. */
import type { PoolClient } from 'pg';
import type { Mapping } from '../engine/mapping.ts';
import { type MappedPair, matchSides } from './assess-mapping.ts';

/** What the changes of matches are planned from. */
export interface MatchPlan extends MappedPair {
  readonly mapping: Pick<Mapping, 'name' | 'correlate' | 'onMatch'>;
  readonly deltaId: bigint;
  /** Whether what is `found` becomes a match: its reaction is `match`. */
  readonly matchesFound: boolean;
}

/** Declares the tables by which the planning of attributes says which matches end, and which counterparts it creates. */
export async function openMatchPlan(session: PoolClient): Promise<void> {
  await session.query(
    `create temporary table ended_match (match_id bigint primary key) on commit drop;
     create temporary table created_counterpart (
       source_id bigint primary key, source_key text, target_id bigint, target_key text) on commit drop`,
  );
}

/**
 * Plans every change of a match, after {@link assessMapping} and {@link openMatchPlan}:
 *
 * - what is found becomes a match, confirmed or not as `onMatch` says; matches of the two that have lost their other end
 *   make way;
 * - what stands in `created_counterpart` becomes a confirmed match, or is put into the match that had lost its target;
 * - what stands in `ended_match`, or has lost both ends, is a match no more;
 * - the others learn of resources that came back, and since when the source is gone (or does not qualify).
 *
 * @returns how many matches are made, changed and taken away
 */
export async function planMatches(
  session: PoolClient,
  plan: MatchPlan,
): Promise<{ inserted: number; updated: number; deleted: number }> {
  await session.query('analyze ended_match; analyze created_counterpart');
  const deleted = await planEnds(session, plan);
  const updated = await planUpdates(session, plan);
  const inserted = await planNew(session, plan);
  return { inserted, updated, deleted };
}

/** SQL: what a match is now, as the load compares it: of alias `m`. */
const image = `json_build_object('state', m.state, 'mapping', m.mapping, 'rule', m.rule, 'firstId', m.first_id,
  'secondId', m.second_id, 'firstMissingSince', m.first_missing_since, 'secondMissingSince', m.second_missing_since)`;

async function planEnds(session: PoolClient, { deltaId, matchesFound }: MatchPlan) {
  await session.query(
    `insert into ended_match
       select a.match_id from assessed_match a where a.source_id is null and a.target_id is null
       union
       select a.match_id from assessed_match a
         join assessed_source s on s.situation = 'found' and (s.source_id = a.source_id or s.target_id = a.target_id)
         where ${matchesFound} and (a.source_id is null or a.target_id is null)
       on conflict do nothing;
     analyze ended_match`,
  );
  const { rowCount } = await session.query(
    `insert into match_change (delta_id, change, match_id, first_type_id, second_type_id, first_id, second_id,
       first_key, second_key, before)
     select ${deltaId}, 'delete', m.id, m.first_type_id, m.second_type_id, m.first_id, m.second_id, m.first_key,
       m.second_key, ${image}
     from ended_match e join match m on m.id = e.match_id`,
  );
  return rowCount ?? 0;
}

async function planUpdates(session: PoolClient, plan: MatchPlan) {
  const { source, target } = matchSides(plan);
  const { rowCount } = await session.query(
    `insert into match_change (delta_id, change, match_id, first_type_id, second_type_id, ${source}_id, ${target}_id,
       ${source}_key, ${target}_key, before, after)
     select ${plan.deltaId}, 'update', m.id, m.first_type_id, m.second_type_id, n.source_id, n.target_id,
       m.${source}_key, n.target_key, ${image},
       json_build_object('state', m.state, 'mapping', m.mapping, 'rule', m.rule,
         '${source}Id', n.source_id, '${target}Id', n.target_id, '${source}MissingSince', n.missing_since,
         '${target}MissingSince', m.${target}_missing_since)
     from (
       select a.match_id, coalesce(a.source_id, a.stored_source_id) as source_id,
         coalesce(c.target_id, a.target_id, a.stored_target_id) as target_id,
         coalesce(c.target_key, a.target_key) as target_key,
         case when a.source_id is null or u.source_id is not null
           then coalesce(a.source_missing_since, date_trunc('milliseconds', now())) end as missing_since
       from assessed_match a
       left join created_counterpart c on c.source_id = a.source_id
       left join unqualified_source u on u.source_id = a.source_id
       left join ended_match e on e.match_id = a.match_id
       where e.match_id is null) n
     join match m on m.id = n.match_id
     where m.${source}_id <> n.source_id or m.${target}_id <> n.target_id
       or m.${source}_missing_since is distinct from n.missing_since`,
  );
  return rowCount ?? 0;
}

async function planNew(session: PoolClient, plan: MatchPlan) {
  const { source, target } = matchSides(plan);
  const { mapping, sourceTypeId, targetTypeId, deltaId, matchesFound } = plan;
  const state = mapping.onMatch === 'link-and-confirm' ? 'confirmed' : 'unconfirmed';
  const { rowCount } = await session.query(
    `insert into match_change (delta_id, change, first_type_id, second_type_id, ${source}_id, ${target}_id, ${source}_key,
       ${target}_key, after)
     select ${deltaId}, 'insert', ${Math.min(sourceTypeId, targetTypeId)}, ${Math.max(sourceTypeId, targetTypeId)},
       n.source_id, n.target_id, n.source_key, n.target_key,
       json_build_object('state', n.state, 'mapping', $1::text, 'rule', n.rule, 'compared', n.compared)
     from (
       select source_id, source_key, target_id, target_key, '${state}' as state, rule, compared
         from assessed_source where ${matchesFound} and situation = 'found'
       union all
       select c.source_id, c.source_key, c.target_id, c.target_key, 'confirmed', null, null
         from created_counterpart c
         left join (assessed_match a left join ended_match e using (match_id))
           on a.source_id = c.source_id and e.match_id is null
         where a.match_id is null) n`,
    [mapping.name],
  );
  return rowCount ?? 0;
}
