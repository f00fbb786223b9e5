// A small connected system for tests: people, teams and memberships as CSV files, and the configuration that maps them.

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One person of a connected system. */
export interface Person {
  readonly login: string;
  readonly name: string;
  /** ISO 8601; the file has it as dd/MM/yyyy. */
  readonly hired: string;
  /** Code of the team, one of `teams`. */
  readonly team: string;
  /** Codes of other teams, in alphabetical order. */
  readonly groups: readonly string[];
}

/** The teams that every connected system has. */
export const teams = ['t1', 't2', 't3'] as const;

/** What a connector of a test may set beside its directory. */
export interface ConnectorOptions {
  /** More properties of its people. */
  readonly properties?: Readonly<Record<string, object>>;
  readonly enabled?: boolean;
  readonly approvers?: readonly string[];
  readonly approvals?: number;
  readonly thresholds?: Readonly<Record<string, number | 'unlimited'>>;
}

/** People p01, p02, …; another edition has the same logins, and its other values are different. */
export function somePeople(count: number, edition = 0): Person[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(2, '0');
    return {
      login: `p${number}`,
      name: `Person ${number} edition ${edition}`,
      hired: `20${10 + (index % 10)}-0${1 + (edition % 9)}-15`,
      team: teams[(index + edition) % 3] as string,
      groups: edition % 2 === 0 ? ['t1', 't2'] : ['t2'],
    };
  });
}

/** Writes the files of a connected system as its administrator would: under another name first, then renamed. */
export async function writePeople(directory: string, people: readonly Person[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const date = (iso: string) => iso.split('-').toReversed().join('/');
  await writeSource(directory, 'teams.csv', [
    'code,label',
    ...teams.map((code) => `${code},Team ${code}`),
  ]);
  await writeSource(directory, 'people.csv', [
    'login,name,hired,team',
    ...people.map(({ login, name, hired, team }) => `${login},${name},${date(hired)},${team}`),
  ]);
  await writeSource(directory, 'members.csv', [
    'login,team',
    ...people.flatMap(({ login, groups }) => groups.map((group) => `${login},${group}`)),
  ]);
}

/** Gives the memberships of these people an unmapped column of some 3 MB, so that copying the file takes a while. */
export async function writeBulkyMembers(
  directory: string,
  people: readonly Person[],
): Promise<void> {
  const bulk = 'x'.repeat(3_000_000);
  await writeSource(directory, 'members.csv', [
    'login,team,remark',
    ...people.flatMap(({ login, groups }) => groups.map((group) => `${login},${group},${bulk}`)),
  ]);
}

/** Writes one source, line by line. */
export async function writeSource(
  directory: string,
  file: string,
  lines: readonly string[],
): Promise<void> {
  const path = join(directory, file);
  await writeFile(`${path}.part`, `${lines.join('\n')}\n`);
  await rename(`${path}.part`, path);
}

/** lockstep.yaml for these connectors; JSON is YAML. Every connector has a directory of its name beside it. */
export function peopleConfiguration(
  connectors: Readonly<Record<string, ConnectorOptions>>,
): string {
  const never = { complete: 'never', incremental: 'never' };
  const document = { connectors: {}, entityTypes: {}, associations: {} } as Record<
    'connectors' | 'entityTypes' | 'associations',
    Record<string, object>
  >;
  for (const [name, { properties, ...options }] of Object.entries(connectors)) {
    const [person, team] = [`${name}_person`, `${name}_team`];
    document.connectors[name] = {
      kind: 'csv',
      directory: `./${name}`,
      schedules: never,
      ...options,
    };
    document.entityTypes[team] = {
      connector: name,
      source: 'teams.csv',
      key: 'code',
      properties: { code: { column: 'code' }, label: { column: 'label' } },
    };
    document.entityTypes[person] = {
      connector: name,
      source: 'people.csv',
      key: 'login',
      properties: {
        login: { column: 'login' },
        name: { column: 'name' },
        hired: { column: 'hired', type: 'date', format: 'dd/MM/yyyy' },
        team: { column: 'team', references: team },
        ...properties,
      },
    };
    document.associations[`${name}_member`] = {
      connector: name,
      source: 'members.csv',
      from: { entityType: person, property: 'groups', column: 'login' },
      to: { entityType: team, property: 'members', column: 'team' },
    };
  }
  return JSON.stringify(document, null, 2);
}
