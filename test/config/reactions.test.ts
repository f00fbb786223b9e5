/** Reactions that a mapping may say, and those that are refused. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { situations } from '../../engine/mapping.ts';
import { possibleReactions } from '../../engine/reaction.ts';
import { findings, read } from '../fixtures/configuration-text.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-reactions-'));
});
afterAll(() => rm(directory, { recursive: true }));

const configuration = (mapping: string) => `connectors:
  crm: { kind: csv, directory: ./crm }
entityTypes:
  account: { connector: crm, source: a.csv, key: login, properties: { login: { column: id } } }
  user: { managed: true, key: name, properties: { name: {}, active: { type: boolean } } }
mappings:
  m: { source: account, target: user, properties: { name: login }, ${mapping} }
`;

const reported = async (mapping: string) =>
  (await findings(directory, configuration(mapping))).map((line) => line.replace(/^\d+ +/, ''));

test('every reaction that is possible can be said', async () => {
  for (const situation of situations) {
    if (situation === 'sourceMissing') continue;
    for (const reaction of possibleReactions[situation]) {
      const text = `operations: [create, update, delete], situations: { ${situation}: ${reaction} }`;
      const { configuration: read_ } = await read(directory, configuration(text));
      expect(read_.mappings.get('m')?.reactions).toEqual({ [situation]: reaction });
    }
  }
});

test.each([
  [
    'ambiguous: create',
    'mappings.m.situations.ambiguous',
    'create is none of what can be done about it: ignore',
  ],
  [
    'foundAlreadyMatched: match',
    'mappings.m.situations.foundAlreadyMatched',
    'match is none of what can be done about it: ignore',
  ],
  [
    'found: create',
    'mappings.m.situations.found',
    'create is none of what can be done about it: match, ignore',
  ],
  ['sourceMissing: delete', 'mappings.m.situations.sourceMissing', 'is said by onSourceMissing'],
  [
    'unassigned: delete',
    'mappings.m.situations.unassigned',
    'needs the operation delete, which operations does not have',
  ],
])('%s is refused', async (said, path, message) => {
  const lines = await reported(`situations: { ${said} }`);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(path);
  expect(lines[0]).toContain(message);
});

test('a word that is no situation, or no reaction, is refused', async () => {
  expect(await reported('situations: { ambigous: ignore }')).toHaveLength(1);
  expect(await reported('situations: { absent: guess }')).toHaveLength(1);
});
