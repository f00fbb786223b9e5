/** Rows on their way into PostgreSQL: all of them arrive as they were, and large ones are given back once they are sent. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRowSink } from '../../store/copy.ts';
import { openStore, type Store } from '../../store/database.ts';
import { RowWriter } from '../../store/row-writer.ts';
import { migratedDatabase } from '../support/servers.ts';

let database: Awaited<ReturnType<typeof migratedDatabase>>;
let store: Store;
beforeAll(async () => {
  database = await migratedDatabase();
  store = openStore(database.url, 'copy');
});
afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
});

/** So many rows of a kilobyte, no two of them alike. */
function rowsOf(first: number, count: number): Uint8Array<ArrayBuffer> {
  const writer = new RowWriter(1 << 10);
  for (let nth = first; nth < first + count; nth++) {
    writer.row(2).int(nth).text(textOf(nth));
  }
  return writer.take();
}

const textOf = (nth: number) => createHash('sha512').update(String(nth)).digest('hex').repeat(8);

test('large and small writes arrive whole, and only the large ones are given back', async () => {
  await store.transaction('read committed', async (session) => {
    await session.query('create temporary table arrived (nth int, text text) on commit drop');
    const sink = openRowSink(session, 'arrived (nth, text)');
    let next = 0;
    const given = new Set<number>();
    // Much more than the buffers of a socket hold.
    for (const count of Array.from({ length: 120 }, (_, at) => [400, 1, 20][at % 3] as number)) {
      const rows = rowsOf(next, count);
      next += count;
      await sink.write(rows);
      if (rows.byteLength === 0) given.add(count);
    }
    await sink.end();
    expect([...given]).toEqual([400]);
    const { rows } = await session.query<{ nth: number; text: string }>(
      'select nth, text from arrived order by nth',
    );
    expect(rows.map(({ nth }) => nth)).toEqual(Array.from({ length: next }, (_, nth) => nth));
    expect(rows.filter(({ nth, text }) => text !== textOf(nth))).toEqual([]);
  });
});
