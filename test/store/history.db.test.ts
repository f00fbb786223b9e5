/** Old changes go out of the history in batches; what is newer, and what the jobs were, stays. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { purgeHistory } from '../../store/history.ts';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());

async function changesOf(jobId: string): Promise<number> {
  const { rows } = await bench.store.pool.query<{ count: number }>(
    `select ((select count(*) from resource_change where delta_id = d.id)
       + (select count(*) from link_change where delta_id = d.id)
       + (select count(*) from bookkeeping where delta_id = d.id))::int as count
     from delta d where job_id = $1`,
    [jobId],
  );
  return rows[0]?.count ?? 0;
}

test('only what ended before the day goes, whatever the batch', async () => {
  const old = await bench.sync(peopleFiles());
  await bench.store.pool.query(`update job set ended_at = '2020-01-01'`);
  const people = [...usualRows.people, 'dan,Dan,,,HQ,ada'];
  const recent = await bench.sync(peopleFiles({ people }));
  const before = await changesOf(old.id);
  expect(before).toBeGreaterThan(10);
  expect(await purgeHistory(bench.store, new Date('2019-12-31'))).toEqual({ deltas: 0, rows: 0 });
  expect(await purgeHistory(bench.store, new Date('2020-01-02'), 3)).toEqual({
    deltas: 1,
    rows: before,
  });
  expect(await changesOf(old.id)).toBe(0);
  expect(await changesOf(recent.id)).toBeGreaterThan(0);
  const { rows } = await bench.store.pool.query(
    `select counts ->> 'inserted' as inserted from delta where job_id = $1`,
    [old.id],
  );
  expect(rows).toEqual([{ inserted: '7' }]);
  expect(await purgeHistory(bench.store, new Date('2020-01-02'))).toEqual({ deltas: 0, rows: 0 });
  expect((await bench.sync(peopleFiles({ people }))).changes).toEqual([]);
});
