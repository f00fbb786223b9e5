/** The import list, and what a person says of matches: confirm, unmatch, match. */
import { LockstepError } from '../engine/errors.ts';
import type { Situation } from '../engine/mapping.ts';
import type { MatchAction, MatchOutcome, MatchRequest } from '../engine/match-decision.ts';
import { putEditRequest } from '../store/edit-request.ts';
import { listMatches, type MatchDocument } from '../store/queries/matches.ts';
import { decideMatchType, matchDecisionId } from '../workflows/identifiers.ts';
import type { DecideMatchRequest } from '../workflows/messages.ts';
import { requireMapping } from './reconcile.ts';
import { randomSuffix } from './run.ts';
import type { Session } from './session.ts';
import { resultOfShortWorkflow } from './source-look.ts';

/** Which lines of the import list. */
export interface MatchesOptions {
  /** Only those that wait for a person to confirm them. */
  readonly unconfirmed?: boolean | undefined;
  readonly situation?: Situation | undefined;
  readonly limit?: number | undefined;
}

/** What came of a decision on a match. */
export interface MatchDecisionDocument {
  readonly action: MatchAction;
  /** Id of the match. */
  readonly match: string;
  /** Who decided, as Temporal knows us. */
  readonly by: string;
}

/** The import list of a mapping, or of all: each match once then, with the mapping that comes first. */
export async function* matchesOf(
  session: Session,
  name: string | undefined,
  { unconfirmed = false, situation, limit }: MatchesOptions,
): AsyncGenerator<MatchDocument, void, undefined> {
  if (unconfirmed && situation !== undefined && situation !== 'unconfirmed') {
    throw new LockstepError('UsageInvalid', 'say either --unconfirmed or --situation');
  }
  const { mappings } = await session.configuration();
  const wanted =
    name === undefined ? [...mappings.values()] : [await requireMapping(session, name)];
  const store = await session.store();
  const listed = new Set<string>();
  let left = limit ?? Number.POSITIVE_INFINITY;
  for (const mapping of wanted) {
    const isListed = mapping.opposite !== null && listed.has(mapping.opposite);
    listed.add(mapping.name);
    const filter = { situation: unconfirmed ? ('unconfirmed' as const) : situation };
    for await (const line of listMatches(store, mapping, filter)) {
      if (isListed && line.id !== null) continue;
      if (left-- <= 0) return;
      yield line;
    }
  }
}

/**
 * Has a worker do what a person says of a match, and waits for it.
 *
 * @throws LockstepError `NotApprover`, `MatchConflict`, `NotFound`; `TemporalUnavailable` when no worker took it
 */
export async function decideMatch(
  session: Session,
  request: MatchRequest,
): Promise<MatchDecisionDocument> {
  if (request.action === 'match') {
    await requireMapping(session, request.mapping);
  }
  const client = await session.temporal();
  const configurationFile = await session.configurationFileOfJobs();
  const id = matchDecisionId(new Date(), randomSuffix());
  // First what is wanted, then the workflow that does it: it finds all it needs, or never begins.
  await putEditRequest(await session.store(), {
    id,
    entityType: '',
    request,
    requestedBy: session.identity,
  });
  const args: DecideMatchRequest = {
    ...(configurationFile !== undefined && { configurationFile }),
  };
  const handle = await client.workflow.start(decideMatchType, {
    workflowId: id,
    taskQueue: session.settings.taskQueue,
    args: [args],
    staticSummary: `a match: ${request.action}, by ${session.identity}`,
    workflowExecutionTimeout: '1 hour',
  });
  const outcome = await resultOfShortWorkflow<MatchOutcome>(session, handle, 'it');
  if (outcome.effect === 'refused') throw refused(outcome);
  return { action: request.action, match: outcome.match, by: session.identity };
}

function refused({ code, why }: Extract<MatchOutcome, { effect: 'refused' }>): LockstepError {
  if (code !== 'NotFound') return new LockstepError(code, `Nothing was changed: ${why}`);
  return new LockstepError(code, `Nothing was changed: ${why}`, {
    hint: 'See `lockstep matches` for the matches there are, and `lockstep list` for the resources.',
  });
}
