/** The load: exactly what was reviewed, once, by the job that holds the connector; or nothing at all. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(strict));

const [ada, bob, cyd] = usualRows.people;

/** Any update asks. */
const strict: ConfigurationDocument = {
  ...peopleConfiguration(),
  connectors: {
    sab: { kind: 'csv', directory: './sab', thresholds: { maximumUpdatedLines: 0 } },
  },
};

/** A job that inserts dee, updates ada, moves cyd, deletes bob, and adds and takes memberships. */
async function prepared() {
  await bench.sync(peopleFiles());
  return await bench.prepare(
    peopleFiles({
      people: [
        'ada,Ada,01/02/2020,37,RD,cyd',
        'cyd,Cyd,15/08/2021,,HQ,ada',
        'dee,Dee,01/01/2022,20,HQ,',
      ],
      memberships: ['ada,dev', 'ada,ops', 'dee,dev'],
    }),
  );
}

const person = (key: string) =>
  `(select r.id from resource r join entity_type t on t.id = r.entity_type_id
    where t.name = 'person' and r.key = '${key}')`;
const team = (key: string) => person(key).replace("'person'", "'team'");
const scope = (name: string) => `(select id from navigation_property where scope = '${name}')`;
const insertLink = (name: string, from: string, to: string) =>
  `insert into link (navigation_property_id, from_id, to_id) values (${scope(name)}, ${from}, ${to})`;
const deleteLink = (name: string, from: string, to: string) =>
  `delete from link where navigation_property_id = ${scope(name)} and from_id = ${from} and to_id = ${to}`;
const insertPerson = (key: string) =>
  `insert into resource (entity_type_id, key, attributes)
   values ((select id from entity_type where name = 'person'), '${key}', '{"login": "${key}"}')`;

describe('a store that moved after the review makes the delta stale, and stays as it is', () => {
  test.each([
    [
      'a resource to update was edited',
      `update resource set attributes = attributes || '{"age": 99}' where id = ${person('ada')}`,
    ],
    ['a resource to update was deleted', `delete from resource where id = ${person('ada')}`],
    [
      'a resource to delete was edited',
      `update resource set attributes = '{}' where id = ${person('bob')}`,
    ],
    ['a resource to delete was deleted', `delete from resource where id = ${person('bob')}`],
    ['a key to insert was inserted', insertPerson('dee')],
    ['a link to insert was inserted', insertLink('membership', person('ada'), team('ops'))],
    ['a link to delete was deleted', deleteLink('membership', person('cyd'), team('dev'))],
    [
      'a reference to update was moved',
      `update link set to_id = ${person('cyd')}
      where navigation_property_id = ${scope('person.manager')} and from_id = ${person('ada')}`,
    ],
    [
      'a reference to update was deleted',
      deleteLink(
        'person.organisation',
        person('cyd'),
        `(select to_id from link where navigation_property_id = ${scope('person.organisation')} and from_id = ${person('cyd')})`,
      ),
    ],
    ['a link came to a resource to delete', insertLink('membership', person('bob'), team('dev'))],
    [
      'a link came from a resource that stays to one to delete',
      insertLink('person.manager', person('cyd'), person('bob')),
    ],
    [
      'the target of a link to insert was deleted',
      `delete from resource where id = ${team('ops')}`,
    ],
    ['a change was taken out of the delta', `delete from link_change where change = 'insert'`],
  ])('%s', async (_, edit) => {
    const job = await prepared();
    await job.resume();
    await bench.store.pool.query(edit);
    const before = await bench.contents();
    expect(await job.load()).toBe('stale');
    expect(await bench.contents()).toEqual(before);
    if (edit.includes('_change')) return;
    // Prepared again it is another delta, which asks again and can then be loaded.
    const again = await job.again();
    await expect(again.load()).rejects.toThrow(/without a decision/);
    await again.resume();
    expect(await again.load()).toBe('applied');
    const { links } = await bench.contents();
    expect(links['membership']).toEqual(['ada → dev', 'ada → ops', 'dee → dev']);
  });
});

test('the changes of a delta cannot be edited', async () => {
  await prepared();
  for (const table of ['resource_change', 'link_change']) {
    const edit = bench.store.pool.query(`update ${table} set change = 'insert'`);
    await expect(edit).rejects.toThrow('the changes of a delta cannot be edited');
  }
});

test('a delta is loaded once, however often it is asked for', async () => {
  const job = await prepared();
  await job.resume();
  expect(await job.load()).toBe('applied');
  const contents = await bench.contents();
  const versions = await bench.store.pool.query('select id, xmin::text from resource order by id');
  expect(await job.load()).toBe('applied');
  expect(await bench.contents()).toEqual(contents);
  expect(
    (await bench.store.pool.query('select id, xmin::text from resource order by id')).rows,
  ).toEqual(versions.rows);
  const { rows } = await bench.store.pool.query(
    `select count(*)::int as count from audit_event where action = 'delta-applied' and subject = $1`,
    [job.id],
  );
  expect(rows).toEqual([{ count: 1 }]);
});

test('a delta that breaches a limit is not loaded without the decision to resume it', async () => {
  const job = await prepared();
  expect(job.breaches.length).toBeGreaterThan(0);
  const before = await bench.contents();
  await expect(job.load()).rejects.toMatchObject({
    type: 'InternalError',
    message: 'a delta that breaches a limit came to the load without a decision',
  });
  expect(await bench.contents()).toEqual(before);
});

test('a decision on one delta is none on another', async () => {
  const job = await prepared();
  await job.resume();
  await bench.store.pool.query(`update resource set attributes = '{}' where id = ${person('cyd')}`);
  const again = await job.again();
  expect(again.digest).not.toBe(job.digest);
  await expect(again.load()).rejects.toThrow(/without a decision/);
});

test('a digest that is not that of the delta loads nothing', async () => {
  const job = await prepared();
  await job.resume();
  expect(await job.load({ digest: 'another' })).toBe('stale');
});

test('a job with an old fence has lost its connector, and loads nothing', async () => {
  const job = await prepared();
  await job.resume();
  const before = await bench.contents();
  await expect(job.load({ fence: job.fence - 1 })).rejects.toMatchObject({ type: 'LeaseLost' });
  // Its workflow was terminated, and another job took the connector.
  bench.closedJobs.add(job.id);
  const other = await bench.prepare(peopleFiles({ people: [ada, bob, cyd] }));
  expect(other.fence).toBeGreaterThan(job.fence);
  await expect(job.load()).rejects.toMatchObject({ type: 'LeaseLost', nonRetryable: true });
  expect(await bench.contents()).toEqual(before);
});

test('an extraction that was touched after the review is not loaded', async () => {
  const job = await prepared();
  await job.resume();
  await rm(`${bench.extractions}/${job.extraction}/people.csv`);
  await expect(job.load()).rejects.toMatchObject({ type: 'ExtractionModified' });
});

test('the changes say before and after, and are kept', async () => {
  const job = await prepared();
  await job.resume();
  await job.load();
  expect(job.changes).toContainEqual({
    entityType: 'person',
    key: 'ada',
    change: 'update',
    before: { login: 'ada', name: 'Ada', hired: '2020-02-01', age: 36 },
    after: { login: 'ada', name: 'Ada', hired: '2020-02-01', age: 37 },
  });
  const { rows } = await bench.store.pool.query(
    `select count(*)::int as count from resource_change c join delta d on d.id = c.delta_id where d.job_id = $1`,
    [job.id],
  );
  expect(rows).toEqual([{ count: job.changes.filter((change) => 'entityType' in change).length }]);
});
