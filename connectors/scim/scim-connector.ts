/** The SCIM connector: reads users, groups and memberships of a SCIM 2.0 or 1.1 service into the extraction. */
import type { Connector } from '../connector.ts';
import { createAuthentication } from './authentication.ts';
import { type Clock, HttpClient, systemClock } from './http-client.ts';
import { ScimClient } from './scim-client.ts';
import { exportSources } from './scim-export.ts';
import type { ScimSettings } from './scim-settings.ts';
import { discoverService } from './service.ts';

/** How often a request of an export is sent at most: with the waits between, some 15 s. */
const exportAttempts = 6;

/** Creates a SCIM connector; it connects when it exports. It reads everything at every export. */
export function createScimConnector(settings: ScimSettings, clock: Clock = systemClock): Connector {
  return {
    async export(request) {
      const options = { signal: request.signal, clock, attempts: exportAttempts };
      await using http = await HttpClient.open(settings, options);
      const client = new ScimClient(http, createAuthentication(settings.auth, http, clock));
      const service = await discoverService(client, settings);
      return await exportSources(client, service, settings.quirks, request);
    },
  };
}
