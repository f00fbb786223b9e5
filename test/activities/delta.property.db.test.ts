/** For any rows and any limits: the delta is the true difference, and nothing of it is written past a limit unasked. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { RecordIndexWriter } from '../../connectors/record-index.ts';
import { type LimitName, limitDefaults } from '../../engine/threshold.ts';
import type { Change } from '../../store/queries/changes.ts';
import { arbitraryDay, filesOf } from '../fixtures/arbitrary-days.ts';
import { peopleConfiguration } from '../fixtures/people.ts';
import {
  after,
  contentsOf,
  difference,
  emptyState,
  type ScopePlan,
  sorted,
} from '../support/people-oracle.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(peopleConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());

/** The same days at every run; other ones with `LOCKSTEP_TEST_SEED`. */
const seed = Number(process.env['LOCKSTEP_TEST_SEED'] ?? 20_261_122);

type Limits = Partial<Record<LimitName, number>>;

const limits = fc.dictionary(
  fc.constantFrom(...(Object.keys(limitDefaults) as LimitName[])),
  fc.integer({ min: 0, max: 6 }),
  { maxKeys: 6 },
) as fc.Arbitrary<Limits>;

/** Checks a property as often as the time allows, which a failure's shrinking shares. */
async function check<Input>(
  arbitrary: fc.Arbitrary<Input>,
  seconds: number,
  holds: (input: Input) => Promise<void>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  let nth = 0;
  const property = fc.asyncProperty(arbitrary, async (input) => {
    // Every other time all files are as large files are.
    RecordIndexWriter.worthwhile = nth++ % 2 === 0 ? 1 : 50_000;
    if (Date.now() < deadline) await holds(input);
  });
  await fc.assert(property, { numRuns: 35, seed });
}

test('any days under any limits: written is what differs, or nothing while a limit is passed', async () => {
  const days = fc.array(arbitraryDay({ clean: false }), { minLength: 1, maxLength: 3 });
  const input = fc.tuple(days, limits, limits, fc.boolean());
  await check(input, 15, async ([sequence, ofConnector, ofType, keepTables]) => {
    const configuration = withLimits(ofConnector, ofType);
    await bench.reset(configuration, { keepTables });
    let state = emptyState();
    for (const day of sequence) {
      const before = contentsOf(state);
      state = after(state, day);
      const expected = difference(before, contentsOf(state));
      const job = await bench.prepare(filesOf(day));
      expect(job.changes.map(describe).sort()).toEqual(expected.changes);
      expect(totals(job.counts)).toEqual(sums(expected.scopes));
      expect(await bench.contents()).toEqual(before);
      const breached = passesALimit(expected.scopes, ofConnector, ofType);
      expect(job.breaches.length > 0).toBe(breached);
      if (breached) {
        await expect(job.load()).rejects.toThrow(/without a decision/);
        expect(await bench.contents()).toEqual(before);
        await job.resume();
      }
      expect(await job.load()).toBe('applied');
      await job.end();
      expect(await bench.contents()).toEqual(contentsOf(state));
    }
  });
});

test('the same extraction twice plans nothing, and says its rejects again', async () => {
  await check(
    fc.tuple(arbitraryDay({ clean: false }), fc.boolean()),
    8,
    async ([day, keepTables]) => {
      await bench.reset(peopleConfiguration(), { keepTables });
      const first = await bench.sync(filesOf(day));
      const second = await bench.sync(filesOf(day));
      expect(second.changes).toEqual([]);
      expect(second.breaches).toEqual([]);
      expect(second.contents).toEqual(first.contents);
      expect(second.rejects.map(({ message: _, ...place }) => place)).toEqual(
        first.rejects.map(({ message: _, ...place }) => place),
      );
      expect(await journal()).toBe(0);
    },
  );
});

test('day A, day B, day A: the store is as after the first', async () => {
  const day = arbitraryDay({ clean: true });
  await check(fc.tuple(day, day), 8, async ([a, b]) => {
    await bench.reset(peopleConfiguration());
    const first = await bench.sync(filesOf(a));
    await bench.sync(filesOf(b));
    const third = await bench.sync(filesOf(a));
    expect(third.contents).toEqual(first.contents);
  });
});

test('the order of the rows of a file is of no account', async () => {
  const shuffled = arbitraryDay({ clean: true }).chain((day) =>
    fc.record({
      day: fc.constant(day),
      other: fc.record({
        organisations: permutation(day.organisations),
        people: permutation(day.people),
        teams: permutation(day.teams),
        memberships: permutation(day.memberships),
      }),
    }),
  );
  await check(shuffled, 4, async ({ day, other }) => {
    await bench.reset(peopleConfiguration());
    await bench.sync(filesOf(day));
    const second = await bench.prepare(filesOf(other));
    await second.end();
    expect(second.changes).toEqual([]);
  });
});

function permutation<Item>(items: readonly Item[]): fc.Arbitrary<Item[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length });
}

/** Lines of bookkeeping of the newest delta. */
async function journal(): Promise<number> {
  const { rows } = await bench.store.pool.query(
    'select count(*)::int as count from bookkeeping where delta_id = (select max(id) from delta)',
  );
  return rows[0].count;
}

/** Limits for the connector, and closer ones for the people and their memberships. */
function withLimits(ofConnector: Limits, ofType: Limits): ConfigurationDocument {
  const document = peopleConfiguration();
  const { sab } = document.connectors;
  const { person } = document.entityTypes;
  const membership = document.associations?.['membership'];
  if (!sab || !person || !membership) throw new Error('the model has changed');
  return {
    connectors: { sab: { ...sab, thresholds: ofConnector } },
    entityTypes: { ...document.entityTypes, person: { ...person, thresholds: ofType } },
    associations: { membership: { ...membership, thresholds: ofType } },
  };
}

/** DESIGN §6, once more and naively. */
function passesALimit(
  scopes: Readonly<Record<string, ScopePlan>>,
  ofConnector: Limits,
  ofType: Limits,
): boolean {
  const kinds = ['inserted', 'updated', 'deleted'] as const;
  const all = Object.entries(scopes);
  return kinds.some((kind) => {
    const name = `${kind[0]?.toUpperCase()}${kind.slice(1)}Lines`;
    const limitOf = (from: Limits, of: 'lines' | 'links', how: 'imum' | 'Percentage') => {
      const limit = `max${how === 'imum' ? how : ''}${of === 'links' ? 'Link' : ''}${how === 'imum' ? '' : how}${name}`;
      return { ...limitDefaults, ...ofConnector, ...from }[limit as LimitName];
    };
    const inScope = all.some(([scope, plan]) => {
      const own = scope.startsWith('person') || scope === 'membership' ? ofType : {};
      const planned = plan[kind];
      const share = limitOf(own, plan.of, 'Percentage');
      if (planned > limitOf(own, plan.of, 'imum')) return true;
      if (kind === 'inserted' && plan.stored === 0) return planned > 0;
      if (kind === 'deleted' && planned === plan.stored) return planned > 0;
      return planned > 10 && planned * 100 > share * plan.stored;
    });
    const inSum = (['lines', 'links'] as const).some((of) => {
      const planned = all
        .filter(([, plan]) => plan.of === of)
        .reduce((sum, [, plan]) => sum + plan[kind], 0);
      return planned > limitOf({}, of, 'imum');
    });
    return inScope || inSum;
  });
}

const past = { insert: 'inserted', update: 'updated', delete: 'deleted' } as const;

/** A change as `difference` writes it. */
function describe(change: Change): string {
  if ('entityType' in change) {
    const { entityType, key, before, after: now } = change;
    return `${past[change.change]} ${entityType} ${key}: ${sorted(before)} → ${sorted(now)}`;
  }
  const { association, from, to, previous } = change;
  const was = previous === null ? '' : `, was ${from} → ${previous}`;
  return `${past[change.change]} ${association}: ${from} → ${to}${was}`;
}

function sums(scopes: Readonly<Record<string, ScopePlan>>) {
  const sum = (of: string, kind: 'inserted' | 'updated' | 'deleted') =>
    Object.values(scopes)
      .filter((plan) => plan.of === of)
      .reduce((total, plan) => total + plan[kind], 0);
  return [
    ...[sum('lines', 'inserted'), sum('lines', 'updated'), sum('lines', 'deleted')],
    ...[sum('links', 'inserted'), sum('links', 'updated'), sum('links', 'deleted')],
  ];
}

function totals(counts: Awaited<ReturnType<SyncBench['prepare']>>['counts']) {
  const { inserted, updated, deleted, linksInserted, linksUpdated, linksDeleted } = counts;
  return [inserted, updated, deleted, linksInserted, linksUpdated, linksDeleted];
}
