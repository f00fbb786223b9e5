/** Turns at the steps that take a database connection, a thread and memory: no large job makes the small ones wait. */
import { CancelledFailure, cancellationSignal } from '@temporalio/activity';
import type { SyncActivities } from '../activities/index.ts';
import { withPulse } from '../activities/pulse.ts';

/** How many steps may be at work at once. */
export interface TurnLimits {
  readonly all: number;
  /** Of these, large ones: the rest is for small ones alone. */
  readonly large: number;
}

/** Extractions beyond this are large: reading one for the first time takes seconds. */
const largeBytes = 8 * 1024 * 1024;

interface Waiting {
  readonly isLarge: boolean;
  readonly begin: () => void;
}

/** First come, first served; only where it would be one large step too many, the next small one goes first. */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #line: Waiting[] = [];
  #all = 0;
  #large = 0;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Waits for a turn; gives the function that ends it. Rejects when `signal` is aborted before. */
  async take(isLarge: boolean, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { isLarge, begin: resolve };
    const leave = () => {
      const place = this.#line.indexOf(waiting);
      if (place === -1) return;
      this.#line.splice(place, 1);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave);
    this.#line.push(waiting);
    this.#callNext();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
    return () => {
      this.#all -= 1;
      if (isLarge) this.#large -= 1;
      this.#callNext();
    };
  }

  #callNext(): void {
    while (this.#all < this.#limits.all) {
      const mayGo = ({ isLarge }: Waiting) => !isLarge || this.#large < this.#limits.large;
      const place = this.#line.findIndex(mayGo);
      const [next] = place === -1 ? [] : this.#line.splice(place, 1);
      if (!next) return;
      this.#all += 1;
      if (next.isLarge) this.#large += 1;
      next.begin();
    }
  }
}

/** How large the extraction is; the workflow says so with every request. A rollback (null) may be of any size. */
interface Sized {
  readonly bytes?: number | null;
}

/**
 * The same activities, of which those that work on a whole delta take turns, and looks at sources take turns of their own:
 * no job waits for them. Waiting, they heartbeat.
 */
export function inTurn(activities: SyncActivities, turns: Turns, looks: Turns): SyncActivities {
  const takingTurns =
    <Request extends object, Info>(
      activity: (request: Request) => Promise<Info>,
      line: Turns = turns,
    ) =>
    async (request: Request): Promise<Info> => {
      const { bytes = 0 }: Sized = request;
      const isLarge = bytes === null || bytes > largeBytes;
      const end = await withPulse(() => line.take(isLarge, cancellationSignal())).catch(() => {
        throw new CancelledFailure('stopped');
      });
      try {
        return await activity(request);
      } finally {
        end();
      }
    };
  return {
    ...activities,
    prepareDelta: takingTurns(activities.prepareDelta),
    prepareRollback: takingTurns(activities.prepareRollback),
    loadDelta: takingTurns(activities.loadDelta),
    checkSources: takingTurns(activities.checkSources, looks),
  };
}
