/** A look at the sources of one connector before any job: nothing is written, nothing is kept. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { CheckFact } from '../engine/check-fact.ts';
import { checkSources } from './activity-proxies.ts';
import { jobErrorOf } from './failure.ts';
import type { CheckConnectorRequest } from './messages.ts';

/**
 * Tells what stands in the way of a run of this connector, in facts without a value of any cell.
 *
 * Fails, with the code of the error as its type, when it could not look.
 */
export async function checkConnector({
  connector,
  configurationFile,
}: CheckConnectorRequest): Promise<CheckFact[]> {
  try {
    return await checkSources({ connector, configurationFile: configurationFile ?? null });
  } catch (error) {
    const { message, code } = jobErrorOf(error);
    throw ApplicationFailure.nonRetryable(message, code);
  }
}
