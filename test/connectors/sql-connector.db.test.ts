/** The SQL connector on a real PostgreSQL: one snapshot, nothing written, and what it refuses how. */
import { createServer } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QuerySource, Source } from '../../engine/source.ts';
import { type TemporaryDatabase, temporaryDatabase } from '../support/servers.ts';
import { exportError, exportInto, type TestedSystem, testConformance } from './conformance.ts';
import { connectorOf, exportedRows, query, table } from './sql-sources.ts';

testConformance('sql', async (): Promise<TestedSystem> => {
  const own = await temporaryDatabase();
  const admin = new pg.Client({ connectionString: own.url });
  await admin.connect();
  return {
    connector: connectorOf(own.url),
    sourceOf: (name) => table(name),
    async hold(source, [header = [], ...rows]) {
      const columns = header.map((name) => `${pg.escapeIdentifier(name)} text`).join(', ');
      await admin.query(`create table ${source} (${columns})`);
      await admin.query(
        `insert into ${source} select r ->> 0, r ->> 1 from json_array_elements($1) r`,
        [JSON.stringify(rows)],
      );
    },
    remove: async (source) => void (await admin.query(`drop table ${source}`)),
    async [Symbol.asyncDispose]() {
      await admin.end();
      await own[Symbol.asyncDispose]();
    },
  };
});

let database: TemporaryDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await temporaryDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`
    create schema hr;
    create table hr.person (id int, name text, gone boolean);
    insert into hr.person values (1, 'Ada', false), (2, 'Bob', null), (3, 'Cyd', true);
    create table hr."odd.Name" (id int);
    insert into hr."odd.Name" values (7)`);
});
afterAll(async () => {
  await client.end();
  await database[Symbol.asyncDispose]();
});

const exported = (source: Source<QuerySource>) => exportedRows(database.url, source);

async function refused(source: Source<QuerySource>, url = database.url, timeoutSeconds?: number) {
  const { code, message } = await exportError(connectorOf(url, timeoutSeconds), [source]);
  return `${code}: ${message}`;
}

/** An address like that of the test database, changed. */
function changedUrl(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

describe('a source', () => {
  test('is a table, also one whose name has a dot and capitals', async () => {
    expect(await exported(table('hr.person'))).toHaveLength(4);
    const odd = { name: 'odd', options: { relation: { table: ['hr', 'odd.Name'] } } };
    expect(await exported(odd)).toEqual([['id'], ['7']]);
  });

  test('is a query, with its semicolon and its last comment', async () => {
    const text = `with p as (select * from hr.person) select id, name from p order by id -- all\n;\n`;
    expect((await exported(query(text))).map(([id]) => id)).toEqual(['id', '1', '2', '3']);
    expect(await exported(query('select 1 as id -- one'))).toEqual([['id'], ['1']]);
  });

  test('leaves out what is marked as deleted, be it true or a point in time', async () => {
    const names = async (source: Source<QuerySource>) =>
      (await exported(source)).slice(1).map(([, name]) => name);
    expect(await names(table('hr.person', { deleted: 'gone' }))).toEqual(['Ada', 'Bob']);
    const stamped = query(
      `select id, name, case when gone then now() end as gone_at from hr.person`,
      { deleted: 'gone_at' },
    );
    expect(await names(stamped)).toEqual(['Ada', 'Bob']);
  });

  test('is seen with all others as of one moment', async () => {
    await client.query(`
      create table a (n int); create table b (n int);
      insert into a values (1); insert into b values (1);
      select pg_advisory_lock(42)`);
    const held = query('select n, pg_advisory_lock_shared(42)::text as held from a');
    const counts: number[] = [];
    const running = exportInto(
      connectorOf(database.url),
      [held, table('b')],
      async (_, files) => void counts.push(...files.map(({ rows }) => rows)),
    );
    const waiting = async () => {
      const { rowCount } = await client.query(
        `select from pg_locks where locktype = 'advisory' and not granted`,
      );
      return rowCount;
    };
    await expect.poll(waiting, { timeout: 10_000 }).toBe(1);
    await client.query(
      'insert into a values (2); insert into b values (2); select pg_advisory_unlock(42)',
    );
    await running;
    expect(counts).toEqual([1, 1]);
  });

  test('of which every row is marked as deleted is empty', async () => {
    const all = query('select 1 as id, true as gone', { deleted: 'gone' });
    expect(await refused(all)).toBe('SourceEmpty: query of person has no rows');
  });
});

describe('what a source may not do', () => {
  test('write, by whatever way', async () => {
    await client.query(
      `create sequence s; create function sneak() returns int language sql as 'insert into hr.person values (9) returning id'`,
    );
    const ways = [
      `select nextval('s') as id`,
      'select sneak() as id',
      'select * from hr.person for update',
      `select set_config('transaction_read_only', 'off', true) as id, sneak()`,
      'with gone as (delete from hr.person returning id) select * from gone',
      'insert into hr.person values (9) returning id',
    ];
    for (const way of ways) expect(await refused(query(way)), way).toMatch(/^SourceUnreadable/);
    const { rows } = await client.query('select count(*)::int as n from hr.person');
    expect(rows).toEqual([{ n: 3 }]);
  });

  test('be more than one statement', async () => {
    const ways = [
      'select 1 as id; select 2 as id',
      'select 1) q; commit; delete from hr.person; select * from (select 1',
      "select 1 as id) q limit $1; create table broken (id int); select * from (select ';'",
    ];
    for (const way of ways) expect(await refused(query(way)), way).toMatch(/^SourceUnreadable/);
    const { rows } = await client.query(
      `select to_regclass('broken') as made, count(*)::int as n from hr.person`,
    );
    expect(rows).toEqual([{ made: null, n: 3 }]);
  });

  test('take longer than its timeout', async () => {
    const slow = query('select 1 as id, pg_sleep(30)::text as v');
    expect(await refused(slow, database.url, 1)).toMatch(/^SourceUnavailable: .*timeout/);
  });
});

describe('what is wrong with a source is said', () => {
  test('with the server’s message where it speaks of the query', async () => {
    expect(await refused(query('select idd from hr.person'))).toMatch(
      /^SourceUnreadable: .*column "idd" does not exist/,
    );
    expect(await refused(query('selct 1'))).toMatch(/^SourceUnreadable: .*syntax error/);
  });

  test('without it where it quotes a value', async () => {
    const message = await refused(query('select name::int as id from hr.person'));
    expect(message).toMatch(/^SourceUnreadable: .*22P02/);
    expect(message).not.toContain('Ada');
  });

  test('of a column that marks what is deleted', async () => {
    expect(await refused(table('hr.person', { deleted: 'left' }))).toMatch(
      /^SourceColumnMissing: hr.person has no column “left”.*id, name, gone/,
    );
    expect(await refused(table('hr.person', { deleted: 'id' }))).toMatch(
      /^SourceUnreadable: .*type integer/,
    );
  });

  test('of a schema that is not there, or may not be read', async () => {
    expect(await refused(table('payroll.person'))).toMatch(/^SourceUnavailable: .*does not exist/);
    await client.query(`create role reader_${process.pid} login password 'r3ader'`);
    try {
      const url = changedUrl((each) => {
        each.username = `reader_${process.pid}`;
        each.password = 'r3ader';
      });
      expect(await refused(table('hr.person'), url)).toMatch(
        /^SourceUnavailable: .*may not be read/,
      );
    } finally {
      await client.query(`drop role reader_${process.pid}`);
    }
  });
});

describe('a database that cannot be reached', () => {
  const secret = 'p4ssw0rd';

  test('is SourceAuthenticationFailed when it refuses the password, and that is not tried again', async () => {
    await client.query(`create role nobody_${process.pid} login password 'other'`);
    try {
      const url = changedUrl((each) => {
        each.username = `nobody_${process.pid}`;
        each.password = secret;
      });
      const error = await exportError(connectorOf(url), [table('hr.person')]);
      expect([error.code, error.kind]).toEqual(['SourceAuthenticationFailed', 'fix']);
      expect(`${error.message} ${error.hint}`).not.toContain(secret);
    } finally {
      await client.query(`drop role nobody_${process.pid}`);
    }
  });

  test('is SourceUnavailable when nobody answers, and that is', async () => {
    const silent = createServer((socket) => socket.destroy());
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const { port } = silent.address() as { port: number };
    const addresses = [
      `postgresql://u:${secret}@127.0.0.1:1/x`,
      `postgresql://u:${secret}@no-such-host.invalid/x`,
      `postgresql://u:${secret}@127.0.0.1:${port}/x`,
      changedUrl((each) => {
        each.pathname = '/no_such_database';
      }),
      changedUrl((each) => each.searchParams.set('sslmode', 'verify-full')),
    ];
    for (const url of addresses) {
      const error = await exportError(connectorOf(url), [table('hr.person')]);
      expect([error.code, error.kind], error.message).toEqual(['SourceUnavailable', 'wait']);
      expect(`${error.message} ${error.hint}`).not.toContain(secret);
    }
    silent.close();
  });
});

test('an abort ends the statement at the server too', async () => {
  const controller = new AbortController();
  const marker = 'select 1 as id, pg_sleep(120)::text as v';
  const running = exportInto(connectorOf(database.url), [query(marker)], async () => {}, {
    signal: controller.signal,
  });
  const sessions = async () => {
    const { rowCount } = await client.query(
      `select from pg_stat_activity where application_name = 'lockstep export' and datname = current_database()`,
    );
    return rowCount;
  };
  await expect.poll(sessions, { timeout: 10_000 }).toBe(1);
  controller.abort();
  await expect(running).rejects.toThrow(/abort/i);
  await expect.poll(sessions, { timeout: 20_000 }).toBe(0);
});
