/** The thread that evaluates the expressions of a mapping: apart from the worker, so that none can stop or see it. */
import { parentPort, workerData } from 'node:worker_threads';
import { compileExpression } from '../connectors/expression.ts';
import type { Value } from '../engine/value-format.ts';

export interface ExpressionThreadData {
  readonly expressions: readonly string[];
  /** Shared with the worker: [0] evaluations done, [1] index of the expression at work, -1 for none. */
  readonly pulse: Int32Array;
}

/** What expressions are evaluated over, and which of them. */
export interface ToExpressionThread {
  readonly rows: readonly object[];
  readonly which: readonly number[];
}

/** What came of one expression; nothing at all where it has no value. */
export type Evaluated = { readonly value?: Value } | { readonly problem: string };

const { expressions, pulse } = workerData as ExpressionThreadData;
const compiled = expressions.map(compileExpression);

parentPort?.on('message', async ({ rows, which }: ToExpressionThread) => {
  const answer: Evaluated[][] = [];
  for (const row of rows) {
    const evaluated: Evaluated[] = [];
    for (const index of which) evaluated.push(await evaluate(row as Record<string, Value>, index));
    answer.push(evaluated);
  }
  parentPort?.postMessage(answer);
});

async function evaluate(row: Record<string, Value>, index: number): Promise<Evaluated> {
  Atomics.store(pulse, 1, index);
  try {
    const value = await compiled[index]?.(row);
    if (value === undefined || value === null) return {};
    if (typeof value === 'object' || typeof value === 'function') {
      return { problem: 'gets neither a text, a number nor true or false from its expression' };
    }
    return { value: value as Value };
  } catch {
    // JSONata quotes values in its messages, and a reject shows the source beside it anyway.
    return { problem: 'has an expression that fails for this source' };
  } finally {
    Atomics.store(pulse, 1, -1);
    Atomics.add(pulse, 0, 1);
  }
}
