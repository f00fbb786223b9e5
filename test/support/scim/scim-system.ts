/** SCIM connectors, and sources of them, as tests need them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connector } from '../../../connectors/connector.ts';
import { parseRecords } from '../../../connectors/record-parser.ts';
import type { Clock } from '../../../connectors/scim/http-client.ts';
import { createScimConnector } from '../../../connectors/scim/scim-connector.ts';
import type { ScimSettings } from '../../../engine/scim-settings.ts';
import type { ScimMembersSource, ScimSource, Source } from '../../../engine/source.ts';
import { exportError, exportInto } from '../../connectors/conformance.ts';

/** A clock that waits for nothing, and tells for how long it was asked to. */
export interface TestClock extends Clock {
  readonly waits: number[];
  advance(milliseconds: number): void;
}

export function testClock(): TestClock {
  let now = 1_000_000_000_000;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    wait: async (milliseconds, signal) => {
      signal.throwIfAborted();
      waits.push(milliseconds);
      now += milliseconds;
    },
    advance(milliseconds) {
      now += milliseconds;
    },
  };
}

export function scimConnector(
  endpoint: string,
  settings: Partial<ScimSettings> = {},
  clock: Clock = testClock(),
): Connector {
  const defaults: ScimSettings = {
    endpoint,
    version: 'auto',
    auth: { type: 'bearer', token: 'right-token' },
    ca: undefined,
    timeoutSeconds: 20,
    requestsPerSecond: undefined,
    overrides: {},
    quirks: [],
  };
  return createScimConnector({ ...defaults, ...settings }, clock);
}

export function resources(
  resourceType: string,
  paths: readonly string[],
  references: ScimSource['references'] = [],
): Source<ScimSource> {
  return { name: resourceType, options: { resourceType, paths, references } };
}

export const users = (...paths: string[]) => resources('User', ['userName', ...paths]);
export const groups = (...paths: string[]) => resources('Group', ['displayName', ...paths]);

/** The users of groups. */
export function memberships(options: Partial<ScimMembersSource> = {}): Source<ScimMembersSource> {
  const member = { resourceType: 'User', key: 'userName' };
  const defaults = { resourceType: 'Group', attribute: 'members', holder: 'displayName', member };
  return { name: 'Group.members', options: { ...defaults, ...options } };
}

/** What was written of each source, header first, rows sorted by their text. */
export async function exported(connector: Connector, ...sources: Source[]): Promise<string[][][]> {
  const contents: string[][][] = [];
  await exportInto(connector, sources, async (directory, files) => {
    for (const { file, delimiter } of files) {
      const [header = [], ...rows] = parseRecords(await readFile(join(directory, file)), delimiter);
      contents.push([header, ...rows.sort((one, other) => (one.join() < other.join() ? -1 : 1))]);
    }
  });
  return contents;
}

/** `Code [fault]: message` of an export that must fail. */
export async function refused(connector: Connector, ...sources: Source[]): Promise<string> {
  const { code, fault, message } = await exportError(connector, sources);
  return `${code} [${fault}]: ${message}`;
}
