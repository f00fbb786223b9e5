/** Work in sessions beside the one of a transaction, where there are connections to spare. */
import { LockstepError } from '../engine/errors.ts';
import type { Session, Store } from './database.ts';

/** Ask it before a transaction takes another connection: if it waited for one while it holds one, it could wait for ever. */
export function hasConnectionToSpare({ pool }: Store): boolean {
  return pool.waitingCount === 0 && (pool.idleCount > 0 || pool.totalCount < pool.options.max);
}

/**
 * Reads in other sessions while a transaction is at work. They may see what was committed after it began: what they find is
 * what the load, which looks again, has to find as well. (Sharing its snapshot would keep the transaction from freezing rows.)
 */
export class SessionsBeside implements AsyncDisposable {
  readonly #store: Store;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Begins to work in a session of its own. Nothing that it writes has to last.
   *
   * @returns undefined at once where no connection is to spare, and later where PostgreSQL has none, or ends it
   */
  run<Result>(
    work: (session: Session) => Promise<Result>,
  ): Promise<Result | undefined> | undefined {
    if (!hasConnectionToSpare(this.#store)) return undefined;
    const running = this.#transaction(work);
    // Whoever awaits it hears of its failure.
    running.catch(() => {});
    this.#running.push(running);
    return running;
  }

  /** Stops what is still running, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#running);
  }

  async #transaction<Result>(
    work: (session: Session) => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await this.#store.transaction(
        'repeatable read',
        async (session) => {
          await session.query('set local synchronous_commit = off');
          return await work(session);
        },
        this.#stop.signal,
      );
    } catch (error) {
      if (error instanceof LockstepError && error.code === 'StoreUnavailable') return undefined;
      throw error;
    }
  }
}
