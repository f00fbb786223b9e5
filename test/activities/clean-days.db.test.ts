/** No diagnosis on clean data: the example's days and nights of random changes, with limits that every change passes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { absoluteLimits } from '../fixtures/limits.ts';
import { type Row, rowsOf, sabConfiguration, sabDay, tampered } from '../support/sab-example.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
let day1: Record<string, string>;
let day2: Record<string, string>;
beforeAll(async () => {
  const nothing = Object.fromEntries(absoluteLimits.map(([limit]) => [limit, 0]));
  bench = await openSyncBench(await sabConfiguration(nothing));
  [day1, day2] = await Promise.all([sabDay('day-1'), sabDay('day-2')]);
  await bench.sync(day1);
});
afterAll(() => bench[Symbol.asyncDispose]());

/** More with `LOCKSTEP_TEST_RUNS`, to measure. */
const nights = Math.min(500, Number(process.env['LOCKSTEP_TEST_RUNS'] ?? 6));

test('a normal day passes every limit of 0 and has no likely cause', async () => {
  const job = await bench.prepare(day2);
  await job.end();
  expect(job.breaches.length).toBeGreaterThan(5);
  expect(job.diagnoses).toEqual([]);
});

test('nights on which up to half of the people change have none either', async () => {
  const alarms: object[] = [];
  for (let night = 1; night <= nights; night++) {
    let state = night * 7919;
    const draw = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return Math.floor((state / 0x80000000) * below);
    };
    const share = 10 + draw(490);
    const files = ['users.csv', 'organisations.csv', 'groups.csv'].reduce((day, file) => {
      const all = rowsOf(day1, file);
      const [key] = Object.keys(all[0] ?? {}) as [string];
      const change = (row: Row): Row => {
        const other = all[draw(all.length)] as Row;
        const some = Object.keys(row).filter((name) => name !== key && draw(3) === 0);
        return { ...row, ...Object.fromEntries(some.map((name) => [name, other[name] ?? ''])) };
      };
      return tampered(day, file, (rows) =>
        rows
          // Fewer than a fifth leave, of the people; a fifth of 25 organisations is a source that shrank.
          .filter(() => file !== 'users.csv' || draw(1000) > share / 4)
          .map((row) => (draw(1000) < share ? change(row) : row))
          .concat(
            draw(2) === 0
              ? []
              : all.slice(0, 5).map((row) => ({ ...change(row), [key]: `n${draw(9999)}` })),
          ),
      );
    }, day1);
    const job = await bench.prepare(files);
    await job.end();
    expect(job.breaches).not.toEqual([]);
    alarms.push(...job.diagnoses.map((each) => ({ night, ...each })));
  }
  expect(alarms).toEqual([]);
});
