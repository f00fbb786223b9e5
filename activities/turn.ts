/** A job's turn to work on a connector: taken from nobody who lives. */
import { ApplicationFailure, activityInfo } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { LockstepError } from '../engine/errors.ts';
import { endJob } from '../store/job-store.ts';
import { clearLease, type LeaseAnswer, takeLease } from '../store/lease-store.ts';
import type { ActivityDependencies } from './dependencies.ts';

/**
 * Takes the lease of a connector, also from a job that is closed in Temporal: a terminated one could not clean up.
 *
 * @returns who has it, and who is next, when they live
 */
export async function takeTurn(
  { store, workflows, log }: ActivityDependencies,
  connector: string,
  jobId: string,
): Promise<LeaseAnswer> {
  for (;;) {
    const answer = await takeLease(store, connector, jobId);
    if (answer.held) return answer;
    const others = [answer.holder, answer.waiting].filter(
      (id) => id !== null && id !== jobId,
    ) as string[];
    const dead: string[] = [];
    for (const other of others) if (!(await workflows.isOpen(other))) dead.push(other);
    if (dead.length === 0) return answer;
    for (const other of dead) {
      await clearLease(store, connector, other);
      await endTerminated(other);
      log.warn(
        { connector, job: other },
        'took the connector from a job that is closed in Temporal',
      );
    }
  }

  async function endTerminated(other: string): Promise<void> {
    const row = await store.prisma.job.findUnique({
      where: { id: other },
      select: { endedAt: true },
    });
    if (row === null || row.endedAt !== null) return;
    const error = new LockstepError('JobTerminated', 'the workflow was terminated in Temporal');
    const { code, message, hint } = error;
    await endJob(store, other, { state: 'failed', error: { code, message, hint } });
  }
}

/** The failure by which a job waits its turn: it is tried again. */
export function itsTurnComes(connector: string, heldBy: string): ApplicationFailure {
  const { attempt } = activityInfo();
  return ApplicationFailure.create({
    type: 'ConnectorBusy',
    message: `connector ${connector} is held by ${heldBy}; this job is next`,
    details: [
      {
        hint: `Wait for it, or decide on it: lockstep resume ${heldBy} or lockstep abort ${heldBy}.`,
      },
    ],
    nextRetryDelay: Math.min(500 * 2 ** Math.min(attempt, 10), 10_000),
    // Waiting is no failure: it stays out of the worker's error metrics and logs.
    category: ApplicationFailureCategory.BENIGN,
  });
}
