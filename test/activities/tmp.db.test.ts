import { afterAll, beforeAll, expect, test } from 'vitest';
import { filesOf } from '../fixtures/arbitrary-days.ts';
import { peopleConfiguration } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';
let bench: SyncBench;
beforeAll(async () => { bench = await openSyncBench(peopleConfiguration()); });
afterAll(() => bench[Symbol.asyncDispose]());
test('x', async () => {
  const day = {"organisations":[["HQ","Ada","HQ"]],"people":[["ada","Ada","01/02/2020","1","HQ","ada"]],"teams":[["dev","Ada"]],"memberships":[["ada","dev"]]};
  await bench.reset(peopleConfiguration());
  try {
  const first = await bench.sync(filesOf(day));
  console.log(first.contents);
  const s = await bench.sync(filesOf(day));
  console.log(s.changes);
  } catch (e) { console.log(JSON.stringify(bench.logged, null, 1)); throw e; }
});
