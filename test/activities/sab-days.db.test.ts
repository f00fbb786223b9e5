/** The example's days through the real activities: the numbers its README promises, for counts, links and rejects. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ConfigurationDocument } from '../../config/document.ts';
import expected from '../../examples/sab/expected-counts.json' with { type: 'json' };
import { type FinishedJob, openSyncBench, type SyncBench } from '../support/sync-bench.ts';

const example = path.resolve(import.meta.dirname, '../../examples/sab');
let bench: SyncBench;
beforeAll(async () => {
  const document = parse(await readFile(path.join(example, 'lockstep.yaml'), 'utf8'));
  const { sab } = document.connectors;
  bench = await openSyncBench({
    ...document,
    connectors: { sab: { ...sab, directory: './sab' } },
  } as ConfigurationDocument);
});
afterAll(() => bench[Symbol.asyncDispose]());

async function filesOf(day: string): Promise<Record<string, Buffer>> {
  const names = await readdir(path.join(example, day));
  const contents = await Promise.all(names.map((name) => readFile(path.join(example, day, name))));
  return Object.fromEntries(names.map((name, index) => [name, contents[index] as Buffer]));
}

/** The counts of a job in the form of `expected-counts.json`. */
function told({ entityTypes, changes, rejects }: FinishedJob) {
  const links = (scope: string) => {
    const of = changes.filter((change) => 'association' in change && change.association === scope);
    const count = (kind: string) => of.filter(({ change }) => change === kind).length;
    return { inserted: count('insert'), updated: count('update'), deleted: count('delete') };
  };
  return {
    rejects: rejects.map(({ code, file, line, key, column }) => ({
      code,
      file,
      line,
      key,
      column,
    })),
    entityTypes: Object.fromEntries(
      Object.entries(entityTypes).map(([name, { unchanged, inserted, updated, deleted }]) => [
        name,
        { unchanged, inserted, updated, deleted },
      ]),
    ),
    links: {
      'sab_organisation.parent': links('sab_organisation.parent'),
      'sab_user.organisation': links('sab_user.organisation'),
      'sab_user.manager': links('sab_user.manager'),
      'sab_user.groups': links('sab_membership'),
    },
  };
}

/** The same, as promised: rejects in the order in which jobs list them, without the numbers stored before. */
function promised(day: 'day-1' | 'day-2') {
  const { rejects, entityTypes, links } = expected[day];
  const without = (all: Record<string, object>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, counts]) => {
        const { base: _, ...rest } = counts as { base: number };
        return [name, rest];
      }),
    );
  return { rejects, entityTypes: without(entityTypes), links: without(links) };
}

const byPlace = (all: readonly object[]) => all.map((each) => JSON.stringify(each)).sort();

test('day 1 blocks; day 2 after it passes unasked; both yield what is promised; day 1 comes back', async () => {
  const first = await bench.sync(await filesOf('day-1'));
  expect(first.breaches.length).toBeGreaterThan(0);
  const day1 = promised('day-1');
  expect(told(first)).toMatchObject({ entityTypes: day1.entityTypes, links: day1.links });
  expect(byPlace(told(first).rejects)).toEqual(byPlace(day1.rejects));
  expect(first.state).toBe('succeeded-with-rejects');

  const again = await bench.sync(await filesOf('day-1'));
  expect(again.changes).toEqual([]);
  expect(again.rejects.map(({ line, code }) => [line, code])).toEqual(
    first.rejects.map(({ line, code }) => [line, code]),
  );

  const second = await bench.sync(await filesOf('day-2'));
  expect(second.breaches).toEqual([]);
  const day2 = promised('day-2');
  expect(told(second)).toMatchObject({ entityTypes: day2.entityTypes, links: day2.links });
  expect(byPlace(told(second).rejects)).toEqual(byPlace(day2.rejects));
});

test.each([
  ['blank-file', 'SourceEmpty'],
  ['header-only', 'SourceEmpty'],
  ['missing-column', 'SourceColumnMissing'],
])('the bad day %s is stopped as %s', async (day, type) => {
  const before = await bench.contents();
  await expect(bench.prepare(await filesOf(`bad-days/${day}`))).rejects.toMatchObject({ type });
  expect(await bench.contents()).toEqual(before);
});

test('the bad day of swapped headers blocks with an update of every user', async () => {
  const job = await bench.prepare(await filesOf('bad-days/swapped-headers'));
  expect(job.counts).toMatchObject({ inserted: 0, updated: 240, deleted: 0 });
  expect(job.breaches).toContainEqual({
    threshold: 'maximumUpdatedLines',
    scope: 'sab_user',
    planned: 240,
    allowed: 100,
    base: 240,
  });
  await job.end();
});
