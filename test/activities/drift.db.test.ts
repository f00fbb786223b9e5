/** What a job repairs although its source did not change: edits of the store, and changes of the configuration. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(peopleConfiguration()));

const id = (key: string) => `(select id from resource where key = '${key}')`;
const scope = (name: string) => `(select id from navigation_property where scope = '${name}')`;

describe('an edit of the store by SQL is undone by the next job, though the files are the same', () => {
  test.each<[string, string, object]>([
    [
      'an attribute of a resource',
      `update resource set attributes = attributes || '{"name": "Eve"}' where key = 'ada'`,
      { updated: 1 },
    ],
    [
      'all attributes of all resources',
      `update resource set attributes = '{"x": 1}'`,
      { updated: 7 },
    ],
    [
      'a deleted resource',
      `delete from resource where key = 'dev'`,
      { inserted: 1, linksInserted: 2 },
    ],
    [
      'a resource added by hand',
      `insert into resource (entity_type_id, key, attributes)
       select id, 'eve', '{"login": "eve"}' from entity_type where name = 'person'`,
      { deleted: 1 },
    ],
    [
      'a reference moved',
      `update link set to_id = ${id('HQ')} where from_id = ${id('ada')} and to_id = ${id('RD')}`,
      { linksUpdated: 1 },
    ],
    [
      'a reference deleted',
      `delete from link where from_id = ${id('ada')} and to_id = ${id('RD')}`,
      { linksInserted: 1 },
    ],
    [
      'a reference added where the row has none',
      `insert into link (navigation_property_id, from_id, to_id)
       values (${scope('person.manager')}, ${id('bob')}, ${id('cyd')})`,
      { linksDeleted: 1 },
    ],
    [
      'a second target of a reference',
      `insert into link (navigation_property_id, from_id, to_id)
       values (${scope('person.organisation')}, ${id('ada')}, ${id('HQ')})`,
      { linksDeleted: 1, linksUpdated: 0 },
    ],
    [
      'a membership deleted',
      `delete from link where navigation_property_id = ${scope('membership')} and to_id = ${id('dev')}`,
      { linksInserted: 2 },
    ],
    [
      'a membership added',
      `insert into link (navigation_property_id, from_id, to_id)
       values (${scope('membership')}, ${id('ada')}, ${id('ops')})`,
      { linksDeleted: 1 },
    ],
    [
      'a membership moved',
      `update link set to_id = ${id('ops')}
       where navigation_property_id = ${scope('membership')} and from_id = ${id('ada')}`,
      { linksInserted: 1, linksDeleted: 1 },
    ],
  ])('%s', async (_, edit, counts) => {
    const { contents } = await bench.sync(peopleFiles());
    await bench.store.pool.query(edit);
    expect(await bench.contents()).not.toEqual(contents);
    const job = await bench.sync(peopleFiles());
    const none = {
      inserted: 0,
      updated: 0,
      deleted: 0,
      linksInserted: 0,
      linksUpdated: 0,
      linksDeleted: 0,
    };
    expect(job.counts).toMatchObject({ ...none, ...counts });
    expect(await bench.contents()).toEqual(contents);
    expect((await bench.sync(peopleFiles())).changes).toEqual([]);
  });

  test('an edit that comes to nothing is no change', async () => {
    await bench.sync(peopleFiles());
    await bench.store.pool.query(`update resource set attributes = attributes`);
    expect((await bench.sync(peopleFiles())).changes).toEqual([]);
    const { rows } = await bench.store.pool.query(
      'select key from resource where source_digest is null',
    );
    expect(rows).toEqual([]);
  });

  test('rows added by hand are deleted through the gate', async () => {
    await bench.sync(peopleFiles());
    await bench.store.pool.query(
      `insert into resource (entity_type_id, key, attributes)
       select t.id, 'x' || n, '{}' from entity_type t, generate_series(1, 11) n where t.name = 'team'`,
    );
    const job = await bench.prepare(peopleFiles());
    expect(job.breaches).toMatchObject([
      { threshold: 'maxPercentageDeletedLines', scope: 'team', planned: 11, base: 13 },
    ]);
    await job.end();
  });
});

type Change = (document: Required<ConfigurationDocument>) => ConfigurationDocument;

const withPerson =
  (properties: Record<string, object>): Change =>
  (document) => {
    const { person } = document.entityTypes;
    if (!person) throw new Error('the model has no person');
    const changed = { ...person, properties: { ...person.properties, ...properties } };
    return { ...document, entityTypes: { ...document.entityTypes, person: changed } };
  };

describe('a change of the configuration changes what it says and nothing else', () => {
  const none = {
    inserted: 0,
    updated: 0,
    deleted: 0,
    linksInserted: 0,
    linksUpdated: 0,
    linksDeleted: 0,
  };
  test.each<[string, Change, object]>([
    ['a new property', withPerson({ email: { expression: 'login & "@x"' } }), { updated: 3 }],
    ['a property of another type', withPerson({ age: { column: 'age' } }), { updated: 2 }],
    [
      'a format that reads the same',
      withPerson({ hired: { column: 'hired', type: 'date', format: 'd/M/yyyy' } }),
      {},
    ],
    [
      'a new reference',
      withPerson({ home: { column: 'org', references: 'organisation' } }),
      { linksInserted: 3 },
    ],
    [
      'a reference to another type',
      withPerson({ manager: { column: 'boss' } }),
      { updated: 2, linksDeleted: 2 },
    ],
    [
      'an association that is declared no longer',
      (document) => ({ ...document, associations: {} }),
      { linksDeleted: 4 },
    ],
    [
      'an association under another name',
      (document) => ({
        ...document,
        associations: { belonging: document.associations?.['membership'] as never },
      }),
      { linksDeleted: 4, linksInserted: 4 },
    ],
    [
      'a limit',
      (document) => ({
        ...document,
        connectors: {
          sab: { kind: 'csv', directory: './sab', thresholds: { maximumDeletedLines: 3 } },
        },
      }),
      {},
    ],
  ])('%s', async (_, change, counts) => {
    const document = peopleConfiguration() as Required<ConfigurationDocument>;
    await bench.sync(peopleFiles());
    bench.configure(change(document));
    expect((await bench.sync(peopleFiles())).counts).toMatchObject({ ...none, ...counts });
    expect((await bench.sync(peopleFiles())).changes).toEqual([]);
  });

  test('a changed expression updates the rows it gives another value', async () => {
    const label = (expression: string) =>
      withPerson({ label: { expression } })(
        peopleConfiguration() as Required<ConfigurationDocument>,
      );
    bench.configure(label('$uppercase(name)'));
    await bench.sync(peopleFiles());
    bench.configure(label('age > 40 ? name : $uppercase(name)'));
    const job = await bench.sync(peopleFiles());
    expect(job.changes).toMatchObject([{ key: 'bob', after: { label: 'Bob' } }]);
  });

  test('a changed date format rejects the rows it does not read, and keeps them', async () => {
    const { contents } = await bench.sync(peopleFiles());
    const american = { hired: { column: 'hired', type: 'date', format: 'MM/dd/yyyy' } };
    bench.configure(withPerson(american)(peopleConfiguration() as Required<ConfigurationDocument>));
    const job = await bench.sync(peopleFiles());
    expect(job.counts).toMatchObject({ updated: 1, rejected: 2, deleted: 0 });
    expect(Object.keys(job.contents.resources['person'] ?? {})).toEqual(
      Object.keys(contents.resources['person'] ?? {}),
    );
  });

  test('a property that a format read wrongly is put right for every row when the format is', async () => {
    const right = await bench.sync(peopleFiles());
    const plain = { hired: { column: 'hired' } };
    bench.configure(withPerson(plain)(peopleConfiguration() as Required<ConfigurationDocument>));
    expect((await bench.sync(peopleFiles())).counts).toMatchObject({ updated: 3 });
    bench.configure(peopleConfiguration());
    expect((await bench.sync(peopleFiles())).contents).toEqual(right.contents);
  });
});

test('digests that only changed their form are renewed without a change, and then known', async () => {
  await bench.sync(peopleFiles());
  const files = { ...peopleFiles(), 'teams.csv': 'label,code\nDevelopers,dev\nOperators,ops\n' };
  const digests = 'select key, source_digest from resource order by key';
  const { rows: before } = await bench.store.pool.query(digests);
  const renewed = await bench.sync(files);
  expect(renewed.changes).toEqual([]);
  const { rows: after } = await bench.store.pool.query(digests);
  const changed = after.filter((row, index) => row.source_digest !== before[index].source_digest);
  expect(changed.map(({ key }) => key)).toEqual(['dev', 'ops']);
  expect(usualRows.teams).toHaveLength(2);
});

test('an edit between review and load is not hidden by a digest that the load renews', async () => {
  await bench.sync(peopleFiles());
  const files = { ...peopleFiles(), 'teams.csv': 'label,code\nDevelopers,dev\nOperators,ops\n' };
  const job = await bench.prepare(files);
  await bench.store.pool.query(`update resource set attributes = '{}' where key = 'dev'`);
  await job.load();
  await job.end();
  const repaired = await bench.sync(files);
  expect(repaired.contents.resources['team']?.['dev']).toEqual({
    code: 'dev',
    label: 'Developers',
  });
});
