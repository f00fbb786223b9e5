/** What people are told of a provisioning that was stopped half-way. */
import { expect, test } from 'vitest';
import { writtenText } from '../../client/output/written-text.ts';

test('a job that never began to provision says that nothing was written', () => {
  expect(writtenText({})).toBe('Nothing was written.');
});

test('a provisioning that was stopped says what it has written, and what failed', () => {
  const provisioning = { applied: 3, notApplied: 1, failed: 2 };
  expect(writtenText({ provisioning })).toBe(
    'In the connected system: at least 3 written, 1 not applied, 2 failed.',
  );
});
