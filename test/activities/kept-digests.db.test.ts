/** The digests that are kept of a source save reading the store; without them, or with damaged ones, nothing differs. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  await bench.reset(peopleConfiguration());
  await rm(directory(), { recursive: true, force: true });
});

const many = 50_010;
const teams = Array.from({ length: many }, (_, nth) => `team-${nth},Team ${nth}`);
const memberships = Array.from({ length: many }, (_, nth) => `ada,team-${nth}`);
const nextTeams = teams
  .toSpliced(7, 1, 'team-7,Renamed')
  .toSpliced(20_000, 2)
  .concat('team-new,New');
const nextMemberships = memberships.toSpliced(20_000, 3).concat('bob,team-new');

const directory = () => join(bench.extractions, 'sab', '~digests');
const kept = () =>
  readdir(directory()).then(
    (names) => names.sort(),
    () => [],
  );

test('of every large scope what it holds and what was read last, no more', async () => {
  await bench.sync(peopleFiles({ teams, memberships }));
  const first = await kept();
  expect(first).toHaveLength(2);
  for (const name of first) {
    expect((await readFile(join(directory(), name))).length).toBe(many * 16 + 32);
  }
  const refused = await bench.prepare(peopleFiles({ teams: nextTeams, memberships }));
  await refused.end();
  expect(await kept()).toHaveLength(3);
  await bench.sync(peopleFiles({ teams: teams.toReversed(), memberships }));
  expect(await kept()).toHaveLength(3);
  expect(await kept()).toEqual(expect.arrayContaining(first));
});

const disturbances = {
  'as they are': async () => {},
  gone: () => rm(directory(), { recursive: true }),
  'cut short': () => change((bytes) => bytes.subarray(0, bytes.length - 7)),
  'without a digest': () => change((bytes) => bytes.subarray(16)),
  'with a byte turned': () => change((bytes) => bytes.fill(bytes.readUInt8(100) ^ 1, 100, 101)),
  longer: () => change((bytes) => Buffer.concat([bytes, bytes])),
};

async function change(edit: (bytes: Buffer) => Uint8Array): Promise<void> {
  for (const name of await kept()) {
    const path = join(directory(), name);
    await writeFile(path, edit(await readFile(path)));
  }
}

describe('the next day is the same with the digests', () => {
  for (const [how, disturb] of Object.entries(disturbances)) {
    test(how, async () => {
      await bench.sync(peopleFiles({ teams, memberships }));
      await disturb();
      const { counts, changes, rejects } = await bench.sync(
        peopleFiles({ teams: nextTeams, memberships: nextMemberships }),
      );
      expect(counts).toMatchObject({
        inserted: 1,
        updated: 1,
        deleted: 2,
        linksInserted: 1,
        linksDeleted: 3,
      });
      expect(changes).toHaveLength(8);
      expect(rejects).toEqual([]);
    });
  }
});

test('an edit of the store is found although the digests do not know of it', async () => {
  await bench.sync(peopleFiles({ teams, memberships }));
  await bench.store.pool.query(
    `update resource set attributes = '{"code": "team-5"}' where key = 'team-5'`,
  );
  await bench.store.pool.query(
    `insert into resource (entity_type_id, key, attributes, source_digest)
     select entity_type_id, 'copied', attributes, source_digest from resource where key = 'team-6'`,
  );
  const { counts } = await bench.sync(peopleFiles({ teams: nextTeams, memberships }));
  expect(counts).toMatchObject({ inserted: 1, updated: 2, deleted: 3, unchanged: many - 4 + 5 });
});

test('a link that two rows say stays while one of them does', async () => {
  const twice = [...memberships, 'ada,team-9', ' ada,team-11'];
  await bench.sync(peopleFiles({ teams, memberships: twice }));
  const { changes } = await bench.sync(
    peopleFiles({ teams, memberships: twice.toSpliced(9, 1).toSpliced(10, 1) }),
  );
  expect(changes).toEqual([]);
  const last = await bench.sync(peopleFiles({ teams, memberships: twice.slice(0, many) }));
  expect(last.changes).toEqual([]);
});
