import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PairSet } from '../../engine/pair-set.ts';

const setOf = (expected: number, first: number, second: number) => {
  const pairs = PairSet.of(expected, first, second);
  if (!pairs) throw new Error('it does not fit');
  return pairs;
};

test('a pair repeats exactly when it came before', () => {
  const sizes = fc.record({
    first: fc.integer({ min: 1, max: 5_000 }),
    second: fc.integer({ min: 1, max: 2_000 }),
  });
  const pairs = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 300 });
  fc.assert(
    fc.property(sizes, pairs, ({ first, second }, all) => {
      const set = setOf(all.length, first, second);
      const seen = new Set<string>();
      for (const [one, other] of all) {
        const pair = [one % first, other % second] as const;
        if (seen.has(pair.join())) {
          set.add(...pair);
          return set.mayRepeat;
        }
        seen.add(pair.join());
        set.add(...pair);
        if (set.mayRepeat) return false;
      }
      return true;
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['all of a grid', 1_000, 700],
  ['all of a grid that is one wide', 700_000, 1],
  ['all of a grid that is one high', 1, 700_000],
])('%s: none is taken for another, and the last one again is told', (_, first, second) => {
  const set = setOf(first * second + 1, first, second);
  for (let one = 0; one < first; one++) {
    for (let other = 0; other < second; other++) set.add(one, other);
  }
  expect(set.mayRepeat).toBe(false);
  set.add(first - 1, second - 1);
  expect(set.mayRepeat).toBe(true);
});

test('numbers far apart fit, as long as the places say enough of them', () => {
  const set = setOf(100_000, 2 ** 21, 2 ** 13);
  for (let nth = 0; nth < 100_000; nth++) set.add((nth * 20_963) % 2 ** 21, nth % 2 ** 13);
  expect(set.mayRepeat).toBe(false);
  set.add(20_963, 1);
  expect(set.mayRepeat).toBe(true);
  expect(PairSet.of(1_000, 2 ** 31, 2 ** 20)).toBeUndefined();
});

test('more than were expected may repeat', () => {
  const set = setOf(10, 10_000, 10_000);
  for (let nth = 0; nth < 14_000; nth++) set.add(nth % 10_000, Math.floor(nth / 10_000));
  expect(set.mayRepeat).toBe(true);
});
