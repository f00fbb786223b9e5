/** Exit codes: what a script learns without reading a word. */
import { type ErrorCode, LockstepError } from '../engine/errors.ts';
import type { JobDocument } from '../engine/job.ts';

/** 0 done · 1 failed · 2 wrong usage or configuration · 3 blocked · 4 aborted. */
export const exitCodes = { done: 0, failed: 1, usage: 2, blocked: 3, aborted: 4 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Errors that the caller made: another command line or configuration mends them, trying again does not. */
const usageErrors: readonly ErrorCode[] = [
  'UsageInvalid',
  'ConfigurationInvalid',
  'IncrementalUnsupported',
  'NotFound',
  'ResourceInvalid',
  'ConnectorDisabled',
];

/** By how a job ended. One that runs on (`--no-wait`) or was skipped is done, so far as the command goes. */
export function exitCodeOfJob({ state, error }: Pick<JobDocument, 'state' | 'error'>): ExitCode {
  switch (state) {
    case 'blocked':
      return exitCodes.blocked;
    case 'aborted':
      return exitCodes.aborted;
    case 'failed':
      return error === null ? exitCodes.failed : exitCodeOfCode(error.code);
    case 'running':
    case 'skipped':
    case 'succeeded':
    case 'succeeded-with-rejects':
      return exitCodes.done;
  }
}

export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof LockstepError ? exitCodeOfCode(error.code) : exitCodes.failed;
}

function exitCodeOfCode(code: ErrorCode): ExitCode {
  return usageErrors.includes(code) ? exitCodes.usage : exitCodes.failed;
}
