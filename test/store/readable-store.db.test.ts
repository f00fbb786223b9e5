/** The store as others read it: generated views with typed columns, and an audit log that cannot be rewritten. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

async function rowsOf(query: string) {
  return (await bench.store.pool.query(query)).rows;
}

describe('a view', () => {
  test('of an entity type has typed columns, references as keys', async () => {
    await bench.sync(peopleFiles());
    expect(
      await rowsOf(
        'select login, name, hired::text, age, organisation, manager from views.person order by 1',
      ),
    ).toEqual([
      {
        login: 'ada',
        name: 'Ada',
        hired: '2020-02-01',
        age: '36',
        organisation: 'RD',
        manager: 'bob',
      },
      {
        login: 'bob',
        name: 'Bob',
        hired: '2016-02-29',
        age: '51',
        organisation: 'HQ',
        manager: null,
      },
      {
        login: 'cyd',
        name: 'Cyd',
        hired: '2021-08-15',
        age: null,
        organisation: 'RD',
        manager: 'ada',
      },
    ]);
    const types = await rowsOf(
      `select column_name as name, data_type as type from information_schema.columns
       where table_schema = 'views' and table_name = 'person' order by ordinal_position`,
    );
    expect(types).toEqual([
      { name: 'login', type: 'text' },
      { name: 'name', type: 'text' },
      { name: 'hired', type: 'date' },
      { name: 'age', type: 'bigint' },
      { name: 'organisation', type: 'text' },
      { name: 'manager', type: 'text' },
    ]);
  });

  test('of an association has the keys of both ends', async () => {
    await bench.sync(peopleFiles());
    expect(await rowsOf('select person, team from views.membership order by 1, 2')).toEqual([
      { person: 'ada', team: 'dev' },
      { person: 'bob', team: 'ops' },
      { person: 'cyd', team: 'dev' },
      { person: 'cyd', team: 'ops' },
    ]);
  });

  test('has every type of value, at its extremes', async () => {
    const thing: ConfigurationDocument = {
      connectors: { sab: { kind: 'csv', directory: './sab' } },
      entityTypes: {
        thing: {
          connector: 'sab',
          source: 'things.csv',
          key: 'select',
          properties: {
            select: { column: 'a' },
            big: { column: 'b', type: 'integer' },
            ratio: { column: 'c', type: 'number' },
            flag: { column: 'd', type: 'boolean' },
            day: { column: 'e', type: 'date' },
            at: {
              column: 'f',
              type: 'datetime',
              format: 'yyyy-MM-dd HH:mm',
              timezone: 'America/New_York',
            },
          },
        },
      },
    };
    await bench.reset(thing);
    const { rejects } = await bench.sync({
      'things.csv':
        'a,b,c,d,e,f\nx,9007199254740991,-0.000000000000001,yes,9999-12-31,9999-12-30 23:59\n' +
        'y,,,,,\nz,1,1,1,0001-01-01,9999-12-31 23:59\n',
    });
    expect(rejects).toMatchObject([{ key: 'z', code: 'ValueInvalid', column: 'f' }]);
    expect(
      await rowsOf(
        `select "select", big, ratio, flag, day::text, at at time zone 'UTC' as at from views.thing order by 1`,
      ),
    ).toEqual([
      expect.objectContaining({
        select: 'x',
        big: '9007199254740991',
        flag: true,
        day: '9999-12-31',
      }),
      { select: 'y', big: null, ratio: null, flag: null, day: null, at: null },
    ]);
  });

  test('follows the configuration', async () => {
    await bench.sync(peopleFiles());
    const { team, ...others } = peopleConfiguration().entityTypes;
    if (!team || team.managed) throw new Error('the model has no team');
    const properties = { code: { column: 'code' }, title: { column: 'label' } };
    bench.configure({
      ...peopleConfiguration(),
      entityTypes: { ...others, team: { ...team, properties } },
    });
    await bench.sync(peopleFiles());
    expect(await rowsOf('select * from views.team order by 1')).toEqual([
      { code: 'dev', title: 'Developers' },
      { code: 'ops', title: 'Operators' },
    ]);
  });
});

describe('the audit log', () => {
  test('says what was applied and who decided', async () => {
    const job = await bench.sync(peopleFiles());
    expect(
      await rowsOf(`select action, actor from audit_event where subject = '${job.id}' order by id`),
    ).toEqual([
      { action: 'resume-applied', actor: 'somebody@bench' },
      { action: 'delta-applied', actor: job.id },
    ]);
  });

  test.each([
    `update audit_event set actor = 'me'`,
    'delete from audit_event',
    'truncate audit_event',
  ])('refuses: %s', async (statement) => {
    await bench.sync(peopleFiles());
    await expect(bench.store.pool.query(statement)).rejects.toThrow('the audit log is append-only');
  });
});

test('what the log of a job says holds no cell', async () => {
  await bench.sync(
    peopleFiles({ people: ['canary1,canary2,canary3,canary4,canary5,canary6', 'canary7,,,,,'] }),
  );
  expect(JSON.stringify(bench.logged)).not.toContain('canary');
});

test('the log tells every passed limit as Threshold Exceeded', async () => {
  const job = await bench.prepare(peopleFiles());
  await bench.run('blockJob', { breaches: job.breaches, error: null }, job.id);
  const warnings = bench.logged.filter(({ message }) => message === 'Threshold Exceeded');
  expect(warnings.slice(-job.breaches.length).map(({ fields }) => fields)).toEqual(
    job.breaches.map((breach) => ({ job: job.id, ...breach })),
  );
  await job.end();
});
