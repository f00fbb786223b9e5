/** First loads of so many rows that their changes have a table to themselves, and what a later job makes of their order. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { purgeHistory } from '../../store/history.ts';
import { pageOfChanges } from '../../store/queries/changes.ts';
import { peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const many = 50_000;
const teams = Array.from({ length: many }, (_, nth) => `team-${nth},Team ${nth}`);
const memberships = Array.from({ length: many }, (_, nth) => `ada,team-${nth}`);

async function ownTables(): Promise<string[]> {
  const { rows } = await bench.store.pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent in ('resource_change'::regclass, 'link_change'::regclass) order by 1`,
  );
  return rows.map(({ name }) => name);
}

async function count(query: string): Promise<number> {
  const { rows } = await bench.store.pool.query<{ count: number }>(
    `select (${query})::int as count`,
  );
  return rows[0]?.count ?? Number.NaN;
}

test('the changes are in sealed tables, are listed with the others, and go with the history', async () => {
  const prepared = await bench.prepare(peopleFiles({ teams, memberships }));
  expect(prepared.counts).toMatchObject({ inserted: many + 5, linksInserted: many + 6 });
  expect(prepared.changes).toHaveLength(2 * many + 11);
  const tables = await ownTables();
  expect(tables).toHaveLength(2);
  for (const table of tables) {
    for (const statement of [
      `delete from ${table}`,
      `update ${table} set line = 1`,
      `insert into ${table} select * from ${table} limit 1`,
    ]) {
      await expect(bench.store.pool.query(statement)).rejects.toThrow('cannot be edited');
    }
  }
  await prepared.resume();
  expect(await prepared.load()).toBe('applied');
  await prepared.end();
  expect(await count('select count(*) from resource')).toBe(many + 5);
  expect(await count('select count(*) from link')).toBe(many + 6);
  const { next } = await pageOfChanges(bench.store, prepared.id, { scope: 'membership', limit: 3 });
  const page = await pageOfChanges(bench.store, prepared.id, {
    scope: 'membership',
    limit: 2,
    after: next as string,
  });
  expect(page.changes).toMatchObject([{ to: 'team-3' }, { to: 'team-4' }]);

  await bench.store.pool.query(`update job set ended_at = '2020-01-01'`);
  const purged = await purgeHistory(bench.store, new Date('2020-01-02'));
  expect(purged.rows).toBeGreaterThanOrEqual(2 * many + 11);
  expect(await ownTables()).toEqual([]);
  expect(await purgeHistory(bench.store, new Date('2020-01-02'))).toEqual({ deltas: 0, rows: 0 });
});

/** What was built of links and never attached. */
const leftBeside = `select count(*) from pg_class where relname like '%\\_loading%'`;

/** Indexes and constraints of the partition of memberships, by name. */
async function partOfMemberships(): Promise<unknown[]> {
  const { rows } = await bench.store.pool.query(
    `select relname, pg_get_indexdef(indexrelid) as of, pg_get_constraintdef(k.oid) as constraint
     from navigation_property n join pg_index x on x.indrelid = ('link_' || n.id)::regclass
     join pg_class c on c.oid = x.indexrelid left join pg_constraint k on k.conindid = c.oid
     where n.scope = 'membership' order by 1`,
  );
  return rows;
}

test('links whose ends come with them are made beside the load, whatever an attempt before it left', async () => {
  const prepared = await bench.prepare(peopleFiles({ teams, memberships }));
  await prepared.resume();
  await bench.store.pool.query(
    `select build_first_links(n.id, d.id) from navigation_property n, delta d where n.scope = 'membership'`,
  );
  expect(await count(leftBeside)).toBeGreaterThan(0);
  expect(await prepared.load()).toBe('applied');
  await prepared.end();
  expect(await count(leftBeside)).toBe(0);
  expect(await count('select count(*) from link')).toBe(many + 6);
  const beside = await partOfMemberships();
  expect(beside).toHaveLength(2);

  // Where an end is stored already, the load joins them itself: to the same.
  await bench.reset(peopleConfiguration());
  await bench.sync(peopleFiles({ teams }));
  expect(
    await count(
      `select count(to_regclass('link_' || id)) from navigation_property where scope = 'membership'`,
    ),
  ).toBe(0);
  const { counts } = await bench.sync(peopleFiles({ teams, memberships }));
  expect(counts).toMatchObject({ inserted: 0, linksInserted: many });
  expect(await partOfMemberships()).toEqual(beside);
});

test('a load without a connection to spare joins the links itself', async () => {
  const prepared = await bench.prepare(peopleFiles({ teams, memberships }));
  await prepared.resume();
  const held = await Promise.all(Array.from({ length: 9 }, () => bench.store.pool.connect()));
  try {
    expect(await prepared.load()).toBe('applied');
  } finally {
    for (const session of held) session.release();
  }
  await prepared.end();
  expect(await count('select count(*) from link')).toBe(many + 6);
});

test('a load that finds the store moved leaves nothing beside it', async () => {
  const prepared = await bench.prepare(peopleFiles({ teams, memberships }));
  await prepared.resume();
  await bench.store.pool.query(
    `do $$ begin execute (select format('create table resource_%s partition of resource for values in (%s)', id, id)
       from entity_type where name = 'team'); end $$`,
  );
  await bench.store.pool.query(
    `insert into resource (entity_type_id, key, attributes) select id, 'team-7', '{}' from entity_type where name = 'team'`,
  );
  expect(await prepared.load()).toBe('stale');
  expect(await count('select count(*) from link')).toBe(0);
  const again = await prepared.again();
  expect(await count(leftBeside)).toBe(0);
  await again.resume();
  expect(await again.load()).toBe('applied');
  await again.end();
});

test('a delta that is prepared again leaves no table of the one before', async () => {
  const first = await bench.prepare(peopleFiles({ teams }));
  const before = await ownTables();
  const second = await first.again();
  const after = await ownTables();
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  expect(second.counts).toEqual(first.counts);
  await second.resume();
  expect(await second.load()).toBe('applied');
  await second.end();
});

test('keys that repeat and ends that nobody knows are set aside, line by line', async () => {
  const files = peopleFiles({
    teams: [...teams, 'team-7,Again'],
    memberships: [...memberships, 'ada,team-9', 'ada,nowhere', 'nobody,team-1'],
  });
  const { counts, rejects } = await bench.sync(files);
  expect(counts).toMatchObject({ inserted: many + 4, linksInserted: many + 5 });
  expect(rejects.map(({ file, line, code, value }) => [file, line, code, value])).toEqual([
    ['teams.csv', 9, 'KeyDuplicate', 'team-7'],
    ['teams.csv', many + 2, 'KeyDuplicate', 'team-7'],
    ['memberships.csv', 9, 'ReferenceUnknown', 'team-7'],
    ['memberships.csv', many + 3, 'ReferenceUnknown', 'nowhere'],
    ['memberships.csv', many + 4, 'ReferenceUnknown', 'nobody'],
  ]);
});

test.each([
  ['an end that no row has', [...memberships, 'ada,nowhere'], teams, [many + 2, 'nowhere']],
  ['an end whose row is set aside', memberships, teams.with(3, 'team-3,a,b'), [5, 'team-3']],
] as const)(
  '%s leaves its link pending, and all others are loaded',
  async (_, links, rows, found) => {
    const { counts, rejects, contents } = await bench.sync(
      peopleFiles({ teams: [...rows], memberships: [...links] }),
    );
    expect(counts.linksInserted).toBe(links.length - 1 + 6);
    const unknown = rejects.filter(({ code }) => code === 'ReferenceUnknown');
    expect(unknown.map(({ line, value }) => [line, value])).toEqual([found]);
    expect(contents.pending['membership']).toHaveLength(1);
  },
);

test('the same rows in another order change nothing, and none is taken for a duplicate', async () => {
  await bench.sync(peopleFiles({ teams, memberships }));
  const half = many / 2;
  const turned = (rows: readonly string[]) => [...rows.slice(half), ...rows.slice(0, half)];
  const job = await bench.sync(
    peopleFiles({ teams: turned(teams), memberships: turned(memberships) }),
  );
  expect(job.rejects).toEqual([]);
  expect(job.changes).toEqual([]);
  expect(job.counts).toMatchObject({ unchanged: many + 5, inserted: 0, updated: 0, deleted: 0 });
  const swapped = teams.toSpliced(100, 1, 'team-100,Renamed').toReversed();
  const next = await bench.sync(
    peopleFiles({ teams: [...swapped, swapped[0] as string], memberships }),
  );
  expect(next.counts).toMatchObject({ updated: 1, deleted: 0, inserted: 0 });
  expect(next.rejects.map(({ line, code }) => [line, code])).toEqual([
    [2, 'KeyDuplicate'],
    [many + 2, 'KeyDuplicate'],
  ]);
});

test('an update stays on the page of its row, and an index tells the ids of keys', async () => {
  await bench.sync(peopleFiles({ teams, memberships }));
  const pages = async () => {
    const { rows } = await bench.store.pool.query<{ key: string; page: number }>(
      `select key, (ctid::text::point)[0]::int as page from resource where key ~ '^team-\\d*00$' order by key`,
    );
    return rows;
  };
  const before = await pages();
  expect(before).toHaveLength(499);
  const renamed = teams.map((row) => (/^team-\d*00,/.test(row) ? `${row}!` : row));
  const { counts } = await bench.sync(peopleFiles({ teams: renamed, memberships }));
  expect(counts).toMatchObject({ updated: 499 });
  expect(await pages()).toEqual(before);

  await bench.store.pool.query('vacuum resource');
  const { rows } = await bench.store.pool.query<{ 'QUERY PLAN': string }>(
    `explain select id from resource where key = 'team-7' and entity_type_id =
       (select id from entity_type where name = 'team')`,
  );
  expect(rows.map((line) => line['QUERY PLAN']).join('\n')).toContain('Index Only Scan');
});
