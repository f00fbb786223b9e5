// Tests of the exit codes: a table of how a job can end, and of errors.

import { expect, test } from 'vitest';
import { exitCodeOfError, exitCodeOfJob } from '../../client/exit-code.ts';
import { type ErrorCode, LockstepError } from '../../engine/errors.ts';
import type { JobState } from '../../engine/job.ts';

const states: Record<JobState, number> = {
  running: 0,
  succeeded: 0,
  'succeeded-with-rejects': 0,
  skipped: 0,
  failed: 1,
  blocked: 3,
  aborted: 4,
};

test.each(Object.entries(states))('a job that is %s exits with %i', (state, code) => {
  expect(exitCodeOfJob({ state: state as JobState, error: null })).toBe(code);
});

test('a job that failed for its configuration exits as wrong configuration does', () => {
  const error = { code: 'ConfigurationInvalid', message: '', hint: '' } as const;
  expect(exitCodeOfJob({ state: 'failed', error })).toBe(2);
  expect(exitCodeOfJob({ state: 'failed', error: { ...error, code: 'SourceEmpty' } })).toBe(1);
});

const errors: [ErrorCode, number][] = [
  ['UsageInvalid', 2],
  ['ConfigurationInvalid', 2],
  ['IncrementalUnsupported', 2],
  ['NotFound', 2],
  ['ConnectorBusy', 1],
  ['NothingToResume', 1],
  ['StoreUnavailable', 1],
  ['TemporalUnavailable', 1],
];

test.each(errors)('the error %s exits with %i', (code, expected) => {
  expect(exitCodeOfError(new LockstepError(code, 'x'))).toBe(expected);
});

test('an error that nobody foresaw exits with 1', () => {
  expect(exitCodeOfError(new TypeError('x'))).toBe(1);
});
