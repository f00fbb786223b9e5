/** Confirms, ends and makes matches by hand: once per request, with who did it in the audit log. */

import type { MatchOutcome, MatchRequest } from '../engine/match-decision.ts';
import type { Session } from './database.ts';

/** A person's word on a match. */
export interface MatchDecision<Request extends MatchRequest = MatchRequest> {
  /** Id of the request: a second attempt of it changes nothing. */
  readonly id: string;
  /** Who decides, as Temporal's history says. */
  readonly actor: string;
  readonly request: Request;
}

/** A match that somebody wants to confirm or end. */
export interface DecidedMatch {
  readonly id: string;
  readonly firstTypeId: number;
  readonly secondTypeId: number;
  readonly firstId: string;
  readonly secondId: string;
  readonly firstKey: string;
  readonly secondKey: string;
  readonly state: 'confirmed' | 'unconfirmed';
  readonly mapping: string;
  readonly rule: string | null;
}

/** The two entity types of a mapping. */
export interface PairedTypes {
  readonly mapping: string;
  readonly sourceTypeId: number;
  readonly targetTypeId: number;
}

const columns = `id, first_type_id as "firstTypeId", second_type_id as "secondTypeId", first_id as "firstId",
  second_id as "secondId", first_key as "firstKey", second_key as "secondKey", state, mapping, rule`;

/** The match of an id, locked for the rest of the transaction. */
export async function lockMatch(session: Session, id: string): Promise<DecidedMatch | undefined> {
  if (!/^\d{1,18}$/.test(id)) return undefined;
  const { rows } = await session.query<DecidedMatch>(
    `select ${columns} from match where id = $1 for update`,
    [id],
  );
  return rows[0];
}

/** True when an earlier attempt of this request has decided on the match, which may be gone since. */
export async function isDecided(
  session: Session,
  match: string,
  request: string,
): Promise<boolean> {
  const { rows } = await session.query(
    `select from audit_event where subject = $1 and detail ->> 'request' = $2 limit 1`,
    [subjectOf(match), request],
  );
  return rows.length > 0;
}

/** Confirms a locked match; one that is confirmed stays as it is. */
export async function confirmMatch(
  session: Session,
  decision: MatchDecision,
  match: DecidedMatch,
): Promise<MatchOutcome> {
  if (match.state === 'unconfirmed') {
    await session.query(
      `update match set state = 'confirmed', confirmed_by = $2, confirmed_at = now() where id = $1`,
      [match.id, decision.actor],
    );
    await note(session, decision, 'match-confirmed', match);
  }
  return { effect: 'applied', match: match.id, followUp: null };
}

/**
 * Ends a locked match, and forgets what both sides had agreed on, values and links.
 *
 * @param mappings names of those between the two entity types, either way: what others agree on with one of the two stays
 */
export async function endMatch(
  session: Session,
  decision: MatchDecision<Extract<MatchRequest, { action: 'unmatch' }>>,
  match: DecidedMatch,
  mappings: readonly string[],
): Promise<MatchOutcome> {
  const { remember, reason } = decision.request;
  await session.query('delete from match where id = $1', [match.id]);
  await session.query(
    `delete from agreed_values where (source_id, target_id) in (($1::bigint, $2::bigint), ($2::bigint, $1::bigint))`,
    [match.firstId, match.secondId],
  );
  await session.query(
    `delete from agreed_link where mapping = any($3)
       and (from_id in ($1::bigint, $2::bigint) or to_id in ($1::bigint, $2::bigint))`,
    [match.firstId, match.secondId, mappings],
  );
  if (remember) {
    await session.query(
      `insert into non_match (first_type_id, second_type_id, first_key, second_key, said_by, reason)
       values ($1, $2, $3, $4, $5, $6)
       on conflict (first_type_id, second_type_id, first_key, second_key) do update
         set said_by = excluded.said_by, reason = excluded.reason, said_at = now()`,
      [
        match.firstTypeId,
        match.secondTypeId,
        match.firstKey,
        match.secondKey,
        decision.actor,
        reason,
      ],
    );
  }
  await note(session, decision, 'unmatched', match, { remembered: remember, reason });
  return { effect: 'applied', match: match.id, followUp: null };
}

/**
 * Pairs two resources, confirmed, also two that were kept apart. A match of one of the two whose other end is gone makes
 * way.
 *
 * @throws a unique_violation (23505) when one of the two is matched at this very moment
 */
export async function pairByHand(
  session: Session,
  decision: MatchDecision<Extract<MatchRequest, { action: 'match' }>>,
  { mapping, sourceTypeId, targetTypeId }: PairedTypes,
): Promise<MatchOutcome> {
  const { source, target } = decision.request;
  const sourceId = await idOf(session, sourceTypeId, source);
  const targetId = await idOf(session, targetTypeId, target);
  if (sourceId === undefined || targetId === undefined) {
    const why = `there is no such resource on the side of the ${sourceId === undefined ? 'source' : 'target'}`;
    return { effect: 'refused', code: 'NotFound', why };
  }
  const sourceFirst = sourceTypeId < targetTypeId;
  const types = sourceFirst ? [sourceTypeId, targetTypeId] : [targetTypeId, sourceTypeId];
  const ids = sourceFirst ? [sourceId, targetId] : [targetId, sourceId];
  const keys = sourceFirst ? [source, target] : [target, source];
  const { rows: rivals } = await session.query<DecidedMatch & { bound: boolean }>(
    `select ${columns},
       exists (select from resource where entity_type_id = first_type_id and id = first_id)
       and exists (select from resource where entity_type_id = second_type_id and id = second_id) as bound
     from match where first_type_id = $1 and second_type_id = $2 and (first_id = $3 or second_id = $4) for update`,
    [...types, ...ids],
  );
  const same = rivals.find((each) => each.firstId === ids[0] && each.secondId === ids[1]);
  if (same) return await confirmMatch(session, decision, same);
  if (rivals.some(({ bound }) => bound)) {
    const why = 'one of the two has a match with another';
    return { effect: 'refused', code: 'MatchConflict', why };
  }
  await session.query('delete from match where id = any($1)', [rivals.map(({ id }) => id)]);
  await session.query(
    `delete from non_match where first_type_id = $1 and second_type_id = $2 and first_key = $3 and second_key = $4`,
    [...types, ...keys],
  );
  const { rows } = await session.query<DecidedMatch>(
    `insert into match (first_type_id, second_type_id, first_id, second_id, first_key, second_key, state, mapping,
       confirmed_by, confirmed_at)
     values ($1, $2, $3, $4, $5, $6, 'confirmed', $7, $8, now()) returning ${columns}`,
    [...types, ...ids, ...keys, mapping, decision.actor],
  );
  const made = rows[0] as DecidedMatch;
  await note(session, decision, 'matched', made);
  return { effect: 'applied', match: made.id, followUp: null };
}

/** Writes down that somebody wanted what they may not, once. */
export async function noteRefusal(
  session: Session,
  decision: MatchDecision,
  outcome: Extract<MatchOutcome, { effect: 'refused' }>,
): Promise<void> {
  const { request, actor, id } = decision;
  const subject =
    request.action === 'match' ? `mapping:${request.mapping}` : subjectOf(request.match);
  await session.query(
    `insert into audit_event (actor, action, subject, detail)
     select $1, 'match-refused', $2::text, $3::jsonb
     where not exists (select from audit_event where subject = $2 and detail ->> 'request' = $4)`,
    [
      actor,
      subject,
      JSON.stringify({ wanted: request.action, code: outcome.code, why: outcome.why, request: id }),
      id,
    ],
  );
}

async function idOf(session: Session, typeId: number, key: string): Promise<string | undefined> {
  // Locked, so that it is still there when its match is.
  const { rows } = await session.query<{ id: string }>(
    'select id from resource where entity_type_id = $1 and key = $2 for key share',
    [typeId, key],
  );
  return rows[0]?.id;
}

async function note(
  session: Session,
  { id, actor }: MatchDecision,
  action: string,
  match: DecidedMatch,
  further: object = {},
): Promise<void> {
  const { mapping, rule, firstKey, secondKey } = match;
  await session.query(
    'insert into audit_event (actor, action, subject, detail) values ($1, $2, $3, $4)',
    [
      actor,
      action,
      subjectOf(match.id),
      JSON.stringify({ mapping, rule, firstKey, secondKey, request: id, ...further }),
    ],
  );
}

function subjectOf(match: string): string {
  return `match:${match}`;
}
