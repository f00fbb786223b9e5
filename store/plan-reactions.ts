/** What is done about every situation of a mapping, on both sides, as temporary tables; and the list of them that stays. */
import pg from 'pg';
import { type Situation, situations } from '../engine/mapping.ts';
import { reactionTo } from '../engine/reaction.ts';
import type { ReconciliationPlan } from './reconciled-pairs.ts';

const states = ['confirmed', 'unconfirmed', null] as const;
const either = [true, false] as const;

/**
 * Makes two temporary tables, after `assessMapping`:
 *
 * - `reacting_source (source_id, source_key, situation, target_id, match_id, reaction, doing)`: `doing` is `create`,
 *   `update` or null, whether the target's values are to be decided
 * - `reacting_target (target_id, target_key, situation, match_id, source_id, reaction)`
 */
export async function noteReactions({ session, mapping }: ReconciliationPlan): Promise<void> {
  const text = (value: string | null) => (value === null ? 'null' : pg.escapeLiteral(value));
  const ofSources = situations.flatMap((situation) =>
    states.map((state) => {
      const reaction = reactionTo(situation, mapping, { matchState: state });
      return `(${text(situation)}, ${text(state)}, ${text(reaction)})`;
    }),
  );
  const ofTargets = (['sourceMissing', 'unassigned'] as const).flatMap((situation) =>
    states.flatMap((matchState) =>
      either.flatMap((sourceIsUnqualified) =>
        either.map((graceIsOver) => {
          const facts = { matchState, sourceIsUnqualified, graceIsOver };
          const reaction = reactionTo(situation, mapping, facts);
          return `(${text(situation)}, ${text(matchState)}, ${sourceIsUnqualified}, ${graceIsOver}, ${text(reaction)})`;
        }),
      ),
    ),
  );
  const confirmsFound =
    mapping.onMatch === 'link-and-confirm' && mapping.operations.includes('update');
  await session.query(
    `create temporary table reacting_source on commit drop as
       select a.source_id, a.source_key, a.situation, a.target_id, a.match_id, a.rule, a.candidates, r.reaction,
         case when r.reaction = 'create' then 'create'
           when r.reaction = 'update' or (r.reaction = 'match' and ${confirmsFound}) then 'update' end as doing
       from assessed_source a
       join (values ${ofSources}) r (situation, match_state, reaction)
         on r.situation = a.situation and r.match_state is not distinct from a.match_state;
     create temporary table reacting_target on commit drop as
       select a.target_id, a.target_key, a.situation, a.match_id, a.source_id, r.reaction
       from assessed_target a
       join (values ${ofTargets}) r (situation, match_state, unqualified, over, reaction)
         on r.situation = a.situation and r.match_state is not distinct from a.match_state
         and r.unqualified = (a.source_id is not null)
         and r.over = (coalesce(a.missing_since, now()) <= now() - make_interval(days => ${mapping.graceDays}));
     analyze reacting_source; analyze reacting_target`,
  );
}

/** Replaces the list of what the mapping found out last: every resource but those that are confirmed. */
export async function keepSituations({
  session,
  mapping,
  jobId,
}: ReconciliationPlan): Promise<void> {
  await session.query('delete from situation where mapping = $1', [mapping.name]);
  await session.query(
    `insert into situation (mapping, side, resource_id, key, situation, reaction, candidates, rule, job_id)
     select $1, 'source', source_id, source_key, situation, reaction, candidates, rule, $2
     from reacting_source where situation <> 'confirmed'
     union all
     select $1, 'target', target_id, target_key, situation, reaction, '{}', null, $2 from reacting_target`,
    [mapping.name, jobId],
  );
}

/** Keeps with the delta how many resources are in each situation. */
export async function countSituations(
  { session, deltaId }: ReconciliationPlan,
  counted: Readonly<Record<Situation, number>>,
): Promise<void> {
  await session.query('update delta set situations = $2 where id = $1', [
    deltaId,
    JSON.stringify(counted),
  ]);
}
