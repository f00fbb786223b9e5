/** What one sequence of digests has and an earlier one has not: never wrong, and small where little differs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SequenceComparison } from '../../engine/sequence-comparison.ts';

type Sequence = readonly number[];

/** A digest for each number; some of them share their first word. */
const digest = (value: number) => [value >> 1, value & 1, 7, value];

/** Compares, the earlier sequence given in pieces of so many digests. */
function compare(earlier: Sequence, later: Sequence, { limit = 1e9, piece = 5_000 } = {}) {
  let given = 0;
  const comparison = new SequenceComparison((into) => {
    const count = Math.min(piece, into.length / 4, earlier.length - given);
    const words = earlier.slice(given, given + count).flatMap(digest);
    into.set(words);
    given += count;
    return count;
  }, limit);
  const words = new Uint32Array(8);
  for (const value of later) {
    words.set(digest(value), 4);
    comparison.see(words, 4);
  }
  const difference = comparison.end();
  return (
    difference && {
      come: [...difference.come.numbers],
      gone: [...difference.gone.numbers],
      isTold: [difference.come, later, difference.gone, earlier].every((_, nth, all) => {
        if (nth % 2 === 1) return true;
        const [numbered, sequence] = [all[nth], all[nth + 1]] as [typeof difference.come, Sequence];
        return [...numbered.numbers].every((number, place) =>
          numbered.is(place, Uint32Array.from(digest(sequence[number] as number))),
        );
      }),
    }
  );
}

const without = (sequence: Sequence, numbers: readonly number[]) => {
  const left = new Set(numbers);
  return sequence.filter((_, number) => !left.has(number));
};

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, nth) => from + nth);

test('without what is gone, and without what has come, both are the same', () => {
  const value = fc.integer({ min: 0, max: 60 });
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 80 }),
      fc.array(value, { maxLength: 80 }),
      fc.integer({ min: 1, max: 30 }),
      (earlier, later, piece) => {
        const found = compare(earlier, later, { piece });
        expect(found?.isTold).toBe(true);
        expect(without(later, found?.come ?? [])).toEqual(without(earlier, found?.gone ?? []));
      },
    ),
    { numRuns: 2_000 },
  );
});

describe('no more is found than differs', () => {
  const all = range(0, 60_000);
  const cases: Record<string, [later: Sequence, come: readonly number[], gone: readonly number[]]> =
    {
      'where nothing does': [all, [], []],
      'where one in ten was changed': [
        all.map((value) => (value % 10 === 3 ? value + 100_000 : value)),
        all.filter((value) => value % 10 === 3),
        all.filter((value) => value % 10 === 3),
      ],
      'where the first and the last are gone': [all.slice(1, -1), [], [0, 59_999]],
      'where many in a row have come': [
        [...all.slice(0, 500), ...range(100_000, 140_000), ...all.slice(500)],
        range(500, 40_500),
        [],
      ],
      'where many in a row have come at the end': [
        [...all, ...range(100_000, 140_000)],
        range(60_000, 100_000),
        [],
      ],
      'where few in a row are gone': [all.toSpliced(700, 15), [], range(700, 715)],
    };
  test.each(Object.entries(cases))('%s', (_, [later, come, gone]) => {
    const found = compare(all, later);
    expect(found?.isTold).toBe(true);
    expect(found?.come).toEqual(come);
    expect(found?.gone).toEqual(gone);
  });

  test('but for a few, where many in a row are gone', () => {
    const found = compare(all, all.toSpliced(700, 12_000));
    // So many are taken for new before one is looked for further on.
    expect(found?.come).toEqual(range(700, 716));
    expect(found?.gone).toEqual(range(700, 12_716));
  });
});

test('it gives up where more differs than its limit, and where all stand elsewhere', () => {
  const all = range(0, 60_000);
  expect(compare(all, all.toSpliced(100, 9), { limit: 9 })?.gone).toHaveLength(9);
  expect(compare(all, all.toSpliced(100, 10), { limit: 9 })).toBeUndefined();
  expect(compare(all, [...range(70_000, 70_009), ...all], { limit: 9 })?.come).toHaveLength(9);
  expect(compare(all, [...range(70_000, 70_010), ...all], { limit: 9 })).toBeUndefined();
  expect(
    compare(all, [...all.slice(30_000), ...all.slice(0, 30_000)], { limit: 5_000 }),
  ).toBeUndefined();
  expect(compare(all, [], { limit: 5_000 })).toBeUndefined();
  expect(compare([], all, { limit: 5_000 })).toBeUndefined();
  expect(compare(range(0, 10), [], { limit: 9 })).toBeUndefined();
});
