/** The SCIM connector: reads users, groups and memberships of a SCIM 2.0 or 1.1 service into the extraction. */

import type { ScimSettings } from '../../engine/scim-settings.ts';
import type { Connector } from '../connector.ts';
import { createAuthentication } from './authentication.ts';
import { type Clock, HttpClient, systemClock } from './http-client.ts';
import { ScimClient } from './scim-client.ts';
import { exportSources, type ReadService } from './scim-export.ts';
import { testSources } from './scim-test.ts';
import { discoverService } from './service.ts';

/** How often a request of an export is sent at most: with the waits between, some 15 s. */
const exportAttempts = 6;

/** Somebody waits for a test. */
const testAttempts = 2;

/** Creates a SCIM connector; it connects when it exports. */
export function createScimConnector(settings: ScimSettings, clock: Clock = systemClock): Connector {
  async function connected<Result>(
    signal: AbortSignal,
    attempts: number,
    use: (from: ReadService) => Promise<Result>,
  ): Promise<Result> {
    await using http = await HttpClient.open(settings, { signal, clock, attempts });
    const client = new ScimClient(http, createAuthentication(settings.auth, http, clock));
    const service = await discoverService(client, settings);
    return await use({ client, service, settings, now: clock.now });
  }
  return {
    export: (request) =>
      connected(request.signal, exportAttempts, (from) => exportSources(from, request)),
    test: ({ sources, signal }) =>
      connected(signal, testAttempts, (from) => testSources(from, sources)),
  };
}
