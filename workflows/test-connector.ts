/** A test of one connector's connection, for no job: nothing is written, nothing is kept. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { ConnectionTest } from '../engine/connection-test.ts';
import { testConnection } from './activity-proxies.ts';
import { jobErrorOf } from './failure.ts';
import type { CheckConnectorRequest } from './messages.ts';

/**
 * Tells what the connected system is, or why it cannot be read, without a value of identity data.
 *
 * Fails, with the code of the error as its type, when it could not be tried.
 */
export async function testConnector({
  connector,
  configurationFile,
}: CheckConnectorRequest): Promise<ConnectionTest> {
  try {
    return await testConnection({ connector, configurationFile: configurationFile ?? null });
  } catch (error) {
    const { message, code } = jobErrorOf(error);
    throw ApplicationFailure.nonRetryable(message, code);
  }
}
