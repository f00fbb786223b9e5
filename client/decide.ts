/** Resuming and aborting a job: an update for the answer, a signal when nobody is there to answer. */
import {
  type Client,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { LockstepError } from '../engine/errors.ts';
import type { JobDocument } from '../engine/job.ts';
import { lastDecisions } from '../store/queries/job-document.ts';
import {
  abortSignal,
  abortUpdate,
  type Decision,
  type DecisionOutcome,
  resumeSignal,
  resumeUpdate,
} from '../workflows/messages.ts';
import { type JobView, viewJob } from './job-view.ts';
import { inOurWords } from './outage.ts';
import type { Session } from './session.ts';
import { isTemporalOutage, isUnknownToTemporal } from './temporal.ts';
import { DecisionIgnored, DecisionNoted, type WaitOptions, waitForJob } from './wait.ts';

const answerMs = 5000;

/** Who decides and why. */
export interface DecideOptions extends WaitOptions {
  /** Default: the session's identity. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  /** Default true: resolves when the job ended, or asks again because the store had moved. */
  readonly wait?: boolean | undefined;
}

type Action = 'resume' | 'abort';

const messages = {
  resume: { update: resumeUpdate, signal: resumeSignal },
  abort: { update: abortUpdate, signal: abortSignal },
} as const;

/**
 * Decides on a job: on exactly the delta that is its newest now, so what was reviewed is what is decided on.
 *
 * @throws LockstepError `NothingToResume` when there is nothing to decide, or the decision was refused.
 */
export async function decideJob(
  session: Session,
  action: Action,
  id: string,
  options: DecideOptions,
): Promise<JobDocument> {
  const { reason, wait = true, by = session.identity } = options;
  const view = await viewJob(session, id);
  requireDecidable(action, view);
  const isBlocked = view.document.state === 'blocked';
  const decision: Decision = {
    by,
    ...(reason !== undefined && { reason }),
    ...(isBlocked && view.delta && { delta: view.delta.digest }),
  };
  const [last] = await lastDecisions(await session.store(), id, 1);
  try {
    const answered = await send(session, action, id, decision);
    if (!wait) return (await viewJob(session, id)).document;
    return await waitForJob(session, id, options, {
      deltaId: view.delta?.id,
      unanswered: answered ? undefined : { by, since: last?.at },
    });
  } catch (error) {
    if (error instanceof DecisionIgnored) throw refused(id, action, error.message);
    if (error instanceof DecisionNoted) {
      session.note(`Noted: ${error.message}. The job waits for the others.`);
      return (await viewJob(session, id)).document;
    }
    throw error;
  }
}

function requireDecidable(action: Action, { document, isOpen }: JobView): void {
  const { job, state } = document;
  if (!isOpen) {
    throw new LockstepError(
      'NothingToResume',
      `Nothing to ${action}: ${job} has ended (${state})`,
      {
        hint: 'See `lockstep jobs --state blocked` for the jobs that wait for a decision.',
      },
    );
  }
  if (action === 'resume' && state !== 'blocked') {
    throw new LockstepError(
      'NothingToResume',
      `Nothing to resume: ${job} is ${state}, not blocked`,
      {
        hint: `Follow it with \`lockstep job ${job}\`.`,
      },
    );
  }
}

/** Sends the decision; answers whether a worker took it. */
async function send(
  session: Session,
  action: Action,
  id: string,
  decision: Decision,
): Promise<boolean> {
  const client = await session.temporal();
  const { update, signal } = messages[action];
  try {
    const outcome = await asUpdate(client, id, update, decision);
    if (outcome !== undefined) {
      if (outcome.effect === 'ignored') throw refused(id, action, outcome.why ?? 'it was ignored');
      if (outcome.effect === 'noted') throw new DecisionNoted(outcome.why);
      return true;
    }
    await client.workflow.getHandle(id).signal(signal, decision);
  } catch (error) {
    if (error instanceof DecisionNoted) throw error;
    if (isUnknownToTemporal(error)) throw refused(id, action, 'the job has ended');
    if (error instanceof WorkflowUpdateFailedError) {
      throw refused(id, action, error.cause?.message ?? error.message);
    }
    throw inOurWords(error);
  }
  session.note(
    `No worker answers. Temporal keeps the decision, and it acts as soon as a worker is up (task queue “${session.settings.taskQueue}”).`,
  );
  return false;
}

/** The answer, or undefined when no worker took the question in time. */
async function asUpdate(
  client: Client,
  id: string,
  update: (typeof messages)[Action]['update'],
  decision: Decision,
): Promise<DecisionOutcome | undefined> {
  const handle = client.workflow.getHandle(id);
  try {
    const started = await client.connection.withDeadline(Date.now() + answerMs, () =>
      handle.startUpdate(update, { args: [decision], waitForStage: 'ACCEPTED' }),
    );
    return await started.result();
  } catch (error) {
    const isUnanswered =
      error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isTemporalOutage(error);
    if (!isUnanswered) throw error;
    return undefined;
  }
}

function refused(id: string, action: Action, why: string): LockstepError {
  return new LockstepError('NothingToResume', `${id} did not ${action}: ${why}`, {
    hint: `See \`lockstep job ${id}\` for where it stands and who decided what.`,
  });
}
