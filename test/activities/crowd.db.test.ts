/** Many new resources at once, where the planner has only seen a few. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());

test('a store of a few meets a file of many: the new ones are found by their keys, not one by one', async () => {
  await bench.sync(peopleFiles());
  const crowd = Array.from({ length: 20_000 }, (_, nth) => `n${nth},N,01/02/2020,30,RD,ada`);
  const { counts } = await bench.sync(peopleFiles({ people: [...usualRows.people, ...crowd] }));
  expect(counts).toMatchObject({ inserted: 20_000, linksInserted: 40_000 });
}, 30_000);
