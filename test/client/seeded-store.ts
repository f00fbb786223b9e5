// A database with the example's model and a few resources, and jobs to put into it.

import { fileURLToPath } from 'node:url';
import { readConfiguration } from '../../config/configuration.ts';
import { noCounts } from '../../engine/counts.ts';
import { openStore, type Store } from '../../store/database.ts';
import { applyModel, type StoredModel } from '../../store/model-store.ts';
import { openReadStore, type ReadStore } from '../../store/queries/read-store.ts';
import { migratedDatabase } from '../support/servers.ts';

export const configurationFile = fileURLToPath(
  new URL('../../examples/sab/lockstep.yaml', import.meta.url),
);

/** A seeded database; `await using` drops it at the end. */
export interface SeededStore extends AsyncDisposable {
  readonly url: string;
  /** May write. */
  readonly writer: Store;
  /** May not. */
  readonly store: ReadStore;
  readonly model: StoredModel;
}

export async function openSeededStore(): Promise<SeededStore> {
  const database = await migratedDatabase();
  const writer = openStore(database.url, 'test');
  const store = openReadStore(database.url, 'test reader');
  const { configuration } = await readConfiguration(configurationFile, {});
  const model = await applyModel(writer, configuration);
  await seedResources(writer, model);
  return {
    url: database.url,
    writer,
    store,
    model,
    async [Symbol.asyncDispose]() {
      await store.close();
      await writer.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Four users, two organisations, two groups; `boss` manages the others. */
async function seedResources(writer: Store, model: StoredModel): Promise<void> {
  const [user, organisation, group] = ['sab_user', 'sab_organisation', 'sab_group'].map(
    (name) => model.entityTypeIds.get(name) as number,
  );
  // A first load makes the tables of what it loads, also when that is nothing.
  for (const id of model.entityTypeIds.values()) {
    await writer.pool.query('select load_first_resources($1, 0)', [id]);
  }
  for (const { id } of model.navigations.values()) {
    await writer.pool.query('select load_first_links($1, 0)', [id]);
  }
  const insert = (id: number, type: number | undefined, key: string, attributes: object) =>
    writer.pool.query(
      'insert into resource (id, entity_type_id, key, attributes) values ($1, $2, $3, $4)',
      [id, type, key, JSON.stringify(attributes)],
    );
  await insert(1, organisation, 'HQ', { code: 'HQ', name: 'Siège' });
  await insert(2, organisation, 'RD', { code: 'RD', name: 'R & D' });
  await insert(3, group, 'admins', { code: 'admins' });
  await insert(4, group, 'all', { code: 'all' });
  await insert(5, user, 'boss', {
    login: 'boss',
    lastName: 'Élan',
    active: true,
    hireDate: '2020-02-29',
  });
  await insert(6, user, 'jdoe', { login: 'jdoe', lastName: "O'Neil%", active: true });
  await insert(7, user, 'zoe', { login: 'zoe', lastName: 'Dupont', active: false });
  await insert(8, user, 'abel', { login: 'abel', active: true });
  const link = (scope: string, from: number, to: number) =>
    writer.pool.query(
      'insert into link (navigation_property_id, from_id, to_id) values ($1, $2, $3)',
      [model.navigations.get(scope)?.id, from, to],
    );
  await link('sab_organisation.parent', 2, 1);
  await link('sab_user.organisation', 5, 1);
  await link('sab_user.organisation', 6, 2);
  for (const id of [6, 7, 8]) await link('sab_user.manager', id, 5);
  for (const id of [5, 6, 7]) await link('sab_membership', id, 4);
  await link('sab_membership', 5, 3);
}

/** What the newest delta of a seeded job counts. */
export const seededCounts = { ...noCounts, read: 4, updated: 1 };

/** A job with one delta. @returns the delta's id */
export async function seedJob(
  writer: Store,
  id: string,
  job: { state?: string; error?: object; startedAt?: string } = {},
) {
  await writer.pool.query(
    `insert into job (id, run_id, connector, mode, state, simulated, trigger, requested_by, error, started_at)
     values ($1, 'r', $2, 'complete', $3, false, 'person', 'me', $4, $5)`,
    [
      id,
      id.split('.')[0],
      job.state ?? 'blocked',
      job.error ?? null,
      job.startedAt ?? '2026-01-01',
    ],
  );
  const { rows } = await writer.pool.query<{ id: string }>(
    `insert into delta (job_id, extraction, digest, counts, entity_types, associations, breaches, diagnoses)
     values ($1, 'e', 'first', '{}', '{}', '{}', '[]', '[]'), ($1, 'e', 'newest', $2, $3, '{}', $4, '[]')
     returning id`,
    [
      id,
      seededCounts,
      { sab_user: seededCounts },
      JSON.stringify([
        { threshold: 'maximumUpdatedLines', scope: 'sab_user', planned: 1, allowed: 0, base: 4 },
      ]),
    ],
  );
  return rows[1]?.id as string;
}

/** All items of a stream. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
