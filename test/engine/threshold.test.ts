/** The gate's rule in tables: each limit at its value and one above it, percentages, sums, and what no limit may leave open. */
import { describe, expect, test } from 'vitest';
import {
  type Breach,
  findBreaches,
  type Limit,
  limitDefaults,
  type PlannedChanges,
  resolveThresholds,
  type ThresholdSettings,
} from '../../engine/threshold.ts';
import { absoluteLimits, percentageLimits } from '../fixtures/limits.ts';

/** Ten thousand of everything stored, so that 5 % are 500 and no default percentage is in the way. */
function planned(
  changes: Partial<PlannedChanges>,
  settings: ThresholdSettings = {},
): PlannedChanges {
  return {
    scope: 'user',
    of: 'lines',
    inserted: 0,
    updated: 0,
    deleted: 0,
    stored: 10_000,
    thresholds: resolveThresholds(settings),
    ...changes,
  };
}

/** The breaches of one scope, the connector's own sum left unlimited. */
function breaches(changes: Partial<PlannedChanges>, settings: ThresholdSettings = {}): Breach[] {
  const absolute = Object.keys(limitDefaults).filter((name) => !name.includes('Percentage'));
  const open = Object.fromEntries(absolute.map((name) => [name, 'unlimited' as Limit]));
  return findBreaches([planned(changes, settings)], {
    scope: 'sab',
    thresholds: resolveThresholds(open),
  });
}

test('the twelve limits have the defaults 100 lines, 1000 links and 5 percent', () => {
  expect(limitDefaults).toEqual({
    ...Object.fromEntries(absoluteLimits.map(([name, of]) => [name, of === 'lines' ? 100 : 1000])),
    ...Object.fromEntries(percentageLimits.map(([name]) => [name, 5])),
  });
});

describe.each(absoluteLimits)('%s', (name, of, kind) => {
  const limit = limitDefaults[name] as number;
  const stored = 1_000_000;

  test('lets as many pass as it says', () => {
    expect(breaches({ of, stored, [kind]: limit })).toEqual([]);
  });

  test('asks for one more', () => {
    expect(breaches({ of, stored, [kind]: limit + 1 })).toEqual([
      { threshold: name, scope: 'user', planned: limit + 1, allowed: limit, base: stored },
    ]);
  });

  test('at 0 asks for a single one', () => {
    expect(breaches({ of, [kind]: 1 }, { [name]: 0 })).toMatchObject([
      { threshold: name, planned: 1, allowed: 0 },
    ]);
  });

  test('judges no other kind of change', () => {
    const others = (['inserted', 'updated', 'deleted'] as const).filter((other) => other !== kind);
    const settings = {
      maximumInsertedLines: 900,
      maximumUpdatedLines: 900,
      maximumDeletedLines: 900,
    };
    const many = Object.fromEntries(others.map((other) => [other, 300]));
    expect(breaches({ of, ...many }, { ...settings, [name]: 0 })).toEqual([]);
  });

  test('counts the sum of the connector too', () => {
    const half = planned({ of, stored, [kind]: limit - 1 });
    const found = findBreaches([half, { ...half, scope: 'group' }], {
      scope: 'sab',
      thresholds: resolveThresholds({}),
    });
    expect(found).toEqual([
      {
        threshold: name,
        scope: 'sab',
        planned: 2 * (limit - 1),
        allowed: limit,
        base: 2 * stored,
      },
    ]);
  });
});

describe.each(percentageLimits)('%s', (name, of, kind) => {
  const generous: ThresholdSettings = Object.fromEntries(
    absoluteLimits.map(([absolute]) => [absolute, 100_000]),
  );

  test('lets 5 % of what is stored pass', () => {
    expect(breaches({ of, stored: 10_000, [kind]: 500 }, generous)).toEqual([]);
  });

  test('asks for one more', () => {
    expect(breaches({ of, stored: 10_000, [kind]: 501 }, generous)).toEqual([
      { threshold: name, scope: 'user', planned: 501, allowed: 500, base: 10_000 },
    ]);
  });

  test.each([
    [419, 20],
    [420, 21],
    [439, 21],
  ])('rounds 5 %% of %i down to %i', (stored, allowed) => {
    expect(breaches({ of, stored, [kind]: allowed }, generous)).toEqual([]);
    expect(breaches({ of, stored, [kind]: allowed + 1 }, generous)).toMatchObject([
      { threshold: name, allowed },
    ]);
  });

  test.each([
    [0.57, 10_000, 57],
    [4.35, 10_000, 435],
    [1.1, 1_000_000, 11_000],
    [0.07, 10_000_000, 7000],
  ])('is exact where binary fractions are not: %f %% of %i are %i', (percent, stored, allowed) => {
    const settings = { ...generous, [name]: percent };
    expect(breaches({ of, stored, [kind]: allowed }, settings)).toEqual([]);
    expect(breaches({ of, stored, [kind]: allowed + 1 }, settings)).toMatchObject([{ allowed }]);
  });

  test('is not judged up to the floor of ten, however few are stored', () => {
    expect(breaches({ of, stored: 12, [kind]: 10 }, generous)).toEqual([]);
    expect(breaches({ of, stored: 12, [kind]: 11 }, generous)).toMatchObject([{ allowed: 10 }]);
  });

  test('has the floor that is configured', () => {
    const settings = { ...generous, percentageFloor: 0 };
    expect(breaches({ of, stored: 19, [kind]: 1 }, settings)).toMatchObject([
      { threshold: name, allowed: 0 },
    ]);
    expect(breaches({ of, stored: 20, [kind]: 1 }, settings)).toEqual([]);
  });

  test('is off when unlimited, the absolute limit stays', () => {
    const settings = { [name]: 'unlimited' as const };
    const absolute = of === 'lines' ? 100 : 1000;
    expect(breaches({ of, stored: 1001, [kind]: absolute }, settings)).toEqual([]);
    expect(breaches({ of, stored: 1002, [kind]: absolute + 1 }, settings)).toHaveLength(1);
  });
});

describe('with nothing stored', () => {
  test.each(['lines', 'links'] as const)('a single inserted one of %s asks', (of) => {
    const [breach] = breaches({ of, stored: 0, inserted: 1 });
    expect(breach).toMatchObject({ planned: 1, allowed: 0, base: 0 });
    expect(breach?.threshold).toMatch(/^max(Link)?PercentageInsertedLines$/);
  });

  test('it asks although the percentage is unlimited', () => {
    const settings = { maxPercentageInsertedLines: 'unlimited' } as const;
    expect(breaches({ stored: 0, inserted: 1 }, settings)).toHaveLength(1);
  });

  test('nothing planned asks nothing', () => {
    expect(breaches({ stored: 0 })).toEqual([]);
  });
});

describe('emptying a scope', () => {
  test.each([1, 2, 10])('asks although only %i are stored, below the floor', (stored) => {
    expect(breaches({ stored, deleted: stored })).toEqual([
      {
        threshold: 'maxPercentageDeletedLines',
        scope: 'user',
        planned: stored,
        allowed: stored - 1,
        base: stored,
      },
    ]);
    expect(breaches({ stored, deleted: stored - 1 })).toEqual([]);
  });

  test.each<ThresholdSettings>([
    { maxLinkPercentageDeletedLines: 'unlimited' },
    { maxLinkPercentageDeletedLines: 1000 },
    { percentageFloor: 100 },
  ])('asks whatever is configured: %o', (settings) => {
    expect(breaches({ of: 'links', stored: 5, deleted: 5 }, settings)).toMatchObject([
      { threshold: 'maxLinkPercentageDeletedLines', planned: 5, allowed: 4 },
    ]);
  });
});

describe('maximumLinkDeletedLinesPerResource', () => {
  const of = 'links';

  test('is not limited by default', () => {
    expect(breaches({ of, deleted: 400, mostDeletedOfOneResource: 400 })).toEqual([]);
  });

  test('asks when one resource loses more than that', () => {
    const settings = { maximumLinkDeletedLinesPerResource: 3 };
    expect(breaches({ of, deleted: 9, mostDeletedOfOneResource: 3 }, settings)).toEqual([]);
    expect(breaches({ of, deleted: 9, mostDeletedOfOneResource: 4 }, settings)).toEqual([
      {
        threshold: 'maximumLinkDeletedLinesPerResource',
        scope: 'user',
        planned: 4,
        allowed: 3,
        base: 10_000,
      },
    ]);
  });
});

test('an absolute limit and a percentage that are both passed are both told', () => {
  const found = breaches({ stored: 1000, updated: 101 });
  expect(found.map(({ threshold, allowed }) => [threshold, allowed])).toEqual([
    ['maximumUpdatedLines', 100],
    ['maxPercentageUpdatedLines', 50],
  ]);
});

test('lines and links are summed apart, and an unlimited sum asks nothing', () => {
  const scopes = [
    planned({ inserted: 60 }),
    planned({ of: 'links', scope: 'user.boss', inserted: 60 }),
  ];
  const scope = 'sab';
  expect(findBreaches(scopes, { scope, thresholds: resolveThresholds({}) })).toEqual([]);
  const thresholds = resolveThresholds({
    maximumInsertedLines: 'unlimited',
    maximumLinkInsertedLines: 59,
  });
  expect(findBreaches(scopes, { scope, thresholds })).toMatchObject([
    { threshold: 'maximumLinkInsertedLines', scope, planned: 60, allowed: 59 },
  ]);
});

describe('an edit by hand', () => {
  const byHand = (changes: Partial<PlannedChanges>, settings: ThresholdSettings = {}) =>
    findBreaches([planned({ ...changes, byHand: true }, settings)], null);

  test('does not ask for being the first of a scope, or the last', () => {
    expect(byHand({ inserted: 1, stored: 0 })).toEqual([]);
    expect(byHand({ deleted: 1, stored: 1 })).toEqual([]);
    expect(byHand({ of: 'links', deleted: 10, stored: 10 })).toEqual([]);
  });

  test('asks above the floor, as any delta', () => {
    expect(byHand({ of: 'links', deleted: 11, stored: 11 })).toMatchObject([
      { threshold: 'maxLinkPercentageDeletedLines', planned: 11 },
    ]);
    expect(byHand({ of: 'links', inserted: 11, stored: 0 })).toMatchObject([
      { threshold: 'maxLinkPercentageInsertedLines', planned: 11 },
    ]);
    expect(byHand({ deleted: 2, stored: 2 }, { percentageFloor: 1 })).toHaveLength(1);
  });

  test('passes no number', () => {
    expect(byHand({ deleted: 1 }, { maximumDeletedLines: 0 })).toMatchObject([
      { threshold: 'maximumDeletedLines', planned: 1, allowed: 0 },
    ]);
  });
});
