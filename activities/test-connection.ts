/** Tests the connection of a connector: reads a little with its credentials, and keeps nothing of it. */
import { cancellationSignal } from '@temporalio/activity';
import { createConnector } from '../connectors/registry.ts';
import type { ConnectionTest } from '../engine/connection-test.ts';
import { errorCatalogue, LockstepError } from '../engine/errors.ts';
import type { CheckRequest } from './check-sources.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { mappedSources } from './export-source.ts';

/** Longer than any timeout for a connection, shorter than a person's patience. */
const patienceMs = 45_000;

/**
 * Tells what the connected system is, or why it cannot be read.
 *
 * @throws LockstepError `NotFound` or `ConfigurationInvalid` by the configuration that this worker has
 */
export async function testConnection(
  { configurations, log }: ActivityDependencies,
  { connector, configurationFile }: CheckRequest,
): Promise<ConnectionTest> {
  const { configuration } = await configurations.read(configurationFile ?? undefined);
  const settings = configuration.connectors.get(connector);
  if (!settings) {
    throw new LockstepError('NotFound', `the worker’s configuration has no connector ${connector}`);
  }
  const patience = AbortSignal.timeout(patienceMs);
  const signal = AbortSignal.any([cancellationSignal(), patience]);
  try {
    const sources = mappedSources(configuration, connector);
    const test = createConnector(settings).test({ sources, signal });
    // A file system that hangs does not hear of it.
    return { ok: true, ...(await Promise.race([test, untilAborted(signal)])) };
  } catch (error) {
    const known = patience.aborted ? tooSlow(connector) : error;
    if (!(known instanceof LockstepError)) throw known;
    const { code, message, hint, fault } = known;
    return { ok: false, error: { code, cause: fault ?? faultOf(known), message, hint } };
  } finally {
    log.info({ connector }, 'connection tested');
  }
}

function faultOf({ code }: LockstepError): 'authentication' | 'schema' | null {
  if (code === 'SourceAuthenticationFailed') return 'authentication';
  return code === 'SourceUnreadable' || code === 'SourceColumnMissing' ? 'schema' : null;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason as Error));
  // Whoever races it may have won before.
  promise.catch(() => {});
  return promise;
}

function tooSlow(connector: string): LockstepError {
  return new LockstepError(
    'SourceUnavailable',
    `${connector} gave no whole answer within ${patienceMs / 1000} s`,
    { fault: 'service', hint: errorCatalogue.SourceUnavailable.remedy },
  );
}
