/** Evaluates expressions of the configuration: JSONata, which cannot reach the machine, within limits. */
import jsonata from 'jsonata';
import type { Value } from '../engine/value-format.ts';

/** Functions of JSONata whose value is another at every run, so that every run would change every resource. */
const changingFunctions = ['now', 'millis', 'random', 'shuffle'] as const;

/** Milliseconds that one evaluation may take, as far as JSONata itself can tell. */
export const expressionLimitMs = 1000;

/**
 * Compiles an expression over the properties of a row.
 *
 * The limits bound time, depth and size, but a regular expression runs past them: evaluate in a thread of its own.
 */
export function compileExpression(
  expression: string,
): (row: Readonly<Record<string, Value>>) => Promise<unknown> {
  const compiled = jsonata(expression, {
    timeout: expressionLimitMs,
    stack: 200,
    sequence: 100_000,
  });
  for (const name of changingFunctions) {
    compiled.registerFunction(name, () => {
      throw new Error(`$${name}() gives another value at every run`);
    });
  }
  return (row) => compiled.evaluate(row);
}
