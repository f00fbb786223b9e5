/** A person's word on a match: who says it is in this workflow's history, what they say waits in the store. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { MatchOutcome } from '../engine/match-decision.ts';
import { settleMatch } from './activity-proxies.ts';
import { jobErrorOf } from './failure.ts';
import { startFollowUps } from './follow-ups.ts';
import type { DecideMatchRequest } from './messages.ts';

/**
 * Confirms, ends or makes the match that was put down under the id of this workflow; what is right is reconciled at once,
 * where its mapping follows by itself.
 *
 * Fails, with the code of the error as its type, when it could not be tried; what may not be is an outcome.
 */
export async function decideMatch({
  configurationFile,
}: DecideMatchRequest = {}): Promise<MatchOutcome> {
  try {
    const outcome = await settleMatch({ configurationFile: configurationFile ?? null });
    if (outcome.effect === 'applied' && outcome.followUp !== null) {
      await startFollowUps([outcome.followUp], configurationFile);
    }
    return outcome;
  } catch (error) {
    const { message, code } = jobErrorOf(error);
    throw ApplicationFailure.nonRetryable(message, code);
  }
}
