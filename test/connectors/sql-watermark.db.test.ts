/** What an incremental export of a database brings: every type of watermark, late commits, and cursors that say nothing. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ExtractedFile } from '../../connectors/connector.ts';
import { parseRecords } from '../../connectors/record-parser.ts';
import type { QuerySource, Source, Watermark } from '../../engine/source.ts';
import { type TemporaryDatabase, temporaryDatabase } from '../support/servers.ts';
import { exportError, exportInto } from './conformance.ts';
import { connectorOf, query, table } from './sql-sources.ts';

let database: TemporaryDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await temporaryDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database[Symbol.asyncDispose]();
});
beforeEach(() => client.query('drop table if exists person'));

interface Exported {
  readonly file: ExtractedFile;
  readonly ids: string[];
  readonly gone: string[] | undefined;
}

/** The ids that an export brings; incremental when it has a cursor to go on from. */
async function exported(
  source: Source<QuerySource>,
  cursor?: string,
  url = database.url,
): Promise<Exported> {
  let result: Exported | undefined;
  const cursors = new Map(cursor === undefined ? [] : [[source.name, cursor]]);
  await exportInto(
    connectorOf(url),
    [source],
    async (directory, [file, deletions]) => {
      const idsOf = async ({ file: name }: ExtractedFile) =>
        parseRecords(await readFile(join(directory, name)), ',')
          .slice(1)
          .map(([id]) => id as string);
      if (!file) throw new Error('nothing was exported');
      const gone = deletions && (await idsOf(deletions));
      result = { file, ids: await idsOf(file), gone };
    },
    { mode: cursor === undefined ? 'complete' : 'incremental', cursors },
  );
  return result as Exported;
}

/** Waits until no transaction of the server, of whichever database, is older than what is written by now. */
async function settled(): Promise<void> {
  const { rows } = await client.query('select pg_current_xact_id()::text as id');
  const oldest = async () => {
    const now = await client.query(
      'select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 as past',
      [rows[0].id],
    );
    return now.rows[0].past;
  };
  await expect.poll(oldest, { timeout: 30_000 }).toBe(true);
}

const person = (watermark: Watermark, options: Partial<QuerySource> = {}) =>
  table('person', { watermark, identity: ['id'], ...options });

describe('a watermark may be', () => {
  const types: Readonly<Record<string, { before: string; within: string; after: string }>> = {
    'timestamp with time zone': {
      before: `now() - interval '3 days'`,
      within: `now() - interval '1 day 5 minutes'`,
      after: 'now()',
    },
    'timestamp without time zone': {
      before: `now() - interval '3 days'`,
      within: `now() - interval '1 day 5 minutes'`,
      after: 'now()',
    },
    date: { before: 'current_date - 3', within: 'current_date - 1', after: 'current_date' },
    smallint: { before: '0', within: '2000', after: '3000' },
    integer: { before: '0', within: '2000', after: '3000' },
    bigint: { before: '0', within: '2000', after: '9223372036854775807' },
    numeric: { before: '0.5', within: '2000.25', after: '3000.125' },
  };
  for (const [type, { before, within, after }] of Object.entries(types)) {
    test(type, async () => {
      await client.query(
        `create table person (id int, v ${type});
         insert into person values (1, ${before}), (2, ${within}), (3, ${type.startsWith('t') ? `now() - interval '1 day'` : within})`,
      );
      const source = person({ column: 'v' });
      const first = await exported(source);
      expect(first.ids).toEqual(['1', '2', '3']);
      await client.query(`insert into person values (4, ${after}), (5, null)`);
      const next = await exported(source, first.file.cursor);
      expect(next.ids).toEqual(['2', '3', '4', '5']);
      expect(next.file.since).toBe(first.file.cursor);
      expect(next.file.cursor).not.toBe(first.file.cursor);
    });
  }

  test('xmin, which is no column of the extraction', async () => {
    await client.query('create table person (id int); insert into person values (1), (2)');
    await settled();
    const source = person({ column: 'xmin' });
    const first = await exported(source);
    await client.query('update person set id = 3 where id = 2');
    await settled();
    const next = await exported(source, first.file.cursor);
    expect(next.ids).toEqual(['3']);
    const again = await exported(source, next.file.cursor);
    expect(again.ids).toEqual([]);
  });

  test('a version that a query makes of xmin', async () => {
    await client.query('create table person (id int); insert into person values (1), (2)');
    await settled();
    const source = query('select id, xmin as version from person', {
      watermark: { column: 'version' },
    });
    const first = await exported(source);
    await client.query('insert into person values (3)');
    expect((await exported(source, first.file.cursor)).ids).toEqual(['3']);
  });
});

test('xmin misses no transaction, however late it commits and whatever commits before it', async () => {
  await client.query('create table person (id int); insert into person values (1)');
  await settled();
  const late = new pg.Client({ connectionString: database.url });
  await late.connect();
  await late.query(
    'begin; insert into person values (2); savepoint s; insert into person values (3)',
  );
  await client.query('insert into person values (4)');
  const source = person({ column: 'xmin' });
  const first = await exported(source);
  expect(first.ids).toEqual(['1', '4']);
  await late.query('commit');
  await late.end();
  expect((await exported(source, first.file.cursor)).ids.toSorted()).toEqual(['2', '3', '4']);
});

test('a stamp loses a transaction that is open for longer than the overlap, and the overlap is what prevents it', async () => {
  await client.query(
    `create table person (id int, v timestamptz); insert into person values (1, now() - interval '1 minute')`,
  );
  const source = (seconds: number) => person({ column: 'v', overlap: { seconds } });
  for (const [seconds, ids] of [
    [600, ['1', '2']],
    [60, ['1']],
  ] as const) {
    const { file } = await exported(source(seconds));
    await client.query(`insert into person values (2, now() - interval '5 minutes')`);
    expect((await exported({ ...source(seconds) }, file.cursor)).ids).toEqual(ids);
    await client.query('delete from person where id = 2');
  }
});

test('rows of one key come together, and apart what is marked as deleted', async () => {
  await client.query(
    `create table person (id int, v int, gone boolean);
     insert into person values (1, 1, false), (1, 2, false), (2, 1, false), (2, 2, true), (3, 5000, false)`,
  );
  const source = person({ column: 'v', overlap: { versions: 0 } }, { deleted: 'gone' });
  const { file, ids, gone } = await exported(source);
  expect([ids, gone]).toEqual([['1', '1', '2', '3'], undefined]);
  await client.query('update person set v = 6000 where v = 2');
  const next = await exported(source, file.cursor);
  expect([next.ids.toSorted(), next.gone]).toEqual([['1', '1', '2', '3'], ['2']]);
});

describe('everything is read', () => {
  const withRows = async () => {
    await client.query(
      'create table person (id int, v int, w int); insert into person values (1, 1, 1)',
    );
    return exported(person({ column: 'v' }));
  };

  test('without a cursor, and when the cursor is that of another source', async () => {
    const { file } = await withRows();
    const others = [
      person({ column: 'w' }),
      person({ column: 'v' }, { identity: ['v'] }),
      { ...query('select * from person', { watermark: { column: 'v' } }), name: 'person' },
    ];
    for (const other of others) {
      expect((await exported(other, file.cursor)).file.since).toBeUndefined();
    }
    await client.query('alter table person alter v type bigint');
    expect((await exported(person({ column: 'v' }), file.cursor)).file.since).toBeUndefined();
  });

  test('when it is that of another database', async () => {
    const { file } = await withRows();
    await using other = await temporaryDatabase();
    const there = new pg.Client({ connectionString: other.url });
    await there.connect();
    await there.query(
      'create table person (id int, v int, w int); insert into person values (1, 1, 1)',
    );
    await there.end();
    const { file: first } = await exported(person({ column: 'v' }), file.cursor, other.url);
    expect(first.since).toBeUndefined();
  });

  test('when transaction ids began anew since, or are those of the time before a restore', async () => {
    await client.query('create table person (id int); insert into person values (1)');
    const source = person({ column: 'xmin' });
    const { file } = await exported(source);
    const cursor = JSON.parse(file.cursor as string) as { of: string; position: string };
    const moved = (by: bigint) =>
      JSON.stringify({ ...cursor, position: `${BigInt(cursor.position) + by}` });
    expect((await exported(source, moved(1_000_000n))).file.since).toBeUndefined();
    expect((await exported(source, moved(-(2n ** 31n)))).file.since).toBeUndefined();
    expect((await exported(source, moved(0n))).file.since).toBeDefined();
  });

  test('while no row has a stamp', async () => {
    await client.query('create table person (id int, v date); insert into person values (1, null)');
    const { file } = await exported(person({ column: 'v' }));
    expect(file.cursor).toBeUndefined();
  });
});

describe('a watermark is refused', () => {
  test.each<[string, Watermark, RegExp]>([
    ['text', { column: 't' }, /is of type text, which cannot tell/],
    [
      'of no such column',
      { column: 'x' },
      /no column “x”, which `watermark` names; it has id, t, n, d/,
    ],
    [
      'a number with a time as overlap',
      { column: 'n', overlap: { seconds: 5 } },
      /is of type integer/,
    ],
    [
      'a date with a number as overlap',
      { column: 'd', overlap: { versions: 5 } },
      /is of type date/,
    ],
    ['xmin with an overlap', { column: 'xmin', overlap: { versions: 5 } }, /needs no overlap/],
  ])('%s', async (_, watermark, message) => {
    await client.query(
      `create table person (id int, t text, n int, d date); insert into person values (1, 'a', 1, now())`,
    );
    const error = await exportError(connectorOf(database.url), [person(watermark)]);
    expect(error.message).toMatch(message);
    expect(error.kind).toBe('fix');
  });
});
