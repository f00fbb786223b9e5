/** A simulation with another configuration: what it would change is told, and the store stays as it is, its model too. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { pageOfChanges } from '../../store/queries/changes.ts';
import { provisionalNames } from '../../store/queries/delta-scopes.ts';
import { jobDocument } from '../../store/queries/job-document.ts';
import { peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  await bench.reset(peopleConfiguration());
  await bench.sync(peopleFiles());
});

type Model = NonNullable<ConfigurationDocument['entityTypes']>;

/** The usual configuration with another entity type person, and whatever else. */
function configured(
  person: Partial<Model[string]>,
  more: (document: ConfigurationDocument) => Partial<ConfigurationDocument> = () => ({}),
): ConfigurationDocument {
  const document = peopleConfiguration();
  const changed = { ...document.entityTypes['person'], ...person } as Model[string];
  const entityTypes = { ...document.entityTypes, person: changed };
  return { ...document, entityTypes, ...more({ ...document, entityTypes }) };
}

const properties = peopleConfiguration().entityTypes['person']?.properties ?? {};
const { age: _, ...withoutAge } = properties;
const { manager: __, ...withoutManager } = properties;
const office: Model[string] = {
  connector: 'sab',
  source: 'organisations.csv',
  key: 'code',
  properties: { code: { column: 'code' }, head: { column: 'parent', references: 'organisation' } },
};
const seat = {
  connector: 'sab',
  source: 'people.csv',
  from: { entityType: 'person', property: 'offices', column: 'id' },
  to: { entityType: 'office', property: 'people', column: 'org' },
};

const cases: [string, ConfigurationDocument, object, object[]][] = [
  [
    'a new property updates every resource that has it',
    configured({ properties: { ...properties, boss: { column: 'boss' } } }),
    { updated: 2 },
    [{ change: 'added', scope: 'person.boss', detail: 'string, column boss' }],
  ],
  [
    'a property that is gone updates every resource that had it',
    configured({ properties: withoutAge }),
    { updated: 2 },
    [{ change: 'removed', scope: 'person.age', detail: 'integer, column age' }],
  ],
  [
    'another type of a property updates every resource that has it',
    configured({ properties: { ...properties, age: { column: 'age' } } }),
    { updated: 2 },
    [{ change: 'changed', scope: 'person.age', detail: 'integer → string' }],
  ],
  [
    'another format sets aside what does not convert any more',
    configured({
      properties: { ...properties, hired: { column: 'hired', type: 'date', format: 'MM/dd/yyyy' } },
    }),
    { updated: 1, rejected: 2, deleted: 0 },
    [
      {
        change: 'changed',
        scope: 'person.hired',
        detail: 'format dd/MM/yyyy → format MM/dd/yyyy',
      },
    ],
  ],
  [
    'an expression in place of a column',
    configured({
      properties: { ...properties, name: { expression: 'login & "!"' } },
    }),
    { updated: 3 },
    [
      {
        change: 'changed',
        scope: 'person.name',
        detail: 'column name → expression login & "!"',
      },
    ],
  ],
  [
    'another key replaces every resource',
    configured({ key: 'name' }),
    { inserted: 3, deleted: 3 },
    [{ change: 'changed', scope: 'person', detail: 'key login → name' }],
  ],
  [
    'a reference that is gone takes its links with it',
    configured({ properties: withoutManager }),
    { updated: 0, linksDeleted: 2 },
    [
      {
        change: 'removed',
        scope: 'person.manager',
        detail: 'reference to person, column boss',
      },
    ],
  ],
  [
    'a new entity type and a new association are inserted',
    configured({}, ({ entityTypes, associations }) => ({
      entityTypes: { ...entityTypes, office },
      associations: { ...associations, seat },
    })),
    { inserted: 2, linksInserted: 4 },
    [
      { change: 'added', scope: 'office', detail: '' },
      { change: 'added', scope: 'seat', detail: '' },
    ],
  ],
  [
    'an association that is gone takes its links with it',
    configured({}, () => ({ associations: {} })),
    { linksDeleted: 4 },
    [{ change: 'removed', scope: 'membership', detail: '' }],
  ],
  [
    'other limits are those that are judged by',
    configured({ thresholds: { maximumUpdatedLines: 7 } }, ({ connectors }) => ({
      connectors: {
        sab: { ...connectors['sab'], thresholds: { maximumDeletedLines: 3 } } as never,
      },
    })),
    { updated: 0 },
    [
      { change: 'changed', scope: 'sab', detail: 'maximumDeletedLines' },
      { change: 'changed', scope: 'person', detail: 'maximumUpdatedLines' },
    ],
  ],
];

/** Everything that makes the model of the store: rows, views, tables, indexes. */
async function modelOf({ store }: SyncBench) {
  const query = async (text: string) => (await store.pool.query(text)).rows;
  return {
    entityTypes: await query('select * from entity_type order by id'),
    navigations: await query('select * from navigation_property order by id'),
    views: await query(
      `select viewname, definition from pg_views where schemaname = 'views' order by 1`,
    ),
    sources: await query('select * from scope_source order by 1'),
    tables: await query(
      `select relname from pg_class where relnamespace = 'public'::regnamespace and relname !~ '_change_\\d' order by 1`,
    ),
  };
}

const said = (changes: readonly object[]) => changes.map((change) => JSON.stringify(change)).sort();

describe('a simulated configuration', () => {
  test.each(cases)('%s', async (_name, document, counts, differences) => {
    const [model, contents] = [await modelOf(bench), await bench.contents()];
    bench.configure(document);
    const simulated = await bench.simulate(peopleFiles());
    expect(simulated.counts).toMatchObject(counts);
    const told = await jobDocument(bench.store, simulated.id);
    expect(told?.configurationChanges).toEqual(differences);
    expect(told?.simulated).toBe(true);
    expect(await modelOf(bench)).toEqual(model);
    expect(await bench.contents()).toEqual(contents);

    // The real job plans just that.
    const real = await bench.prepare(peopleFiles());
    expect(said(real.changes)).toEqual(said(simulated.changes));
    expect(real.counts).toEqual(simulated.counts);
    expect(real.breaches).toEqual(simulated.breaches);
    expect(real.rejects).toEqual(simulated.rejects);
  });

  test('tells its changes by names that the store does not know, also one by one', async () => {
    const [, document] = cases.find(([name]) =>
      name.includes('new entity type'),
    ) as (typeof cases)[0];
    bench.configure(document);
    const { id, changes, rejects } = await bench.simulate(
      peopleFiles({ people: ['ada,Ada,01/02/2020,36,XX,'], memberships: ['ada,dev'] }),
    );
    expect(changes).toContainEqual({
      entityType: 'office',
      key: 'RD',
      change: 'insert',
      before: null,
      after: { code: 'RD' },
    });
    expect(rejects).toContainEqual(
      expect.objectContaining({
        entityType: 'seat',
        code: 'ReferenceUnknown',
        message: 'refers to a office that does not exist',
      }),
    );
    expect((await provisionalNames(bench.store, id)).sort()).toEqual([
      'office',
      'office.head',
      'seat',
    ]);
    const page = await pageOfChanges(bench.store, id, { scope: 'office' });
    expect(page.changes).toHaveLength(3);
  });

  test('on a store that knows nothing yet leaves it so', async () => {
    await bench.reset(peopleConfiguration());
    const model = await modelOf(bench);
    const simulated = await bench.simulate(peopleFiles());
    expect(simulated.counts).toMatchObject({ inserted: 7 });
    expect(simulated.changes).toHaveLength(7 + simulated.counts.linksInserted);
    expect(await modelOf(bench)).toEqual(model);
    expect(model.entityTypes).toEqual([]);
  });

  test('asks where the key changes, however few resources there are', async () => {
    bench.configure(configured({ key: 'name', thresholds: { percentageFloor: 100 } }));
    const { breaches } = await bench.simulate(peopleFiles());
    expect(breaches.map(({ scope }) => scope)).toContain('person');
  });

  test('another directory is read', async () => {
    bench.configure({
      ...peopleConfiguration(),
      connectors: { sab: { kind: 'csv', directory: './elsewhere' } },
    });
    await bench.write(
      peopleFiles({ people: ['ada,Ada,01/02/2020,36,RD,'], memberships: ['ada,dev'] }),
      'elsewhere',
    );
    const simulated = await bench.simulate(peopleFiles());
    expect(simulated.counts).toMatchObject({ deleted: 2 });
    expect((await jobDocument(bench.store, simulated.id))?.configurationChanges).toEqual([
      { change: 'changed', scope: 'sab', detail: 'directory' },
    ]);
  });

  test('is never loaded', async () => {
    bench.configure(configured({ properties: withoutAge }));
    const simulated = await bench.simulate(peopleFiles());
    await expect(simulated.load()).rejects.toMatchObject({
      type: expect.stringMatching(/LeaseLost|InternalError/),
    });
    const { rows } = await bench.store.pool.query<{ fence: string }>(
      `update lease set holder = $1 returning fence`,
      [simulated.id],
    );
    await expect(simulated.load({ fence: Number(rows[0]?.fence) })).rejects.toMatchObject({
      type: 'InternalError',
      message: 'a simulated delta came to the load',
    });
  });
});
