/** SCIM connectors, and sources of them, as tests need them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connector, ExtractedFile } from '../../../connectors/connector.ts';
import { parseRecords } from '../../../connectors/record-parser.ts';
import type { Clock } from '../../../connectors/scim/http-client.ts';
import { createScimConnector } from '../../../connectors/scim/scim-connector.ts';
import type { Mode } from '../../../engine/job.ts';
import type { ScimSettings } from '../../../engine/scim-settings.ts';
import type { ScimMembersSource, ScimSource, Source } from '../../../engine/source.ts';
import { exportError, exportInto } from '../../connectors/conformance.ts';

/** A clock that waits for nothing, and tells for how long it was asked to. */
export interface TestClock extends Clock {
  readonly waits: number[];
  advance(milliseconds: number): void;
}

/** @param start what it tells at first, in ms; the time it is to be later than what a real server stamps */
export function testClock(start = 1_000_000_000_000): TestClock {
  let now = start;
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

/** Settings for a service at an address that takes `right-token`. */
export function scimSettings(endpoint: string, settings: Partial<ScimSettings> = {}): ScimSettings {
  return {
    endpoint,
    version: 'auto',
    auth: { type: 'bearer', token: 'right-token' },
    ca: undefined,
    timeoutSeconds: 20,
    requestsPerSecond: undefined,
    overrides: {},
    quirks: [],
    incremental: undefined,
    ...settings,
  };
}

export function scimConnector(
  endpoint: string,
  settings: Partial<ScimSettings> = {},
  clock: Clock = testClock(),
): Connector {
  return createScimConnector(scimSettings(endpoint, settings), clock);
}

export function resources(
  resourceType: string,
  paths: readonly string[],
  references: ScimSource['references'] = [],
): Source<ScimSource> {
  const keys = paths.slice(0, 1);
  return { name: resourceType, options: { resourceType, paths, keys, references } };
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

/** What an incremental export leaves of one source. */
export interface ExportedChanges {
  /** Without their header. */
  readonly rows: readonly (readonly string[])[];
  readonly since: string | undefined;
}

/** Exports of a connector that each go on where the one before ended, as if it were loaded. */
export class FollowedExport {
  readonly #connector: Connector;
  readonly #sources: readonly Source[];
  #cursors = new Map<string, string>();

  constructor(connector: Connector, ...sources: Source[]) {
    this.#connector = connector;
    this.#sources = sources;
  }

  /** Source → the position that its cursor holds. */
  get positions(): Record<string, string> {
    const positions = [...this.#cursors].map(([source, cursor]) => [
      source,
      (JSON.parse(cursor) as { position: string }).position,
    ]);
    return Object.fromEntries(positions) as Record<string, string>;
  }

  /** @param connector another one than before, with the cursors that this one has left */
  async next(mode: Mode, connector = this.#connector): Promise<Record<string, ExportedChanges>> {
    const left: Record<string, ExportedChanges> = {};
    const cursors = this.#cursors;
    const take = async (directory: string, files: ExtractedFile[]) => {
      this.#cursors = new Map();
      for (const { source, file, delimiter, cursor, since } of files) {
        const [, ...rows] = parseRecords(await readFile(join(directory, file)), delimiter);
        left[source] = {
          rows: rows.sort((one, other) => (one.join() < other.join() ? -1 : 1)),
          since,
        };
        if (cursor !== undefined) this.#cursors.set(source, cursor);
      }
    };
    await exportInto(connector, this.#sources, take, { mode, cursors });
    return left;
  }
}

/** `Code [fault]: message` of an export that must fail. */
export async function refused(connector: Connector, ...sources: Source[]): Promise<string> {
  const { code, fault, message } = await exportError(connector, sources);
  return `${code} [${fault}]: ${message}`;
}
