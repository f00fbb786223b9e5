/** Why a job failed, as its document tells it. */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { type ErrorCode, errorCatalogue } from '../engine/errors.ts';
import type { JobError } from '../engine/job.ts';

/** Reads the code, message and hint that an activity failed with; of one that timed out, those of its last attempt. */
export function jobErrorOf(error: unknown): JobError {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof ApplicationFailure) || !isCode(cause.type)) continue;
    const [detail] = (cause.details ?? []) as { hint?: string }[];
    const hint = detail?.hint ?? errorCatalogue[cause.type].remedy;
    return { code: cause.type, message: cause.message, hint };
  }
  const innermost = error instanceof ActivityFailure ? error.cause : error;
  const { name, message } = innermost as Error;
  return {
    code: 'InternalError',
    message: `${name}: ${message}`,
    hint: errorCatalogue.InternalError.remedy,
  };
}

function isCode(type: string | null | undefined): type is ErrorCode {
  return typeof type === 'string' && type in errorCatalogue;
}
