// What is managed by us is a part of the store's model like any other: known, numbered, and with views.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfiguration } from '../../config/configuration.ts';
import { openStore, type Store } from '../../store/database.ts';
import { applyModel } from '../../store/model-store.ts';
import { findEntityType } from '../../store/queries/entity-types.ts';
import { directoryConfiguration } from '../fixtures/directory.ts';
import { migratedDatabase } from '../support/servers.ts';

let store: Store;
const disposables = new AsyncDisposableStack();
beforeAll(async () => {
  const database = disposables.use(await migratedDatabase());
  store = openStore(database.url, 'test');
  disposables.defer(() => store.close());
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-model-'));
  disposables.defer(() => rm(directory, { recursive: true }));
  const file = join(directory, 'lockstep.yaml');
  await writeFile(file, JSON.stringify(directoryConfiguration()));
  const { configuration } = await readConfiguration(file, {});
  await applyModel(store, configuration);
  await applyModel(store, configuration);
});
afterAll(() => disposables.disposeAsync());

test('a managed entity type is known with its properties and its links both ways, of no connector', async () => {
  const type = await findEntityType(store, 'user');
  expect(type).toMatchObject({
    key: 'userName',
    properties: [...['active', 'floor', 'givenName', 'hired', 'mail', 'seen', 'share', 'userName']],
  });
  expect(
    type?.navigations.map(({ name, entityType, singleValued }) => [name, entityType, singleValued]),
  ).toEqual([
    ['department', 'department', true],
    ['roles', 'role', false],
  ]);
  const connectors = await store.pool.query(
    'select connector from entity_type union all select connector from navigation_property',
  );
  expect(connectors.rows).toEqual(Array(5).fill({ connector: null }));
});

test('what is managed has views with typed columns', async () => {
  const columns = await store.pool.query(
    `select table_name as view, string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) as columns
     from information_schema.columns where table_schema = 'views' group by 1 order by 1`,
  );
  expect(columns.rows).toEqual([
    { view: 'assignment', columns: 'role text, user text' },
    { view: 'department', columns: 'code text, name text' },
    { view: 'role', columns: 'name text' },
    {
      view: 'user',
      columns:
        'userName text, givenName text, mail text, active boolean, floor bigint, share numeric, hired date, seen timestamp with time zone, department text',
    },
  ]);
});
