/** Incremental jobs of a database: what they bring, what they never infer, and when their cursor moves. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  databaseConfiguration,
  openPeopleDatabase,
  type PeopleDatabase,
  stamped,
} from '../support/people-database.ts';

let people: PeopleDatabase;
beforeAll(async () => {
  people = await openPeopleDatabase();
});
afterAll(() => people[Symbol.asyncDispose]());
beforeEach(() => people.reset());

const sync = (mode: 'complete' | 'incremental') => people.bench.sync({}, 'hr', mode);
const prepare = (mode: 'complete' | 'incremental') => people.bench.prepare({}, 'hr', mode);
const edit = (sql: string) => people.client.query(sql);
const store = (sql: string) => people.bench.store.pool.query(sql);

async function cursors(): Promise<Record<string, string>> {
  const { rows } = await store('select entity_type, value from cursor order by 1');
  return Object.fromEntries(rows.map(({ entity_type, value }) => [entity_type, value]));
}

interface WrittenFile {
  readonly source: string;
  readonly rows: number;
  readonly since?: string;
  readonly cursor?: string;
}

async function manifestOf({ extraction }: { extraction: string }) {
  const text = await readFile(join(people.bench.extractions, extraction, 'manifest.json'), 'utf8');
  return JSON.parse(text) as { mode: string; files: WrittenFile[] };
}

const described = (changes: readonly object[]) =>
  changes.map((change) => {
    const {
      entityType,
      key,
      association,
      from,
      to,
      change: kind,
    } = change as Record<string, string>;
    return entityType ? `${kind} ${entityType} ${key}` : `${kind} ${association} ${from} → ${to}`;
  });

describe('an incremental job', () => {
  test('asks the database only for what changed since the last load', async () => {
    await sync('complete');
    await edit(`update person set name = 'Ada L.', updated_at = now() where login = 'ada'`);
    const job = await sync('incremental');
    expect(described(job.changes)).toEqual(['update person ada']);
    expect(job.counts).toMatchObject({ read: 9, updated: 1, deleted: 0, linksDeleted: 0 });
    await edit(`insert into person (login, updated_at) values ('dan', now())`);
    const next = await sync('incremental');
    const manifest = await manifestOf(next);
    expect(manifest.mode).toBe('incremental');
    // Of the people those within the overlap, of the rest whatever is as old as the newest.
    expect(manifest.files.map(({ source, rows }) => [source, rows])).toEqual([
      ['person', 2],
      ['person (deleted)', 0],
      ['team', 2],
      ['team (deleted)', 0],
      ['member', 4],
      ['member (deleted)', 0],
    ]);
    expect(described(next.changes)).toEqual(['insert person dan']);
  });

  test('takes nobody for gone who was not returned', async () => {
    await sync('complete');
    await edit(
      `delete from person where login = 'cyd'; delete from member where login = 'ada';
       update person set name = 'Robert', updated_at = now() where login = 'bob'`,
    );
    const job = await sync('incremental');
    expect(described(job.changes)).toEqual(['update person bob']);
    const repaired = await sync('complete');
    expect(described(repaired.changes).sort()).toEqual([
      'delete member ada → dev',
      'delete member cyd → dev',
      'delete member cyd → ops',
      'delete person cyd',
      'delete person.boss cyd → ada',
      'delete person.team cyd → dev',
    ]);
  });

  test('deletes what is marked as deleted, with its links, which come back with it', async () => {
    const first = await sync('complete');
    await edit(`update person set gone = true, updated_at = now() where login = 'ada'`);
    const job = await sync('incremental');
    expect(described(job.changes).sort()).toEqual([
      'delete member ada → dev',
      'delete person ada',
      'delete person.boss ada → bob',
      'delete person.boss cyd → ada',
      'delete person.team ada → dev',
    ]);
    await edit(`update person set gone = false, updated_at = now() where login = 'ada'`);
    expect((await sync('incremental')).contents).toEqual(first.contents);
    expect((await sync('complete')).changes).toEqual([]);
  });

  test('ends links whose rows are marked, and replaces the references of rows that it returns', async () => {
    await sync('complete');
    await edit(
      `update member set gone = true, updated_at = now() where login = 'cyd' and code = 'ops';
       update person set team = 'ops', boss = null, updated_at = now() where login = 'cyd'`,
    );
    const job = await sync('incremental');
    expect(described(job.changes).sort()).toEqual([
      'delete member cyd → ops',
      'delete person.boss cyd → ada',
      'update person.team cyd → ops',
    ]);
    expect((await sync('complete')).changes).toEqual([]);
  });

  test('keeps whom one row marks as deleted and another does not', async () => {
    await edit(`insert into person (login, name, gone) values ('ada', 'Ada before', true)`);
    await sync('complete');
    await edit(`update person set updated_at = now() where name = 'Ada before'`);
    expect((await sync('incremental')).changes).toEqual([]);
  });

  test('sets aside both rows of a key although only one of them changed', async () => {
    await sync('complete');
    await edit(`insert into person (login, name, updated_at) values ('ada', 'Other Ada', now())`);
    const job = await sync('incremental');
    expect(job.changes).toEqual([]);
    expect(job.rejects.map(({ key, code }) => [key, code])).toEqual([
      ['ada', 'KeyDuplicate'],
      ['ada', 'KeyDuplicate'],
    ]);
  });

  test('keeps whom a row may stand for that cannot be used', async () => {
    await sync('complete');
    await edit(
      `update person set age = 'old', gone = false, updated_at = now() where login = 'ada';
       insert into person (login, gone, updated_at) values ('ada', true, now())`,
    );
    const job = await sync('incremental');
    expect(job.changes).toEqual([]);
    expect(job.rejects.map(({ code }) => code)).toEqual(['ValueInvalid']);
  });

  test('deletes somebody whose other values do not convert', async () => {
    await sync('complete');
    await edit(
      `update person set age = 'gone', gone = true, updated_at = now() where login = 'bob'`,
    );
    expect(described((await sync('incremental')).changes)).toContain('delete person bob');
  });

  test('asks a person before it empties a scope, and by any limit', async () => {
    await sync('complete');
    await edit(`update team set gone = true, updated_at = now() where code = 'ops'`);
    const one = await prepare('incremental');
    expect(one.breaches).toEqual([]);
    await one.end();
    await edit(
      `insert into team values ('x', 'X'); update team set gone = true, updated_at = now() where code <> 'x'`,
    );
    const two = await prepare('incremental');
    expect(two.breaches.map(({ scope, planned }) => [scope, planned])).toContainEqual(['team', 2]);
    await expect(two.load()).rejects.toThrow(/without a decision/);
    await two.end();
  });

  test('of a table that is empty now fails, for nobody can have left', async () => {
    await sync('complete');
    await edit('delete from person');
    await expect(prepare('incremental')).rejects.toThrow(/person has no rows/);
    await edit(`insert into person (login, gone) values ('ada', true)`);
    await expect(prepare('incremental')).rejects.toThrow(/person has no rows/);
  });

  test('brings what a transaction wrote that committed late, within the overlap', async () => {
    await sync('complete');
    await edit(`update person set updated_at = now() where login = 'bob'`);
    await sync('incremental');
    await edit(
      `insert into person (login, updated_at) values ('dan', now() - interval '9 minutes')`,
    );
    expect(described((await sync('incremental')).changes)).toEqual(['insert person dan']);
  });

  test('reads completely what tells no changes, and leaves even there to a complete one what is gone', async () => {
    await people.reset(databaseConfiguration({ member: {} }));
    const first = await sync('complete');
    await edit(
      `delete from member where login = 'ada'; insert into member (login, code) values ('bob', 'dev')`,
    );
    const job = await sync('incremental');
    expect(described(job.changes)).toEqual(['insert member bob → dev']);
    await edit(`insert into member (login, code) values ('ada', 'dev')`);
    await edit(`delete from member where login = 'bob' and code = 'dev'`);
    expect((await sync('incremental')).changes).toEqual([]);
    const last = await sync('complete');
    expect(described(last.changes)).toEqual(['delete member bob → dev']);
    expect(last.contents).toEqual(first.contents);
  });

  test('makes no complete job take for untouched what it has changed', async () => {
    await people.reset(databaseConfiguration({ member: {} }));
    await sync('complete');
    await edit(`update person set name = 'X', updated_at = now() where login = 'ada'`);
    await sync('incremental');
    await edit(
      `update person set name = 'Ada', updated_at = now() - interval '1 day' where login = 'ada'`,
    );
    expect(described((await sync('complete')).changes)).toEqual(['update person ada']);
    // In form only: the digest moves, no value does.
    await edit(`update person set name = ' Ada', updated_at = now() where login = 'ada'`);
    expect((await sync('incremental')).changes).toEqual([]);
    await edit(`update person set age = '37', updated_at = now() where login = 'ada'`);
    const job = await sync('complete');
    expect([described(job.changes), job.rejects]).toEqual([['update person ada'], []]);
  });

  test('that changes nothing leaves what is known of a scope as it is', async () => {
    await people.reset(databaseConfiguration({ member: {} }));
    await sync('complete');
    await edit(`delete from member where code = 'ops'`);
    await sync('incremental');
    const { rows } = await store('select scope from scope_source order by 1');
    expect(rows.map(({ scope }) => scope[0])).toEqual(['l', 'r', 'r']);
    const job = await sync('complete');
    expect(described(job.changes)).toEqual(['delete member bob → ops', 'delete member cyd → ops']);
  });

  test('leaves an edit of the store to the complete one that finds it', async () => {
    await sync('complete');
    await store(
      `update resource set attributes = attributes || '{"name": "Eve"}' where key = 'bob'`,
    );
    await edit(`update person set name = 'Ada L.', updated_at = now() where login = 'ada'`);
    expect(described((await sync('incremental')).changes)).toContain('update person ada');
    expect((await sync('complete')).contents.resources['person']?.['bob']).toMatchObject({
      name: 'Bob',
    });
  });

  test('is refused where no source tells changes', async () => {
    await people.reset(databaseConfiguration({ person: {}, team: {}, member: {} }));
    await expect(prepare('incremental')).rejects.toMatchObject({
      message: expect.stringContaining('none of whose sources has a watermark'),
    });
  });
});

describe('the cursor', () => {
  test('is set by a complete job too', async () => {
    await sync('complete');
    expect(Object.keys(await cursors())).toEqual(['member', 'person', 'team']);
  });

  test('moves with the load only: not by a job that is simulated, aborted or failed', async () => {
    await sync('complete');
    const before = await cursors();
    await edit(`update person set name = 'Ada L.', updated_at = now() where login = 'ada'`);
    const job = await prepare('incremental');
    expect(await cursors()).toEqual(before);
    await job.end();
    expect(await cursors()).toEqual(before);
    const second = await prepare('incremental');
    await expect(second.load({ fence: 0 })).rejects.toThrow();
    expect(await cursors()).toEqual(before);
    expect(await second.load()).toBe('applied');
    await second.end();
    const { person, ...others } = await cursors();
    expect(person).not.toBe(before['person']);
    expect({ person: before['person'], ...others }).toEqual(before);
  });

  test('moves without any other change, and then there is nothing to load', async () => {
    await sync('complete');
    await edit(`update person set updated_at = now() where login = 'ada'`);
    const job = await prepare('incremental');
    expect([job.empty, job.changes]).toEqual([false, []]);
    await job.load();
    await job.end();
    const next = await prepare('incremental');
    expect(next.empty).toBe(true);
    await next.end();
  });

  test('is worth nothing once the mapping or the source is another', async () => {
    await sync('complete');
    await edit(`update person set age = '99', updated_at = now() - interval '2 days'`);
    const changed = structuredClone(databaseConfiguration());
    if (changed.entityTypes['person'])
      changed.entityTypes['person'].properties['name'] = { column: 'team' };
    people.bench.configure(changed);
    const job = await sync('incremental');
    expect(job.counts).toMatchObject({ updated: 3 });
    const marked = { ...stamped, deleted: undefined } as object;
    people.bench.configure(databaseConfiguration({ team: marked }));
    const { files } = await manifestOf(await sync('incremental'));
    expect(files.filter(({ since }) => since === undefined).map(({ source }) => source)).toEqual([
      'person',
      'team',
    ]);
  });

  test('is not pulled forward by a row of the far future, which is read every time', async () => {
    await edit(`update person set updated_at = '9999-12-31' where login = 'bob'`);
    await sync('complete');
    await edit(`update person set name = 'Ada L.', updated_at = now() where login = 'ada'`);
    expect(described((await sync('incremental')).changes)).toEqual(['update person ada']);
  });

  test('goes back with an older extraction that is loaded again, and then nothing is missed', async () => {
    const first = await sync('complete');
    await edit(
      `update person set name = 'A', updated_at = now() - interval '5 hours' where login = 'ada'`,
    );
    await sync('incremental');
    await edit(`update person set name = 'B', updated_at = now() where login = 'bob'`);
    const third = await sync('incremental');
    const load = async (extraction: string, mode: 'complete' | 'incremental') => {
      const job = await people.bench.prepareKept('synchronize', extraction, {
        connector: 'hr',
        mode,
      });
      if (job.breaches.length > 0) await job.resume();
      await job.load();
      await job.end();
    };
    await load(first.extraction, 'complete');
    expect(await people.bench.contents()).toEqual(first.contents);
    const { person: back } = await cursors();
    // It begins where the second one ended, which this store does not know.
    await load(third.extraction, 'incremental');
    expect((await cursors())['person']).toBe(back);
    expect((await sync('incremental')).contents).toEqual(third.contents);
  });
});
