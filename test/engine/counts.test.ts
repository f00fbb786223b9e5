/** The counters of a job. */
import { expect, test } from 'vitest';
import { changesNothing, counterNames, noCounts, sumCounts } from '../../engine/counts.ts';

test('counts are summed name by name, and what is left out is none', () => {
  expect(sumCounts([{ read: 3, inserted: 1 }, { read: 4, linksDeleted: 2 }, {}])).toEqual({
    ...noCounts,
    read: 7,
    inserted: 1,
    linksDeleted: 2,
  });
  expect(sumCounts([])).toEqual(noCounts);
});

test.each(counterNames)('%s: a delta changes something unless it is no change', (name) => {
  const isNoChange = ['read', 'rejected', 'unchanged'].includes(name);
  expect(changesNothing({ ...noCounts, [name]: 1 })).toBe(isNoChange);
});
