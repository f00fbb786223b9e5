// What people had put down for edits goes with the changes of their jobs, and not before.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { putEditRequest } from '../../store/edit-request.ts';
import { purgeHistory } from '../../store/history.ts';
import { openReadStore } from '../../store/queries/read-store.ts';
import { directoryConfiguration } from '../fixtures/directory.ts';
import { makeEdit, prepareEdit } from '../support/edit-bench.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(directoryConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());

const requests = async () =>
  (await bench.store.pool.query('select id from edit_request order by id')).rows.map(
    ({ id }) => id,
  );

test('a purge removes the requests of ended jobs and of those that never began, but of no open job', async () => {
  const made = await makeEdit(bench, 'role', { action: 'set', key: 'admin', values: {} });
  const open = await prepareEdit(bench, 'role', { action: 'set', key: 'viewer', values: {} });
  const lost = { id: 'lost', entityType: 'role', request: {}, requestedBy: null };
  await putEditRequest(bench.store, lost);
  await purgeHistory(bench.store, new Date(Date.now() - 60_000));
  expect(await requests()).toEqual([made.id, open.id, 'lost'].sort());
  await purgeHistory(bench.store, new Date(Date.now() + 60_000));
  expect(await requests()).toEqual([open.id]);
});

test('a client whose session is read-only otherwise can put a request down', async () => {
  const { rows } = await bench.store.pool.query('select current_database() as name');
  const { options } = bench.store.pool;
  const url = new URL(String(options.connectionString));
  expect(url.pathname).toBe(`/${rows[0]?.name}`);
  const store = openReadStore(url.href, 'test reader');
  try {
    await expect(store.pool.query('delete from edit_request')).rejects.toMatchObject({
      code: '25006',
    });
    const request = { id: 'read-only', entityType: 'role', request: {}, requestedBy: 'jane' };
    await putEditRequest(store, request);
    expect(await requests()).toContain('read-only');
    await expect(store.pool.query('delete from edit_request')).rejects.toMatchObject({
      code: '25006',
    });
  } finally {
    await store.close();
  }
});

test('a role that may not put requests down is told what it lacks', async () => {
  await bench.store.pool.query('create role looker login');
  await bench.store.pool.query('grant select on all tables in schema public to looker');
  const url = new URL(String(bench.store.pool.options.connectionString));
  url.searchParams.set('options', '-c role=looker');
  const store = openReadStore(url.href, 'looker');
  try {
    const request = { id: 'refused', entityType: 'role', request: {}, requestedBy: null };
    await expect(putEditRequest(store, request)).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      hint: expect.stringContaining('INSERT'),
    });
  } finally {
    await store.close();
    await bench.store.pool.query('drop owned by looker');
    await bench.store.pool.query('drop role looker');
  }
});
