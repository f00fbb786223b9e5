/** Rows whose records are gone from a large source: deleted only when it is their own record that is gone. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { RecordIndexWriter } from '../../connectors/record-index.ts';
import { SessionsBeside } from '../../store/sessions-beside.ts';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const many = 2_010;
RecordIndexWriter.worthwhile = 1_000;
const teams = Array.from({ length: many }, (_, nth) => `team-${nth},Team ${nth}`);
/** With those that have members. */
const allTeams = [...teams, ...usualRows.teams];
const memberships = Array.from({ length: many }, (_, nth) => `ada,team-${nth}`);
const nextTeams = teams
  .toSpliced(7, 1, 'team-7,Renamed')
  .toSpliced(1_000, 2)
  .concat('team-new,New');

/** What nobody but a superuser can do: an edit that no trigger sees. */
async function editUnseen(statement: string): Promise<void> {
  await bench.store.pool.query(
    `begin; set local session_replication_role = replica; ${statement}; commit`,
  );
}

describe('a row is not deleted for a record that is not its own', () => {
  test('when it has another digest: every row is looked at, and it stays', async () => {
    await bench.sync(peopleFiles({ teams: allTeams }));
    await editUnseen(
      `update resource set source_digest = gen_random_uuid() where key = 'team-1001'`,
    );
    const { changes } = await bench.sync(peopleFiles({ teams: allTeams.toSpliced(1_000, 2) }));
    expect(changes).toMatchObject([{ key: 'team-1000', change: 'delete' }]);
  });

  test('when a row that is set aside may stand for it', async () => {
    await bench.sync(peopleFiles({ teams: allTeams }));
    const broken = allTeams.toSpliced(1_000, 2, 'team-1000,Te"am"');
    const { changes, rejects } = await bench.sync(peopleFiles({ teams: broken }));
    expect(rejects).toMatchObject([{ code: 'RowMalformed', line: 1_002 }]);
    expect(changes).toMatchObject([{ key: 'team-1001', change: 'delete' }]);
  });

  test('when it moved within the file, or its record says the same in other bytes', async () => {
    await bench.sync(peopleFiles({ teams, memberships }));
    const moved = [...teams.slice(10), ...teams.slice(0, 10)].toSpliced(
      99,
      1,
      ' team-109,Team 109',
    );
    const { changes, rejects } = await bench.sync(
      peopleFiles({ teams: moved, memberships: memberships.toSpliced(5, 1, 'ada, team-5') }),
    );
    expect([changes, rejects]).toEqual([[], []]);
  });
});

test('many that are gone are looked for, not looked up', async () => {
  await bench.sync(peopleFiles({ teams, memberships }));
  const { counts } = await bench.sync(
    peopleFiles({ teams, memberships: memberships.slice(1_100) }),
  );
  expect(counts).toMatchObject({ linksDeleted: 1_100, deleted: 0 });
});

describe('a thousand that are gone', () => {
  const left = { teams: teams.slice(0, 1_010), memberships: memberships.slice(0, 1_010) };

  /** Prepares what is left, and tells whether each look beside found rows. */
  async function prepareLeft() {
    using run = vi.spyOn(SessionsBeside.prototype, 'run');
    const { counts } = await bench.prepare(peopleFiles(left));
    const found = await Promise.all(run.mock.results.map(({ value }) => value));
    return { counts, found: found.map((rows) => rows?.count) };
  }

  /** All of them, and by no session beside. */
  const foundByOne = {
    counts: { deleted: 1_000, linksDeleted: 1_000 },
    found: [undefined, undefined],
  };

  test('are looked up in sessions beside', async () => {
    await bench.sync(peopleFiles({ teams, memberships }));
    expect(await prepareLeft()).toMatchObject({
      counts: { deleted: 1_000, linksDeleted: 1_000 },
      found: [1_000, 1_000],
    });
  });

  test('are looked for where one of them is not what its record was', async () => {
    await bench.sync(peopleFiles({ teams, memberships }));
    await editUnseen(
      `update resource set source_digest = gen_random_uuid() where key = 'team-1507'`,
    );
    expect(await prepareLeft()).toMatchObject({
      counts: { deleted: 999, linksDeleted: 1_000 },
      found: [999, 1_000],
    });
  });

  test('are looked up by the only session there is', async () => {
    await bench.sync(peopleFiles({ teams, memberships }));
    const held = await Promise.all(Array.from({ length: 9 }, () => bench.store.pool.connect()));
    const prepared = await prepareLeft();
    for (const session of held) session.release();
    expect(prepared).toMatchObject(foundByOne);
  });

  test('are looked for where PostgreSQL takes no more connections', async () => {
    await bench.sync(peopleFiles({ teams, memberships }));
    const { pool } = bench.store;
    const [first, ...held] = await Promise.all(
      Array.from({ length: Math.max(1, pool.idleCount) }, () => pool.connect()),
    );
    first?.release();
    const { connectionString } = pool.options;
    pool.options.connectionString = 'postgresql://nobody@127.0.0.1:1/none';
    const prepared = await prepareLeft();
    pool.options.connectionString = connectionString;
    for (const session of held) session.release();
    expect(prepared).toMatchObject(foundByOne);
  });
});

test('a key that a new row repeats is reported with the line of the record that was seen', async () => {
  await bench.sync(peopleFiles({ teams, memberships }));
  const { rejects, changes } = await bench.sync(
    peopleFiles({ teams: [...teams, 'team-1500,Another'], memberships }),
  );
  expect(changes).toEqual([]);
  expect(rejects.map(({ code, line }) => [code, line])).toEqual([
    ['KeyDuplicate', 1_502],
    ['KeyDuplicate', many + 2],
  ]);
});

test('another meaning of the same records is compared with the store', async () => {
  await bench.sync(peopleFiles({ teams, memberships }));
  const configuration = peopleConfiguration();
  const { team } = configuration.entityTypes ?? {};
  Object.assign(team?.properties ?? {}, { label: { column: 'code' } });
  bench.configure(configuration);
  const { counts } = await bench.sync(peopleFiles({ teams: nextTeams, memberships }));
  expect(counts).toMatchObject({ inserted: 1, deleted: 2, updated: many - 2 });
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
