/** Applies the changes of matches that a delta plans, if the matches are still what it was prepared against. */
import type { PoolClient } from 'pg';

/**
 * Applies the changes of matches of a delta, within the transaction that applies the rest of it, after its resources.
 *
 * @param among SQL: a condition on `match_change`, of alias `c`; default all of them
 * @returns false when the store has moved: a match is not as it was, or a resource of a new one is gone. The transaction is
 * then to be rolled back. Also when it throws a unique_violation (23505): one of the two was matched meanwhile.
 */
export async function loadMatches(
  session: PoolClient,
  deltaId: bigint,
  among = 'true',
): Promise<boolean> {
  // What is taken away makes room for what comes.
  for (const statement of [ended, changed, made]) {
    const { rows } = await session.query<{ complete: boolean }>(
      `with c as materialized (select c.* from match_change c where delta_id = ${deltaId} and (${among})),
       ${statement}
       select (select count(*) from applied) = (select count(*) from planned) as complete`,
    );
    if (rows[0]?.complete !== true) return false;
  }
  return true;
}

/** SQL: a match `m` is as the change `c` expects it. */
const asBefore = `m.id = c.match_id and m.state = c.before ->> 'state'
  and m.first_id = (c.before ->> 'firstId')::bigint and m.second_id = (c.before ->> 'secondId')::bigint
  and m.first_missing_since is not distinct from (c.before ->> 'firstMissingSince')::timestamptz
  and m.second_missing_since is not distinct from (c.before ->> 'secondMissingSince')::timestamptz`;

const ended = `planned as (select * from c where change = 'delete'),
  applied as (
    delete from match m using planned c where ${asBefore}
    returning m.id, c.delta_id, c.first_key, c.second_key, c.before),
  noted as (
    insert into audit_event (actor, action, subject, detail)
    select d.job_id, 'unmatched', 'match:' || a.id,
      jsonb_build_object('firstKey', a.first_key, 'secondKey', a.second_key) || a.before::jsonb
    from applied a join delta d on d.id = a.delta_id)`;

const changed = `planned as (select * from c where change = 'update'),
  applied as (
    update match m set state = c.after ->> 'state', first_id = c.first_id, second_id = c.second_id,
      first_key = c.first_key, second_key = c.second_key,
      first_missing_since = (c.after ->> 'firstMissingSince')::timestamptz,
      second_missing_since = (c.after ->> 'secondMissingSince')::timestamptz, delta_id = c.delta_id
    from planned c where ${asBefore} returning m.id)`;

/** Their ids are drawn first, so that nothing has to be looked up again for the audit log. */
const made = `planned as materialized (
    select nextval('match_id_seq') as new_id, c.*, d.job_id, c.after ->> 'state' as state
    from c join delta d on d.id = c.delta_id where c.change = 'insert'),
  applied as (
    insert into match (id, first_type_id, second_type_id, first_id, second_id, first_key, second_key, state, mapping, rule,
      confirmed_by, confirmed_at, delta_id)
    select p.new_id, p.first_type_id, p.second_type_id, p.first_id, p.second_id, p.first_key, p.second_key, p.state,
      p.after ->> 'mapping', p.after ->> 'rule', case when p.state = 'confirmed' then p.job_id end,
      case when p.state = 'confirmed' then now() end, p.delta_id
    from planned p
    join resource f on f.entity_type_id = p.first_type_id and f.id = p.first_id
    join resource s on s.entity_type_id = p.second_type_id and s.id = p.second_id
    returning id),
  noted as (
    insert into audit_event (actor, action, subject, detail)
    select job_id, 'matched', 'match:' || new_id,
      jsonb_build_object('firstKey', first_key, 'secondKey', second_key) || after::jsonb
    from planned)`;
