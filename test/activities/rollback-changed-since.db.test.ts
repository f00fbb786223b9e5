/** What a rollback leaves alone: whatever was changed again since, by a later job or by hand. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nextDay, peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

describe('what was changed again since is set aside, and the rest goes back', () => {
  const sinceBy = (who: string) => `since, by ${who}; it stays as it is`;

  test('a resource that a later job updated', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    const older = nextDay['people.csv']?.replace('ada,Ada,01/02/2020,37', 'ada,Ada,01/02/2020,38');
    const later = await bench.sync({ ...nextDay, 'people.csv': older ?? '' });
    const rollback = await bench.rollBack(job.id);
    expect(rollback.state).toBe('succeeded-with-rejects');
    expect(rollback.counts).toMatchObject({ inserted: 1, updated: 0, deleted: 1, rejected: 1 });
    expect(rollback.entityTypes['person']).toMatchObject({ updated: 0, rejected: 1 });
    expect(rollback.rejects).toMatchObject([
      {
        entityType: 'person',
        key: 'ada',
        column: 'age',
        value: '38',
        code: 'ChangedSince',
        message: `was changed ${sinceBy(later.id)}`,
      },
    ]);
    expect(rollback.contents.resources['person']).toMatchObject({ ada: { age: 38 }, bob: {} });
  });

  test('a resource that somebody edited by hand', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    await bench.store.pool.query(
      `update resource set attributes = attributes || '{"name": "Adele"}' where key = 'ada'`,
    );
    const { rejects, contents } = await bench.rollBack(job.id);
    expect(rejects).toMatchObject([
      { key: 'ada', column: 'name', value: 'Adele', message: `was changed ${sinceBy('hand')}` },
    ]);
    expect(contents.resources['person']).toMatchObject({ ada: { name: 'Adele', age: 37 } });
  });

  test('an updated resource that was deleted since, and its references', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    const later = await bench.sync(
      peopleFiles({ people: ['dee,Dee,01/01/2022,20,HQ,'], memberships: ['dee,dev'] }),
    );
    const { rejects, contents } = await bench.rollBack(job.id);
    expect(rejects).toContainEqual(
      expect.objectContaining({
        key: 'ada',
        column: null,
        message: `was deleted ${sinceBy(later.id)}`,
      }),
    );
    expect(rejects).toContainEqual(
      expect.objectContaining({ key: 'cyd', column: 'organisation', code: 'ChangedSince' }),
    );
    expect(Object.keys(contents.resources['person'] ?? {})).toEqual(['bob']);
  });

  test('a deleted resource that came anew with other values, and the links it had', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    const people = nextDay['people.csv'];
    const later = await bench.sync({
      ...nextDay,
      'people.csv': `${people}bob,Robert,29/02/2016,51,HQ,\n`,
    });
    const { rejects, contents } = await bench.rollBack(job.id);
    expect(rejects).toContainEqual(
      expect.objectContaining({
        key: 'bob',
        column: 'name',
        value: 'Robert',
        message: `came anew ${sinceBy(later.id)}`,
      }),
    );
    expect(rejects).toContainEqual(
      expect.objectContaining({
        entityType: 'membership',
        key: 'bob',
        column: 'from',
        value: 'bob',
      }),
    );
    expect(contents.resources['person']).toMatchObject({ bob: { name: 'Robert' } });
    // Who came back is not given what somebody else of that name had.
    expect(contents.links['membership']).not.toContain('bob → ops');
  });

  test('a reference that points elsewhere by now', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(nextDay);
    const people = nextDay['people.csv']?.replace('37,RD,cyd', '37,RD,dee');
    const later = await bench.sync({ ...nextDay, 'people.csv': people ?? '' });
    const { rejects, contents } = await bench.rollBack(job.id);
    expect(rejects).toMatchObject([
      {
        entityType: 'person',
        key: 'ada',
        column: 'manager',
        value: 'dee',
        message: `was changed ${sinceBy(later.id)}`,
      },
    ]);
    // Its new target goes, as an inserted resource of the job: so does the reference to it.
    expect(contents.links['person.manager']).toEqual(['cyd → ada']);
    expect(contents.resources['person']).toMatchObject({ ada: { age: 36 } });
  });

  test('a link whose end was deleted since', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(peopleFiles({ memberships: ['ada,dev', 'bob,ops', 'cyd,dev'] }));
    const later = await bench.sync(
      peopleFiles({ teams: ['dev,Developers'], memberships: ['ada,dev', 'cyd,dev'] }),
    );
    const rollback = await bench.prepareRollback(job.id);
    expect(rollback.changes).toEqual([]);
    expect(rollback.rejects).toMatchObject([
      {
        entityType: 'membership',
        key: 'cyd',
        column: 'to',
        value: 'ops',
        code: 'ChangedSince',
        message: `the link lacks a team that was deleted or came anew ${sinceBy(later.id)}`,
      },
    ]);
  });
});
