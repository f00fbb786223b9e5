/** Extractions that are older than they are kept go by themselves; what somebody still needs stays, however old it is. */
import { mkdir, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { giveUpExtraction, outdatedExtractions } from '../../store/extraction-retention.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

function people(keepExtractions?: string): ConfigurationDocument {
  return {
    connectors: {
      sab: { kind: 'csv', directory: './sab', ...(keepExtractions && { keepExtractions }) },
    },
    entityTypes: {
      person: {
        connector: 'sab',
        source: 'people.csv',
        key: 'id',
        properties: { id: { column: 'id' }, name: { column: 'name' } },
      },
    },
  };
}

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(people('10d'));
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  await bench.reset(people('10d'));
  await rm(bench.extractions, { recursive: true, force: true });
});

const file = (name: string) => ({ 'people.csv': `id,name\n1,${name}\n` });

async function onDisk(): Promise<string[]> {
  const names = await readdir(join(bench.extractions, 'sab'));
  return names.map((name) => `sab/${name}`).sort();
}

/** As if all that was made until now had been made so many days earlier. */
async function age(days: number): Promise<void> {
  await bench.store.pool.query(
    `update extraction set created_at = created_at - make_interval(days => $1)`,
    [days],
  );
  for (const id of await onDisk()) await touch(id, days);
}

async function touch(id: string, daysAgo: number): Promise<void> {
  const then = new Date(Date.now() - daysAgo * 86_400_000);
  await utimes(join(bench.extractions, id), then, then);
}

describe('an export', () => {
  test('removes extractions that are older than they are kept, and says so in log and audit log', async () => {
    const first = await bench.sync(file('Ada'));
    const second = await bench.sync(file('Alan'));
    await age(11);
    const third = await bench.sync(file('Grace'));
    // The second was still the one loaded last.
    expect(await onDisk()).toEqual([second.extraction, third.extraction].sort());
    await bench.prepare(file('Edsger')).then((job) => job.end());
    expect(await onDisk()).not.toContain(second.extraction);
    const { rows } = await bench.store.pool.query(
      `select actor, detail -> 'extractions' as extractions from audit_event
       where action = 'extractions-removed' order by id desc limit 2`,
    );
    expect(rows).toMatchObject([
      { extractions: [second.extraction] },
      { actor: third.id, extractions: [first.extraction] },
    ]);
    expect(bench.logged).toContainEqual({
      fields: { job: third.id, removed: 1 },
      message: 'removed old extractions',
    });
  });

  test('leaves everything where extractions are kept for ever, or not that long yet', async () => {
    await bench.sync(file('Ada'));
    await bench.sync(file('Alan'));
    await age(9);
    await bench.sync(file('Grace'));
    expect(await onDisk()).toHaveLength(3);
    bench.configure(people('forever'));
    await age(4000);
    await bench.sync(file('Edsger'));
    expect(await onDisk()).toHaveLength(4);
    bench.configure(people());
    await bench.sync(file('Barbara'));
    expect(await onDisk()).toHaveLength(2);
  });

  test('never removes what was loaded last, though newer ones were never loaded', async () => {
    const loaded = await bench.sync(file('Ada'));
    const planned = await bench.prepare(file('Alan'));
    await planned.end();
    await age(100);
    const newest = await bench.prepare(file('Grace'));
    expect(await onDisk()).toEqual([loaded.extraction, newest.extraction].sort());
    await newest.end();
  });

  test('removes what dead exports left, but not what may still be written', async () => {
    await bench.sync(file('Ada'));
    const left = [
      'sab/dead~01234567~unfinished',
      'sab/lost~01234567',
      'sab/live~01234567~unfinished',
    ];
    for (const id of left) await mkdir(join(bench.extractions, id));
    await touch('sab/dead~01234567~unfinished', 2);
    await touch('sab/lost~01234567', 11);
    const { extraction } = await bench.sync(file('Alan'));
    const names = await onDisk();
    expect(names).toHaveLength(3);
    expect(names).toEqual(expect.arrayContaining([extraction, 'sab/live~01234567~unfinished']));
  });

  test('finishes a removal that a crash interrupted', async () => {
    const first = await bench.sync(file('Ada'));
    const second = await bench.sync(file('Alan'));
    // Noted, and not done.
    expect(await giveUpExtraction(bench.store, first.extraction)).toBe(true);
    expect(await onDisk()).toContain(first.extraction);
    const third = await bench.sync(file('Grace'));
    expect(await onDisk()).toEqual([second.extraction, third.extraction].sort());
  });

  test('succeeds also when what is old cannot be removed, which is logged', async () => {
    await bench.sync(file('Ada'));
    await bench.sync(file('Alan'));
    await age(11);
    const { pool } = bench.store;
    await pool.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$;
       create trigger refuse before update of removed_at on extraction execute function refuse()`,
    );
    try {
      const { id, state } = await bench.sync(file('Grace'));
      expect(state).toBe('succeeded');
      const [warning] = bench.logged.filter(({ message }) => /could not be removed/.test(message));
      expect(warning?.fields).toEqual({ job: id, kind: 'error', code: 'P0001' });
    } finally {
      await pool.query('drop trigger refuse on extraction; drop function refuse');
    }
    expect(await onDisk()).toHaveLength(3);
  });
});

describe('an extraction that is needed', () => {
  test('by an open job is not given up, not even when it was chosen a moment before', async () => {
    const first = await bench.sync(file('Ada'));
    await bench.sync(file('Alan'));
    const { pool } = bench.store;
    const before = new Date('9999-01-01');
    expect(await outdatedExtractions(pool, { before, limit: 9 })).toEqual([first.extraction]);
    const job = await bench.prepareKept('prepare', first.extraction);
    expect(await outdatedExtractions(pool, { before, limit: 9 })).toEqual([]);
    expect(await giveUpExtraction(bench.store, first.extraction)).toBe(false);
    await job.end();
    expect(await giveUpExtraction(bench.store, first.extraction)).toBe(true);
    await expect(bench.prepareKept('prepare', first.extraction)).rejects.toMatchObject({
      type: 'NotFound',
    });
  });

  test('and chosen while it is being given up is either kept or refused, never both', async () => {
    const first = await bench.sync(file('Ada'));
    await bench.sync(file('Alan'));
    // The job has chosen and not committed yet: the removal has to wait for it, and then sees it.
    const session = await bench.store.pool.connect();
    await session.query('begin');
    await session.query('select from extraction where id = $1 for share', [first.extraction]);
    const given = giveUpExtraction(bench.store, first.extraction);
    await expect
      .poll(async () => {
        const { rows } = await bench.store.pool.query(
          `select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock'
             and datname = current_database()`,
        );
        return rows[0]?.waiting;
      })
      .toBe(1);
    await session.query(
      `update job set extraction = $1, ended_at = null where id = (select max(id) from job)`,
      [first.extraction],
    );
    await session.query('commit');
    session.release();
    expect(await given).toBe(false);
  });
});
