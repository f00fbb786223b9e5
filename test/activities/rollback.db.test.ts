/** Rollback: the inverse of a job's changes, and nothing of what was changed again since. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nextDay, peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const [ada, bob, cyd] = usualRows.people;

/** What a change says, whatever it is called: for comparing two deltas. */
const said = (changes: readonly object[]) => changes.map((change) => JSON.stringify(change)).sort();

const idOf = async (key: string) =>
  (await bench.store.pool.query<{ id: string }>('select id from resource where key = $1', [key]))
    .rows[0]?.id;

describe('what a job changed goes back', () => {
  test('inserted, updated and deleted resources, references and links', async () => {
    const { contents: before } = await bench.sync(peopleFiles());
    const bobsId = await idOf('bob');
    const job = await bench.sync(nextDay);
    expect(job.contents).not.toEqual(before);

    const rollback = await bench.rollBack(job.id);
    expect(rollback.contents).toEqual(before);
    expect(await idOf('bob')).toBe(bobsId);
    expect(rollback).toMatchObject({ state: 'succeeded', rejects: [] });
    const { inserted, updated, deleted, linksInserted, linksUpdated, linksDeleted } = job.counts;
    expect(rollback.counts).toMatchObject({
      read: 0,
      rejected: 0,
      inserted: deleted,
      updated,
      deleted: inserted,
      linksInserted: linksDeleted,
      linksUpdated,
      linksDeleted: linksInserted,
    });
    expect(linksUpdated).toBeGreaterThan(0);
  });

  test('and the next complete job of the same files plans the same changes again, with their lines', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    await bench.rollBack(job.id);
    const again = await bench.sync(nextDay);
    expect(said(again.changes)).toEqual(said(job.changes));
    expect(again.contents).toEqual(job.contents);
    const last = await bench.prepare(nextDay);
    expect(last).toMatchObject({ empty: true, changes: [] });
  });

  test('while the job before, run once more, finds everything as it was', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    await bench.rollBack(job.id);
    expect((await bench.prepare(peopleFiles())).changes).toEqual([]);
  });

  test('a second rollback of it plans nothing', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    await bench.rollBack(job.id);
    expect(await bench.prepareRollback(job.id)).toMatchObject({
      changes: [],
      rejects: [],
      empty: true,
      breaches: [],
    });
  });

  test('a rollback of the rollback restores what the job had done', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    const rollback = await bench.rollBack(job.id);
    const restored = await bench.rollBack(rollback.id);
    expect(restored.contents).toEqual(job.contents);
    expect(restored.rejects).toEqual([]);
    // Thrice round, and it is still the same.
    expect((await bench.rollBack(restored.id)).contents).toEqual(rollback.contents);
  });

  test('a reference that alone changed goes back, and is planned again by the next job', async () => {
    const { contents: before } = await bench.sync(peopleFiles());
    const moved = peopleFiles({ people: [ada, bob, 'cyd,Cyd,15/08/2021,,HQ,ada'] });
    const job = await bench.sync(moved);
    expect(job.counts).toMatchObject({ updated: 0, linksUpdated: 1 });
    expect((await bench.rollBack(job.id)).contents).toEqual(before);
    expect(said((await bench.prepare(moved)).changes)).toEqual(said(job.changes));
  });

  test('a first load empties its scopes, so it always asks', async () => {
    const job = await bench.sync(peopleFiles());
    const rollback = await bench.prepareRollback(job.id);
    expect(rollback.breaches).toContainEqual({
      threshold: 'maxPercentageDeletedLines',
      scope: 'person',
      planned: 3,
      allowed: 2,
      base: 3,
    });
    await expect(rollback.load()).rejects.toThrow(/without a decision/);
    await rollback.resume();
    expect(await rollback.load()).toBe('applied');
    expect(await bench.contents()).toEqual({ resources: {}, links: {}, pending: {} });
  });

  test('limits apply as for any job', async () => {
    const document = peopleConfiguration();
    bench.configure({
      ...document,
      connectors: {
        sab: { kind: 'csv', directory: './sab', thresholds: { maximumInsertedLines: 0 } },
      },
    });
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    const { breaches } = await bench.prepareRollback(job.id);
    expect(breaches).toContainEqual({
      threshold: 'maximumInsertedLines',
      scope: 'person',
      planned: 1,
      allowed: 0,
      base: 3,
    });
  });

  test('links that began to wait wait no longer, and those that healed wait again', async () => {
    await bench.sync(peopleFiles({ memberships: ['ada,dev', 'ada,qa'] }));
    const { contents: before } = await bench.sync(
      peopleFiles({
        memberships: ['ada,dev', 'ada,qa'],
        people: [ada, bob, 'cyd,Cyd,15/08/2021,,RD,eve'],
      }),
    );
    expect(before.pending).toEqual({ membership: ['ada → qa'], 'person.manager': ['cyd → eve'] });
    const next = peopleFiles({
      teams: ['dev,Developers', 'ops,Operators', 'qa,Quality'],
      people: [ada, bob, 'cyd,Cyd,15/08/2021,,RD,zoe'],
      memberships: ['ada,dev', 'ada,qa', 'bob,legal'],
    });
    const job = await bench.sync(next);
    expect(job.contents.links['membership']).toContain('ada → qa');
    expect(job.contents.pending).toEqual({
      membership: ['bob → legal'],
      'person.manager': ['cyd → zoe'],
    });
    const rollback = await bench.rollBack(job.id);
    expect(rollback.contents).toEqual(before);
    const again = await bench.sync(next);
    expect(again.contents).toEqual(job.contents);
    expect(said(again.changes)).toEqual(said(job.changes));
  });

  test('links that came to an inserted resource since go with it, counted, and wait for it', async () => {
    await bench.sync(peopleFiles());
    const teams = ['dev,Developers', 'ops,Operators', 'qa,Quality'];
    const job = await bench.sync(peopleFiles({ teams }));
    expect(job.counts).toMatchObject({ inserted: 1, linksInserted: 0 });
    await bench.sync(peopleFiles({ teams, memberships: [...usualRows.memberships, 'ada,qa'] }));
    const rollback = await bench.rollBack(job.id);
    expect(rollback.counts).toMatchObject({ deleted: 1, linksDeleted: 1, rejected: 0 });
    expect(rollback.contents.pending).toEqual({ membership: ['ada → qa'] });
    const restored = await bench.rollBack(rollback.id);
    expect(restored.contents.links['membership']).toContain('ada → qa');
    expect(restored.contents.pending).toEqual({});
  });
});

test('a rollback that was reviewed is prepared again when the store has moved', async () => {
  await bench.sync(peopleFiles());
  const job = await bench.sync(nextDay);
  const rollback = await bench.prepareRollback(job.id);
  await bench.store.pool.query(
    `update resource set attributes = attributes || '{"age": 99}' where key = 'ada'`,
  );
  if (rollback.breaches.length > 0) await rollback.resume();
  expect(await rollback.load()).toBe('stale');
  const again = await rollback.again();
  expect(again.rejects).toMatchObject([{ key: 'ada', column: 'age', value: '99' }]);
  if (again.breaches.length > 0) await again.resume();
  expect(await again.load()).toBe('applied');
});

test('links of another connector come back with the resource that a job had deleted', async () => {
  const document = peopleConfiguration();
  bench.configure({
    connectors: { ...document.connectors, hr: { kind: 'csv', directory: './hr' } },
    entityTypes: document.entityTypes,
    associations: {
      membership: { ...document.associations?.['membership'], connector: 'hr' } as never,
    },
  });
  await bench.sync(peopleFiles());
  const { contents: before } = await bench.sync(peopleFiles(), 'hr');
  const job = await bench.sync(peopleFiles({ teams: ['dev,Developers'] }));
  expect(job.contents.pending).toEqual({ membership: ['bob → ops', 'cyd → ops'] });
  const rollback = await bench.rollBack(job.id);
  expect(rollback.contents).toEqual(before);
  expect(rollback.breaches.map(({ scope }) => scope)).not.toContain('hr');
  expect((await bench.prepare(peopleFiles(), 'hr')).changes).toEqual([]);
});

describe('there is nothing to roll back', () => {
  test('of a job that nobody knows', async () => {
    await expect(bench.prepareRollback('sab.complete.never')).rejects.toMatchObject({
      type: 'NotFound',
    });
  });

  test('of a job that is not applied', async () => {
    const job = await bench.prepare(peopleFiles());
    await job.end();
    await expect(bench.prepareRollback(job.id)).rejects.toMatchObject({
      type: 'NothingToRollBack',
      message: expect.stringContaining('it wrote nothing'),
    });
  });

  test('of a job that found everything up to date', async () => {
    await bench.sync(peopleFiles());
    // A row in another form: no change, but a digest to remember.
    const job = await bench.sync(peopleFiles({ people: [ada, bob, `"cyd"${cyd.slice(3)}`] }));
    expect(job.empty).toBe(false);
    await expect(bench.prepareRollback(job.id)).rejects.toMatchObject({
      type: 'NothingToRollBack',
      message: expect.stringContaining('found everything up to date'),
    });
  });

  test('of a job of another connector', async () => {
    const job = await bench.sync(peopleFiles());
    const document = peopleConfiguration();
    bench.configure({
      ...document,
      connectors: { ...document.connectors, hr: { kind: 'csv', directory: './hr' } },
    });
    await expect(bench.prepareRollback(job.id, 'hr')).rejects.toMatchObject({ type: 'NotFound' });
  });

  test.each(['resource_change', 'link_change'])(
    'of a job of whose %s some were purged',
    async (table) => {
      const job = await bench.sync(peopleFiles());
      await bench.store.pool.query(
        `delete from ${table} where ctid = (select ctid from ${table} limit 1)`,
      );
      await expect(bench.prepareRollback(job.id)).rejects.toMatchObject({ type: 'ChangesPurged' });
    },
  );
});

test('the audit log says which job took back which', async () => {
  await bench.sync(peopleFiles());
  const job = await bench.sync(nextDay);
  const rollback = await bench.rollBack(job.id);
  const { rows } = await bench.store.pool.query(
    `select actor, subject from audit_event where action = 'rolled-back' and subject = $1`,
    [job.id],
  );
  expect(rows).toEqual([{ actor: rollback.id, subject: job.id }]);
});
