/** What a job does to the store, semantic by semantic: real activities, real PostgreSQL, small files. */
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const [ada, bob, cyd] = usualRows.people;

test('a first load leaves the rows of the files as typed resources with their links', async () => {
  const { contents, counts, rejects } = await bench.sync(peopleFiles());
  expect(rejects).toEqual([]);
  expect(counts).toMatchObject({ read: 11, inserted: 7, linksInserted: 10 });
  expect(contents).toMatchInlineSnapshot(`
    {
      "links": {
        "membership": [
          "ada → dev",
          "bob → ops",
          "cyd → dev",
          "cyd → ops",
        ],
        "organisation.parent": [
          "RD → HQ",
        ],
        "person.manager": [
          "ada → bob",
          "cyd → ada",
        ],
        "person.organisation": [
          "ada → RD",
          "bob → HQ",
          "cyd → RD",
        ],
      },
      "pending": {},
      "resources": {
        "organisation": {
          "HQ": {
            "code": "HQ",
            "name": "Head office",
          },
          "RD": {
            "code": "RD",
            "name": "Research",
          },
        },
        "person": {
          "ada": {
            "age": 36,
            "hired": "2020-02-01",
            "login": "ada",
            "name": "Ada",
          },
          "bob": {
            "age": 51,
            "hired": "2016-02-29",
            "login": "bob",
            "name": "Bob",
          },
          "cyd": {
            "hired": "2021-08-15",
            "login": "cyd",
            "name": "Cyd",
          },
        },
        "team": {
          "dev": {
            "code": "dev",
            "label": "Developers",
          },
          "ops": {
            "code": "ops",
            "label": "Operators",
          },
        },
      },
    }
  `);
});

describe('key to key', () => {
  test('inserts, updates and deletes are counted for each entity type and in all', async () => {
    await bench.sync(peopleFiles());
    const people = ['ada,Ada,01/02/2020,37,RD,bob', 'bob,Bob,29/02/2016,51,HQ,', 'dee,Dee,,,,'];
    const job = await bench.sync(peopleFiles({ people, memberships: ['ada,dev', 'bob,ops'] }));
    const counts = { read: 3, rejected: 0, unchanged: 1, inserted: 1, updated: 1, deleted: 1 };
    expect(job.entityTypes['person']).toMatchObject({ ...counts, linksDeleted: 4 });
    expect(job.associations['membership']).toMatchObject({
      read: 2,
      unchanged: 2,
      linksDeleted: 2,
    });
    expect(job.counts).toMatchObject({
      read: 9,
      unchanged: 5,
      inserted: 1,
      updated: 1,
      deleted: 1,
    });
    expect(job.state).toBe('succeeded');
  });

  test('a new key for the same person is one delete and one insert', async () => {
    await bench.sync(peopleFiles());
    const renamed = cyd.replace('cyd', 'cydia');
    const job = await bench.sync(
      peopleFiles({ people: [ada, bob, renamed], memberships: ['ada,dev'] }),
    );
    expect(job.counts).toMatchObject({ inserted: 1, updated: 0, deleted: 1 });
  });

  test('a value that becomes blank is gone from the resource', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(peopleFiles({ people: [ada.replace('36', ' '), bob, cyd] }));
    expect(job.changes).toMatchObject([{ change: 'update', key: 'ada' }]);
    expect(job.contents.resources['person']?.['ada']).not.toHaveProperty('age');
  });
});

describe('an empty plan comes of', () => {
  test.each<[string, Record<string, string>]>([
    ['the same files', {}],
    [
      'rows in another order',
      peopleFiles({ people: [cyd, ada, bob], memberships: usualRows.memberships.toReversed() }),
    ],
    [
      'columns in another order',
      {
        'people.csv':
          'boss,org,age,hired,name,id\nbob,RD,36,01/02/2020,Ada,ada\n,HQ,51,29/02/2016,Bob,bob\nada,RD,,15/08/2021,Cyd,cyd\n',
      },
    ],
    [
      'columns that are not mapped, added',
      { 'teams.csv': 'code,owner,label,x\ndev,me,Developers,1\nops,you,Operators,2\n' },
    ],
    [
      'another delimiter, line end and quoting',
      { 'teams.csv': '"code";"label"\r\n"dev";Developers\r\nops;"Operators"' },
    ],
    [
      'white space around cells',
      { 'teams.csv': 'code , label\n dev ,Developers \nops,  Operators\n' },
    ],
    ['a byte order mark', { 'teams.csv': `\uFEFF${peopleFiles()['teams.csv']}` }],
    [
      'numbers and dates written otherwise',
      peopleFiles({ people: [ada.replace('36', '+036'), bob, cyd] }),
    ],
  ])('%s', async (_, files) => {
    const { contents } = await bench.sync(peopleFiles());
    const second = await bench.sync({ ...peopleFiles(), ...files });
    expect(second.changes).toEqual([]);
    expect(second.counts).toMatchObject({ read: 11, unchanged: 7, rejected: 0 });
    expect(second.contents).toEqual(contents);
    const third = await bench.sync({ ...peopleFiles(), ...files });
    expect(third.changes).toEqual([]);
    const { rows } = await bench.store.pool.query(
      'select count(*)::int as count from bookkeeping where delta_id = (select max(id) from delta)',
    );
    expect(rows).toEqual([{ count: 0 }]);
  });
});

describe('before any comparison a job is stopped by', () => {
  test.each<[string, Record<string, string>, string, RegExp]>([
    [
      'a mapped column that is missing',
      { 'teams.csv': 'code,name\ndev,x\n' },
      'SourceColumnMissing',
      /teams\.csv has no column “label”, which team is mapped to; it has code, name/,
    ],
    [
      'a column deleted in the middle',
      { 'people.csv': 'id,name,hired,org,boss\nada,Ada,,RD,\n' },
      'SourceColumnMissing',
      /“age”/,
    ],
    [
      'a mapped column twice',
      { 'teams.csv': 'code,label,label\ndev,a,b\n' },
      'SourceUnreadable',
      /“label” more than once/,
    ],
    [
      'a column of an association that is missing',
      { 'memberships.csv': 'person,group\nada,dev\n' },
      'SourceColumnMissing',
      /“team”/,
    ],
    ['a blank file', { 'people.csv': '' }, 'SourceEmpty', /is blank/],
    [
      'a header alone',
      { 'people.csv': 'id,name,hired,age,org,boss\n' },
      'SourceEmpty',
      /only its header/,
    ],
  ])('%s', async (_, files, type, message) => {
    const { contents } = await bench.sync(peopleFiles());
    const stopped = bench.prepare({ ...peopleFiles(), ...files });
    await expect(stopped).rejects.toMatchObject({
      type,
      nonRetryable: true,
      message: expect.stringMatching(message),
    });
    expect(await bench.contents()).toEqual(contents);
    const { rows } = await bench.store.pool.query('select count(*)::int as count from delta');
    expect(rows).toEqual([{ count: 1 }]);
  });
});

test('an extraction that was touched between export and prepare plans nothing', async () => {
  const job = await bench.prepare(peopleFiles());
  await truncate(join(bench.extractions, job.extraction, 'people.csv'), 40);
  await expect(job.again()).rejects.toMatchObject({ type: 'ExtractionModified' });
});

test('a loaded job whose configuration can no longer be read ends, followed by nothing, and says so', async () => {
  const job = await bench.prepare(peopleFiles());
  if (job.breaches.length > 0) await job.resume();
  await job.load();
  const { pool } = bench.store;
  await pool.query(`update configuration set document = to_json('[' || document::text)`);
  const request = { connector: 'sab', state: 'succeeded', error: null } as const;
  const ended = await bench.run('endJob', request, job.id);
  await pool.query(`update configuration set document = substr(document #>> '{}', 2)::json`);
  expect(ended).toEqual({ state: 'succeeded', followUps: [] });
  expect(bench.logged).toContainEqual({
    fields: { job: job.id, code: 'ConfigurationInvalid' },
    message: 'no mapping follows: the configuration of the job is unreadable',
  });
});
