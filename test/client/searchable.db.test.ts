/** Searchable properties have an index that searches use, from the first load on and when the configuration changes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findEntityType } from '../../store/queries/entity-types.ts';
import type { ReadStore } from '../../store/queries/read-store.ts';
import { toSql } from '../../store/queries/resource-condition.ts';
import { peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(searching(['name']));
});
afterAll(() => bench[Symbol.asyncDispose]());

/** The usual model in which these properties of a person are searchable. */
function searching(names: readonly string[]) {
  const configuration = peopleConfiguration();
  const person = configuration.entityTypes['person'] as NonNullable<
    (typeof configuration.entityTypes)[string]
  >;
  const properties = Object.entries(person.properties).map(([name, property]) => [
    name,
    names.includes(name) ? { ...property, searchable: true } : property,
  ]);
  const changed = { ...person, properties: Object.fromEntries(properties) };
  return { ...configuration, entityTypes: { ...configuration.entityTypes, person: changed } };
}

async function indexed(): Promise<string[]> {
  const { rows } = await bench.store.pool.query<{ property: string }>(
    `select (regexp_match(indexdef, '->> ''(.*?)'''))[1] as property from pg_indexes
     where tablename like 'resource\\_%' and indexdef like '%->>%' order by 1`,
  );
  return rows.map(({ property }) => property);
}

test('the first load makes the indexes, and the next job follows the configuration', async () => {
  await bench.sync(peopleFiles());
  expect(await indexed()).toEqual(['name']);
  bench.configure(searching(['age', 'hired']));
  const job = await bench.sync(peopleFiles());
  expect(await indexed()).toEqual(['age', 'hired']);
  // An index is no part of what records mean.
  expect(job.empty).toBe(true);
  bench.configure(searching([]));
  await bench.sync(peopleFiles());
  expect(await indexed()).toEqual([]);
});

test('a search for a value can use the index, in the order of the keys', async () => {
  bench.configure(searching(['name']));
  await bench.sync(peopleFiles());
  const person = await findEntityType(bench.store as unknown as ReadStore, 'person');
  if (person === undefined) throw new Error('no person');
  const values: unknown[] = [];
  const condition = toSql(person, { property: 'name', operator: '=', value: 'Bob' }, values);
  const session = await bench.store.pool.connect();
  try {
    // So few rows would be read one by one.
    await session.query('set enable_seqscan = off; set enable_sort = off');
    const { rows } = await session.query<{ 'QUERY PLAN': string }>(
      `explain select r.id from resource r where r.entity_type_id = ${person.id} and ${condition} order by r.key`,
      values,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/_by_.*\n.*Index Cond: .*'name'/);
  } finally {
    session.release(true);
  }
});
