/** Carries out what a person has said of a match, if they may. */
import type { Configuration } from '../config/configuration.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Mapping } from '../engine/mapping.ts';
import type { MatchOutcome, MatchRequest } from '../engine/match-decision.ts';
import type { Session } from '../store/database.ts';
import {
  confirmMatch,
  endMatch,
  isDecided,
  lockMatch,
  type MatchDecision,
  noteRefusal,
  pairByHand,
} from '../store/decide-match.ts';
import { editRequest } from '../store/edit-request.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

export interface SettleMatchRequest {
  readonly configurationFile: string | null;
}

const uniqueViolation = '23505';

/**
 * Does what was put down under the id of the calling workflow, in one transaction, once. Who asks is read back from
 * Temporal's history; where the mapping's connector lists approvers, only they may, and what others want is in the audit
 * log as refused.
 */
export async function settleMatch(
  { store, configurations, workflows, log }: ActivityDependencies,
  { configurationFile }: SettleMatchRequest,
): Promise<MatchOutcome> {
  const { jobId, runId } = currentJob();
  const { request } = await editRequest<MatchRequest>(store.pool, jobId);
  const { principal, identity } = await workflows.starterOf(jobId, runId);
  const who = principal ?? identity;
  const { configuration } = await configurations.read(configurationFile ?? undefined);
  const decision: MatchDecision = { id: jobId, actor: who ?? 'unknown sender', request };
  try {
    const outcome = await store.transaction('read committed', async (session) => {
      const settled = await settle(session, decision, configuration, who);
      if (settled.effect === 'refused') await noteRefusal(session, decision, settled);
      return settled;
    });
    log.info({ request: jobId, action: request.action, effect: outcome.effect }, 'match decided');
    return outcome;
  } catch (error) {
    if ((error as { code?: string }).code !== uniqueViolation) throw error;
    // Another was faster. What it has made is seen by the next attempt, which says so.
    throw new LockstepError('StoreUnavailable', 'one of the two was matched at the same moment');
  }
}

async function settle(
  session: Session,
  { request, ...rest }: MatchDecision,
  configuration: Configuration,
  who: string | null,
): Promise<MatchOutcome> {
  if (request.action === 'match') {
    const mapping = configuration.mappings.get(request.mapping);
    const pair = mapping && (await pairOf(session, mapping));
    if (!mapping || !pair)
      return notFound(`there is no mapping ${request.mapping}, or it never ran`);
    return (
      refusal(configuration, mapping.connector, who) ??
      followed(await pairByHand(session, { request, ...rest }, pair), mapping)
    );
  }
  const match = await lockMatch(session, request.match);
  if (!match) {
    return (await isDecided(session, request.match, rest.id))
      ? { effect: 'applied', match: request.match, followUp: null }
      : notFound('there is no match of this id');
  }
  const mapping = configuration.mappings.get(match.mapping);
  if (!mapping) return notFound(`its mapping ${match.mapping} is no longer in the configuration`);
  const refused = refusal(configuration, mapping.connector, who);
  if (refused) return refused;
  return request.action === 'confirm'
    ? followed(await confirmMatch(session, { request, ...rest }, match), mapping)
    : await endMatch(session, { request, ...rest }, match, bothWays(mapping));
}

/** Names of the mappings between the entity types of a mapping: no two go the same way. */
function bothWays({ name, opposite }: Mapping): string[] {
  return opposite === null ? [name] : [name, opposite];
}

function refusal(
  { connectors }: Configuration,
  connector: string,
  who: string | null,
): MatchOutcome | undefined {
  const approvers = connectors.get(connector)?.approvers;
  if (approvers === undefined || (who !== null && approvers.includes(who))) return undefined;
  const why = `not an approver of ${connector}: ${who ?? 'unknown sender'}`;
  return { effect: 'refused', code: 'NotApprover', why };
}

/**
 * What is right is written at once, where the mapping follows by itself. What was wrong waits: to create somebody anew is
 * not what comes to mind first.
 */
function followed(outcome: MatchOutcome, { name, connector, follows }: Mapping): MatchOutcome {
  if (outcome.effect === 'refused' || !follows) return outcome;
  return { ...outcome, followUp: { mapping: name, connector } };
}

function notFound(why: string): MatchOutcome {
  return { effect: 'refused', code: 'NotFound', why };
}

async function pairOf(
  session: Session,
  mapping: { readonly name: string; readonly source: string; readonly target: string },
) {
  const { rows } = await session.query<{ id: number; name: string }>(
    'select id, name from entity_type where name = any($1)',
    [[mapping.source, mapping.target]],
  );
  const ids = new Map(rows.map(({ id, name }) => [name, id]));
  const [sourceTypeId, targetTypeId] = [ids.get(mapping.source), ids.get(mapping.target)];
  if (sourceTypeId === undefined || targetTypeId === undefined) return undefined;
  return { mapping: mapping.name, sourceTypeId, targetTypeId };
}
