/** A connection that breaks in the middle of a transaction: the transaction fails as what it is, and nobody else notices. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, type Session, type Store } from '../../store/database.ts';
import { migratedDatabase } from '../support/servers.ts';

let database: Awaited<ReturnType<typeof migratedDatabase>>;
let store: Store;
beforeAll(async () => {
  database = await migratedDatabase();
  store = openStore(database.url, 'broken connection');
});
afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
});

/** Ends the session as an administrator would. */
async function cut(session: Session): Promise<void> {
  const { processID } = session as Session & { readonly processID: number };
  await store.pool.query('select pg_terminate_backend($1, 5000)', [processID]);
}

const unavailable = { code: 'StoreUnavailable' };

test('while no statement waits for an answer', async () => {
  const broken = store.transaction('repeatable read', async (session) => {
    await session.query(
      `insert into audit_event (actor, action, subject, detail) values ('a', 'b', 'c', '{}')`,
    );
    const heard = new Promise((resolve) => session.once('error', resolve));
    await cut(session);
    await heard;
    await session.query('select 1');
  });
  await expect(broken).rejects.toMatchObject(unavailable);
});

test('while one does', async () => {
  const broken = store.transaction('read committed', async (session) => {
    await Promise.all([session.query('select pg_sleep(30)'), cut(session)]);
  });
  await expect(broken).rejects.toMatchObject(unavailable);
});

test('and the next transaction has another connection', async () => {
  const events = await store.transaction('read committed', async (session) => {
    const { rows } = await session.query('select count(*)::int as count from audit_event');
    return rows[0];
  });
  expect(events).toEqual({ count: 0 });
});
