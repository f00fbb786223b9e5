/** The gate: where a job waits while a threshold is breached, and what people may say to it at any time. */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import { settleDecision } from './activity-proxies.ts';
import {
  abortSignal,
  abortUpdate,
  type Decision,
  type DecisionOutcome,
  resumeSignal,
  resumeUpdate,
} from './messages.ts';

type Action = 'resume' | 'abort';

/** What the gate needs to know of its job to judge a decision. */
export interface GateKeeping {
  /** True while the job waits at the gate. */
  blocked(): boolean;
  /** True while it is being written down that the job waits. */
  announcing(): boolean;
  /** True while the job can still be given up: until its load began. */
  abortable(): boolean;
  /** Digest of the delta under review. */
  delta(): string | null;
  approvers(): readonly string[] | null;
  /** How many different people have to resume. */
  approvals(): number;
  /** Something happened that the UI should tell. */
  note(text: string): void;
}

/** Senders of more messages than this are heard, but no longer written down: history must stay bounded. */
const recordedDecisions = 200;

/** Hears every message to a job; at most one decision is applied to a delta, and none before it is asked for. */
export class Gate {
  readonly #job: GateKeeping;
  readonly #received = new Map<string, number>();
  #recorded = 0;
  #applied: Action | undefined;
  #settling = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(job: GateKeeping) {
    this.#job = job;
    setHandler(resumeSignal, (decision) => this.#heard('resume', decision), {
      description:
        'Let a blocked job apply exactly what was reviewed. Input: {"by": "your name", "reason": "…"}',
    });
    setHandler(abortSignal, (decision) => this.#heard('abort', decision), {
      description:
        'Give up the delta of a job; nothing is written. Input: {"by": "your name", "reason": "…"}',
    });
    setHandler(resumeUpdate, (decision) => this.#answer('resume', decision), {
      validator: (decision) => this.#refuse('resume', decision),
    });
    setHandler(abortUpdate, (decision) => this.#answer('abort', decision), {
      validator: (decision) => this.#refuse('abort', decision),
    });
    // A misspelt signal must not be lost without a trace, nor stop the job.
    setDefaultSignalHandler(async (name) => {
      await this.#inTurn(() =>
        this.#ignore(name, 'signal', undefined, `there is no signal “${name.slice(0, 40)}”`),
      );
    });
  }

  /** Waits for a decision on the delta under review. */
  async decision(): Promise<void> {
    await condition(() => this.#applied !== undefined);
  }

  /** The delta goes to its load: the decision on it is used up, and another delta will be asked for anew. */
  close(): void {
    if (this.#applied === 'resume') this.#applied = undefined;
  }

  /** True once an abort was applied. */
  get aborted(): boolean {
    return this.#applied === 'abort';
  }

  /** Resolves when an abort is applied, whatever the job is doing. */
  async abort(): Promise<void> {
    await condition(() => this.aborted);
  }

  /** Waits until everything heard is written down. */
  async settled(): Promise<void> {
    await condition(() => this.#settling === 0);
  }

  /** Why a decision cannot be applied now; undefined when it can. */
  #judge(action: Action, decision: Decision | undefined): string | undefined {
    if (!decision) return 'who decides? The input is {"by": "your name", "reason": "…"}';
    if (this.#applied) return `already decided: ${this.#applied}`;
    if (action === 'resume' && !this.#job.blocked()) {
      return 'nothing to resume: the job is not blocked, and early decisions are not kept';
    }
    if (action === 'abort' && !this.#job.abortable())
      return 'too late to abort: the delta is being applied';
    if (decision.delta !== undefined && decision.delta !== this.#job.delta()) {
      return 'another delta is under review than the one that was decided on';
    }
    return undefined;
  }

  /** An update is refused before it enters history. */
  #refuse(action: Action, raw: unknown): void {
    const why = this.#judge(action, readDecision(raw));
    if (why !== undefined) throw ApplicationFailure.nonRetryable(why, 'DecisionRejected');
  }

  async #answer(action: Action, raw: unknown): Promise<DecisionOutcome> {
    const outcome = await this.#hear(action, 'update', raw);
    if (outcome.effect === 'ignored')
      throw ApplicationFailure.nonRetryable(outcome.why ?? 'ignored', 'DecisionRejected');
    return outcome;
  }

  async #heard(action: Action, raw: unknown): Promise<void> {
    await this.#hear(action, 'signal', raw);
  }

  /** One way for signals and updates, at any time. Never throws for what somebody sent. */
  async #hear(action: Action, via: 'signal' | 'update', raw: unknown): Promise<DecisionOutcome> {
    return await this.#inTurn(() => this.#decide(action, via, readDecision(raw)));
  }

  /**
   * Decisions are settled one after another, so that the first valid one wins, in the store as well as here. All of it
   * is shielded: a handler that throws because the workflow is being cancelled would end the job without its clean-up.
   */
  async #inTurn(settle: () => Promise<DecisionOutcome>): Promise<DecisionOutcome> {
    this.#settling += 1;
    const before = this.#turn;
    const mine = CancellationScope.nonCancellable(async () => {
      await before;
      await condition(() => !this.#job.announcing());
      return await settle();
    });
    this.#turn = mine.then(
      () => {},
      () => {},
    );
    try {
      return await mine;
    } finally {
      this.#settling -= 1;
    }
  }

  async #decide(
    action: Action,
    via: 'signal' | 'update',
    decision: Decision | undefined,
  ): Promise<DecisionOutcome> {
    const why = this.#judge(action, decision);
    if (why !== undefined) return await this.#ignore(action, via, decision, why);
    const settled = await this.#settle(action, via, decision, null);
    if (settled?.effect === 'noted') {
      this.#job.note(`${action} by ${decision?.by}: ${settled.why}`);
      return { action, effect: 'noted', why: settled.why ?? '' };
    }
    if (settled?.effect !== 'applied') {
      const reason = settled?.why ?? 'ignored';
      this.#job.note(`${action} by ${decision?.by}: ignored, ${reason}`);
      return { action, effect: 'ignored', why: reason };
    }
    this.#applied = action;
    this.#job.note(`${action} by ${decision?.by}${decision?.reason ? `: ${decision.reason}` : ''}`);
    return { action, effect: 'applied' };
  }

  async #ignore(
    action: string,
    via: 'signal' | 'update',
    decision: Decision | undefined,
    why: string,
  ): Promise<DecisionOutcome> {
    this.#job.note(`${action.slice(0, 40)}: ignored, ${why}`);
    await this.#settle(action, via, decision, why);
    return { action: action as Action, effect: 'ignored', why };
  }

  async #settle(
    action: string,
    via: 'signal' | 'update',
    decision: Decision | undefined,
    why: string | null,
  ) {
    const name = `${via}:${action}`;
    const nth = (this.#received.get(name) ?? 0) + 1;
    this.#received.set(name, nth);
    if (why !== null && this.#recorded >= recordedDecisions) return undefined;
    this.#recorded += 1;
    return await settleDecision({
      action: action.slice(0, 200),
      via,
      nth,
      claimedBy: decision?.by ?? null,
      reason: decision?.reason ?? null,
      delta: this.#job.delta(),
      why,
      approvers: this.#job.approvers(),
      approvals: this.#job.approvals(),
    });
  }
}

/** Reads a payload that may be anything; undefined when it does not say who decides. */
function readDecision(raw: unknown): Decision | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { by, reason, delta } = raw as Record<string, unknown>;
  if (typeof by !== 'string' || by.trim() === '') return undefined;
  return {
    by: by.trim().slice(0, 200),
    ...(typeof reason === 'string' ? { reason: reason.slice(0, 1000) } : {}),
    ...(typeof delta === 'string' ? { delta } : {}),
  };
}
