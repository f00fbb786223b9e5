/** Evaluates the expressions of a mapping in a thread of their own, within limits of time and memory. */
import type { Worker } from 'node:worker_threads';
import { LockstepError } from '../engine/errors.ts';
import type { Evaluated, ExpressionThreadData, ToExpressionThread } from './expression-thread.ts';
import { startSandboxThread } from './sandbox-thread.ts';

/** One evaluation that takes longer than this hangs: JSONata's own limit does not see a regular expression at work. */
const hangLimitMs = 5000;

/** An expression, and what a person calls it. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

/** Has at most one batch at work. Its thread starts with the first. */
export class ExpressionRunner implements AsyncDisposable {
  readonly #expressions: readonly NamedExpression[];
  readonly #pulse = new Int32Array(new SharedArrayBuffer(8));
  #thread: Worker | undefined;

  constructor(expressions: readonly NamedExpression[]) {
    this.#expressions = expressions;
    this.#pulse[1] = -1;
  }

  /**
   * Evaluates expressions over every row.
   *
   * @param which their numbers
   * @returns for every row what came of each
   * @throws LockstepError `ExpressionTimedOut` when one hangs or takes too much memory
   */
  async evaluate(rows: readonly object[], which: readonly number[]): Promise<Evaluated[][]> {
    if (which.length === 0 || rows.length === 0) return rows.map(() => []);
    this.#thread ??= this.#start();
    const thread = this.#thread;
    return await new Promise((resolve, reject) => {
      const watch = this.#watch(() => settle(() => reject(this.#stuck(hung))));
      const onMessage = (answer: Evaluated[][]) => settle(() => resolve(answer));
      const onError = (error: NodeJS.ErrnoException) => {
        const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
        settle(() => reject(outOfMemory ? this.#stuck('took too much memory') : error));
      };
      function settle(outcome: () => void) {
        clearInterval(watch);
        thread.off('message', onMessage).off('error', onError);
        outcome();
      }
      thread.on('message', onMessage).on('error', onError);
      thread.postMessage({ rows, which } satisfies ToExpressionThread);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const data: ExpressionThreadData = {
      expressions: this.#expressions.map(({ expression }) => expression),
      pulse: this.#pulse,
    };
    const thread = startSandboxThread('expression-thread', data);
    // Without a listener of its own an error between two batches would end the worker.
    thread.on('error', () => {});
    return thread;
  }

  #watch(onHang: () => void): NodeJS.Timeout {
    let done = -1;
    let since = Date.now();
    return setInterval(() => {
      const now = Atomics.load(this.#pulse, 0);
      if (now !== done || Atomics.load(this.#pulse, 1) === -1) {
        done = now;
        since = Date.now();
      } else if (Date.now() - since > hangLimitMs) {
        void this.#thread?.terminate();
        onHang();
      }
    }, 500);
  }

  #stuck(what: string): LockstepError {
    const at = this.#expressions[Atomics.load(this.#pulse, 1)];
    return new LockstepError(
      'ExpressionTimedOut',
      `the expression of ${at?.name ?? 'a mapping'} ${what}`,
    );
  }
}

const hung = `did not finish within ${hangLimitMs / 1000} s`;
