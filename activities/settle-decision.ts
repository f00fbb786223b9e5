/** Finds out who really made a decision, judges whether they may, and writes it down. */
import { agreedBefore, recordDecision } from '../store/job-store.ts';
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
  /** How many different people have to resume; default 1. */
  readonly approvals?: number;
}

/** What became of it. */
export interface SettledDecision {
  /** `noted`: it counts, but it is not enough yet; `why` says what is missing. */
  readonly effect: 'applied' | 'noted' | 'ignored';
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
  const { action, via, nth, claimedBy, reason, delta, approvers, approvals = 1 } = received;
  const sender = await workflows.senderOf(jobId, runId, { via, name: action, nth });
  const who = sender.principal ?? sender.identity;
  const refused = approvers !== null && (who === null || !approvers.includes(who));
  const ignored = received.why ?? (refused ? `not an approver: ${who ?? 'unknown sender'}` : null);
  const { effect, why } = await judge();
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

  async function judge(): Promise<SettledDecision> {
    if (ignored !== null) return { effect: 'ignored', why: ignored };
    if (action !== 'resume' || approvals === 1) return { effect: 'applied', why: null };
    return agreement(approvals, who, await agreedBefore(store, jobId, delta));
  }
}

/** Of several people who have to agree on a delta, each counts once, whatever name the message gives. */
function agreement(
  approvals: number,
  who: string | null,
  before: readonly { readonly who: string; readonly effect: string }[],
): SettledDecision {
  if (who === null) {
    return {
      effect: 'ignored',
      why: `it takes ${approvals} people, and nobody is known to have sent this`,
    };
  }
  if (before.some((each) => each.who === who && each.effect === 'noted')) {
    return { effect: 'ignored', why: `${who} has agreed already; somebody else has to` };
  }
  const others = new Set(before.map((each) => each.who).filter((name) => name !== who));
  const agreed = others.size + 1;
  return agreed >= approvals
    ? { effect: 'applied', why: null }
    : { effect: 'noted', why: `${agreed} of ${approvals} people have agreed` };
}
