/** Which limit is in force, and which settings leave a kind of change without one. */
import { describe, expect, test } from 'vitest';
import { resolveThresholds, unguardedChanges } from '../../engine/threshold.ts';
import { absoluteLimits, percentageLimits } from '../fixtures/limits.ts';

test('the closest setting of each limit wins, and what it leaves out is inherited', () => {
  const own = { maximumDeletedLines: 7 };
  const connector = { maximumDeletedLines: 50, maximumInsertedLines: 60, percentageFloor: 3 };
  expect(resolveThresholds(own, connector)).toMatchObject({
    maximumDeletedLines: 7,
    maximumInsertedLines: 60,
    maximumUpdatedLines: 100,
    percentageFloor: 3,
    maximumLinkDeletedLinesPerResource: 'unlimited',
  });
});

describe('a kind of change is unguarded', () => {
  test.each(absoluteLimits.map((each, index) => [...each, percentageLimits[index]?.[0]] as const))(
    'when %s and its percentage are both unlimited',
    (absolute, _of, _kind, percentage) => {
      const both = { [absolute]: 'unlimited', [percentage as string]: 'unlimited' };
      expect(unguardedChanges(resolveThresholds(both))).toEqual([[absolute, percentage]]);
      expect(unguardedChanges(resolveThresholds({ [absolute]: 'unlimited' }))).toEqual([]);
      expect(unguardedChanges(resolveThresholds({ [percentage as string]: 'unlimited' }))).toEqual(
        [],
      );
    },
  );

  test.each([
    ['maximumUpdatedLines', 'maxPercentageUpdatedLines', 99.9, 0],
    ['maximumUpdatedLines', 'maxPercentageUpdatedLines', 100, 1],
    ['maximumLinkDeletedLines', 'maxLinkPercentageDeletedLines', 100, 1],
    ['maximumInsertedLines', 'maxPercentageInsertedLines', 100, 0],
  ] as const)('%s unlimited with %s of %d: %i', (absolute, percentage, percent, unguarded) => {
    const thresholds = resolveThresholds({ [absolute]: 'unlimited', [percentage]: percent });
    expect(unguardedChanges(thresholds)).toHaveLength(unguarded);
  });

  test('never by default', () => {
    expect(unguardedChanges(resolveThresholds())).toEqual([]);
  });
});
