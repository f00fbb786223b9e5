/** Our errors as Temporal failures: typed by code, retried or not, and without a word of what they were about to hide. */
import { ApplicationFailure, activityInfo, CancelledFailure } from '@temporalio/activity';
import { type ErrorCode, errorCatalogue, LockstepError } from '../engine/errors.ts';
import type { Log } from './dependencies.ts';

/** After so many attempts a failure that may pass by itself is taken not to. Without an entry it is tried for hours. */
const attemptsOf: Partial<Record<ErrorCode, number>> = {
  SourceUnavailable: 5,
  SourceIncomplete: 5,
  InternalError: 5,
};

/** Failures of PostgreSQL and the network that pass by themselves; anything else of theirs is a fault to look at. */
const passing = /^(08|40|53|55P03|57P0|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/;

/**
 * Turns anything thrown into a failure whose text may stand in Temporal's history.
 *
 * **Danger:** a message of PostgreSQL or of Node can quote row values, so it goes to the worker's log alone, and there
 * without its detail; history gets the error's class and code.
 */
export function toFailure(error: unknown, log: Log): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (error instanceof LockstepError) return failure(error.code, error.message, error.hint);
  const { code, name, stack } = error as NodeJS.ErrnoException;
  const kind = `${name ?? 'Error'}${code ? ` ${code}` : ''}`;
  log.error({ kind, at: frames(stack) }, 'an activity failed');
  if (code !== undefined && passing.test(code)) {
    return failure(
      'StoreUnavailable',
      `the database went away (${kind})`,
      errorCatalogue.StoreUnavailable.remedy,
    );
  }
  if (
    /Connection terminated|timeout exceeded when trying to connect/.test(
      (error as Error)?.message ?? '',
    )
  ) {
    return failure(
      'StoreUnavailable',
      'the database went away',
      errorCatalogue.StoreUnavailable.remedy,
    );
  }
  return failure('InternalError', kind, errorCatalogue.InternalError.remedy);
}

function failure(code: ErrorCode, message: string, hint: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message,
    details: [{ hint }],
    nonRetryable:
      errorCatalogue[code].kind === 'fix' ||
      activityInfo().attempt >= (attemptsOf[code] ?? Number.POSITIVE_INFINITY),
  });
}

/** The stack without its first lines: they repeat the message. */
function frames(stack: string | undefined): string[] {
  return (stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim());
}
