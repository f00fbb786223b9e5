/** The rollback of a first load whose changes have tables to themselves. */
import { expect, test } from 'vitest';
import { peopleConfiguration, peopleFiles } from '../fixtures/people.ts';
import { openSyncBench } from '../support/sync-bench.ts';

test('a first load of 51,000 resources, whose changes have a table to themselves, goes back', async () => {
  await using bench = await openSyncBench(peopleConfiguration());
  const people = Array.from({ length: 51_000 }, (_, at) => `p${at},Name ${at},,,HQ,`);
  const memberships = people.map((_, at) => `p${at},${at % 2 === 0 ? 'dev' : 'ops'}`);
  const files = peopleFiles({ people, memberships });
  const job = await bench.sync(files);
  const rollback = await bench.rollBack(job.id);
  expect(rollback.counts).toMatchObject({ deleted: 51_004, linksDeleted: 102_001, rejected: 0 });
  expect(rollback.contents).toEqual({ resources: {}, links: {}, pending: {} });
  const again = await bench.prepare(files);
  expect(again.counts).toEqual({ ...job.counts });
  await again.end();
  const restored = await bench.rollBack(rollback.id);
  expect(restored.contents).toEqual(job.contents);
}, 180_000);
