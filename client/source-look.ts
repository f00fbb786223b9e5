/** Has a worker look at the connected system of a connector, and waits for what it found. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { CheckFact } from '../engine/check-fact.ts';
import { LockstepError } from '../engine/errors.ts';
import { checkConnectorType, lookId } from '../workflows/identifiers.ts';
import type { CheckConnectorRequest } from '../workflows/messages.ts';
import { randomSuffix } from './run.ts';
import type { Session } from './session.ts';
import { failureOf, viewWorkflow } from './workflow-view.ts';

const lookMs = 500;
/** A worker that polls takes a task at once, unless it is of another version or has just died. */
const untakenMs = 20_000;

/** What a worker is to do for no job. */
interface Look {
  /** Of the workflow. */
  readonly type: string;
  readonly kind: 'check' | 'test';
  readonly summary: string;
}

/** Looks at the sources of one connector. */
export function lookAtSources(session: Session, connector: string): Promise<CheckFact[]> {
  const type = checkConnectorType;
  return haveWorkerLook(session, connector, {
    type,
    kind: 'check',
    summary: 'a look at its sources',
  });
}

/**
 * Runs a look at one connector to its end.
 *
 * @throws LockstepError why the worker could not look, or that none does
 */
export async function haveWorkerLook<Found>(
  session: Session,
  connector: string,
  { type, kind, summary }: Look,
): Promise<Found> {
  const client = await session.temporal();
  const configurationFile = await session.configurationFileOfJobs();
  const request: CheckConnectorRequest = {
    connector,
    ...(configurationFile !== undefined && { configurationFile }),
  };
  const workflowId = lookId(connector, kind, new Date(), randomSuffix());
  const handle = await client.workflow.start(type, {
    workflowId,
    taskQueue: session.settings.taskQueue,
    args: [request],
    staticSummary: `${connector}: ${summary}, by ${session.identity}`,
    workflowExecutionTimeout: '1 hour',
  });
  return await resultOfShortWorkflow<Found>(session, handle, 'the look at its sources');
}

/**
 * Waits for the result of a workflow that takes no longer than a person waits.
 *
 * @param what it is to do, for the message when no worker takes it: the workflow is ended then
 * @throws LockstepError why it failed, or that no worker took it
 */
export async function resultOfShortWorkflow<Result>(
  session: Session,
  handle: WorkflowHandle,
  what: string,
): Promise<Result> {
  const { workflowId } = handle;
  const ended = new AbortController();
  try {
    const result = handle.result() as Promise<Result>;
    return await Promise.race([result, untilGivenUp(session, workflowId, what, ended.signal)]);
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { code, message, hint } = await failureOf(await session.temporal(), workflowId);
    throw new LockstepError(code, message, { hint });
  } finally {
    ended.abort();
  }
}

/** Rejects when no worker takes it, which is then ended. */
async function untilGivenUp(
  session: Session,
  id: string,
  what: string,
  signal: AbortSignal,
): Promise<never> {
  const client = await session.temporal();
  for (;;) {
    // Rejects once nobody waits any more, which nobody hears.
    await sleep(lookMs, undefined, { signal });
    const { untakenSince } = await viewWorkflow(client, id);
    if (untakenSince === undefined || Date.now() - untakenSince.getTime() < untakenMs) continue;
    await client.workflow.getHandle(id).terminate('no worker took it');
    throw new LockstepError('TemporalUnavailable', `no worker took ${what}`, {
      hint: 'Is the worker of this version, and alive? Look at its log, and start it anew.',
    });
  }
}
