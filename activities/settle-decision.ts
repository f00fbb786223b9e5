/** Finds out who really made a decision, judges whether they may, and writes it down. */
import { recordDecision } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** A decision as it reached the workflow. */
export interface ReceivedDecision {
  readonly action: string;
  readonly via: 'signal' | 'update' | 'cancel';
  /** It is the n-th message of its kind and name, counted from 1: how history finds its sender. */
  readonly nth: number;
  readonly claimedBy: string | null;
  readonly reason: string | null;
  readonly delta: string | null;
  /** Why the workflow ignores it; null when it may be applied. */
  readonly why: string | null;
  /** Who may decide; null for everybody. */
  readonly approvers: readonly string[] | null;
}

/** What became of it. */
export interface SettledDecision {
  readonly effect: 'applied' | 'ignored';
  readonly why: string | null;
}

/**
 * Settles a decision. The sender is read back from Temporal's history: what the payload claims is only a claim.
 */
export async function settleDecision(
  { store, workflows, log }: ActivityDependencies,
  received: ReceivedDecision,
): Promise<SettledDecision> {
  const { jobId, runId } = currentJob();
  const { action, via, nth, claimedBy, reason, delta, approvers } = received;
  const sender = await workflows.senderOf(jobId, runId, { via, name: action, nth });
  const who = sender.principal ?? sender.identity;
  const refused = approvers !== null && (who === null || !approvers.includes(who));
  const why = received.why ?? (refused ? `not an approver: ${who ?? 'unknown sender'}` : null);
  const effect = why === null ? 'applied' : 'ignored';
  await recordDecision(store, {
    jobId,
    action,
    via,
    effect,
    why,
    claimedBy,
    reason,
    delta,
    ...sender,
    message: `${runId} ${via} ${action} ${received.nth}`,
  });
  log.info({ job: jobId, action, via, effect }, 'decision');
  return { effect, why };
}
