/** What is not compared again: a source that is what it was, of a scope that nobody wrote to. And when it is, after all. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const renameAda = `update resource set attributes = attributes || '{"name": "Eve"}' where key = 'ada'`;

/** The scopes whose source is remembered. */
async function remembered(): Promise<string[]> {
  const { rows } = await bench.store.pool.query<{ name: string }>(
    `select coalesce(t.name, n.scope) as name from scope_source s
     left join entity_type t on s.scope = 'r' || t.id left join navigation_property n on s.scope = 'l' || n.id
     order by 1`,
  );
  return rows.map(({ name }) => name);
}

const all = ['membership', 'organisation', 'person', 'team'];

test('a job whose sources are what they were has nothing to load, and counts what it read', async () => {
  const first = await bench.sync(peopleFiles());
  expect(first.empty).toBe(false);
  expect(await remembered()).toEqual(all);
  const second = await bench.prepare(peopleFiles());
  expect(second).toMatchObject({
    empty: true,
    counts: { read: 11, unchanged: 7, inserted: 0, updated: 0, deleted: 0 },
    associations: { membership: { read: 4, unchanged: 4 } },
  });
  await second.end();
});

test('one source that changed is compared, the others are not', async () => {
  await bench.sync(peopleFiles());
  const people = [...usualRows.people, 'dan,Dan,,,HQ,ada'];
  const job = await bench.sync(peopleFiles({ people }));
  expect(job.counts).toMatchObject({ inserted: 1, linksInserted: 2, unchanged: 7 });
  expect(await remembered()).toEqual(all);
  expect((await bench.sync(peopleFiles({ people }))).empty).toBe(true);
});

test('a source with a reject is compared at every job', async () => {
  const people = [...usualRows.people, 'dan,Dan,31/02/2020,,HQ,ada'];
  const first = await bench.sync(peopleFiles({ people }));
  expect(await remembered()).toEqual(all.filter((name) => name !== 'person'));
  const second = await bench.sync(peopleFiles({ people }));
  expect(second.rejects).toEqual(first.rejects);
  expect(second.rejects).toHaveLength(1);
});

test('a link that waits is reported at every job, and heals when its end comes with another source', async () => {
  const memberships = [...usualRows.memberships, 'ada,new'];
  const first = await bench.sync(peopleFiles({ memberships }));
  const second = await bench.sync(peopleFiles({ memberships }));
  expect(second.rejects.map(({ code, line }) => [code, line])).toEqual([['ReferenceUnknown', 6]]);
  expect(second.rejects.length).toBe(first.rejects.length);
  const teams = [...usualRows.teams, 'new,New'];
  const third = await bench.sync(peopleFiles({ memberships, teams }));
  expect(third.counts).toMatchObject({ inserted: 1, linksInserted: 1 });
  expect(third.rejects).toEqual([]);
});

describe('an edit is found, whenever it becomes known', () => {
  test('before the job', async () => {
    const { contents } = await bench.sync(peopleFiles());
    await bench.store.pool.query(renameAda);
    expect((await bench.sync(peopleFiles())).counts).toMatchObject({ updated: 1 });
    expect(await bench.contents()).toEqual(contents);
    expect((await bench.sync(peopleFiles())).empty).toBe(true);
  });

  test('made before the job and committed after it', async () => {
    const { contents } = await bench.sync(peopleFiles());
    const editor = await bench.store.pool.connect();
    try {
      await editor.query(`begin; ${renameAda}`);
      // Another source changed, so that there is a load.
      const teams = [...usualRows.teams, 'new,New'];
      await bench.sync(peopleFiles({ teams }));
      await editor.query('commit');
    } finally {
      editor.release();
    }
    expect((await bench.sync(peopleFiles())).counts).toMatchObject({ updated: 1, deleted: 1 });
    expect(await bench.contents()).toEqual(contents);
  });

  test('between preparation and load', async () => {
    await bench.sync(peopleFiles());
    const people = [...usualRows.people, 'dan,Dan,,,HQ,ada'];
    const job = await bench.prepare(peopleFiles({ people }));
    await bench.store.pool.query(renameAda);
    if (job.breaches.length > 0) await job.resume();
    expect(await job.load()).toBe('applied');
    await job.end();
    const next = await bench.sync(peopleFiles({ people }));
    expect(next.counts).toMatchObject({ updated: 1 });
    expect(await bench.store.pool.query('select from edit')).toMatchObject({ rowCount: 0 });
  });

  test('of the table of a single type, and all of it', async () => {
    const { contents } = await bench.sync(peopleFiles());
    const { rows } = await bench.store.pool.query<{ table: string }>(
      `select 'resource_' || id as table from entity_type where name = 'team'`,
    );
    await bench.store.pool.query(`truncate ${rows[0]?.table}`);
    expect((await bench.sync(peopleFiles())).counts).toMatchObject({ inserted: 2 });
    expect(Object.keys(await bench.contents())).toEqual(Object.keys(contents));
  });
});

test('another connector’s load that takes a target away makes the links be looked at again', async () => {
  const { connectors, entityTypes, associations } = peopleConfiguration();
  const team = { ...entityTypes?.['team'], connector: 'other' };
  await bench.reset({
    connectors: { ...connectors, other: { kind: 'csv', directory: './other' } },
    entityTypes: { ...entityTypes, team },
    associations,
  } as ReturnType<typeof peopleConfiguration>);
  const { 'teams.csv': teams = '', ...files } = peopleFiles();
  await bench.sync({ 'teams.csv': teams }, 'other');
  const { contents } = await bench.sync(files);
  await bench.sync({ 'teams.csv': 'code,label\ndev,Developers\n' }, 'other');
  const job = await bench.sync(files);
  expect(job.rejects.map(({ code }) => code)).toEqual(['ReferenceUnknown', 'ReferenceUnknown']);
  expect(job.associations).toMatchObject({ membership: { read: 4, unchanged: 2, rejected: 2 } });
  await bench.sync({ 'teams.csv': teams }, 'other');
  expect(await bench.contents()).toEqual(contents);
  expect((await bench.sync(files)).rejects).toEqual([]);
  expect((await bench.sync(files)).empty).toBe(true);
});
