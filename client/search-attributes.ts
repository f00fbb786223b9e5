/** What it means when a server does not know the search attributes that a job is started with. */
import { LockstepError } from '../engine/errors.ts';

/** The error of a server that does not know our search attributes, in our words; undefined for any other. */
export function searchAttributesMissing(error: unknown): LockstepError | undefined {
  const { cause, message = '' } = error as { cause?: Error; message?: string };
  if (!/search attribute/i.test(`${message} ${cause?.message ?? ''}`)) return undefined;
  return new LockstepError(
    'TemporalUnavailable',
    'The Temporal server does not know the search attributes of Lockstep',
    {
      hint: 'Register them once in its namespace; docs/operations.md has the command.',
      cause: error,
    },
  );
}
