/** Drift: a source that is no longer what it was at the last load, and the contract that says what is done about it. */
import { type ErrorCode, LockstepError } from '../errors.ts';
import type { Diagnosis } from './diagnosis.ts';

/** What is done when a source drifts. `ignore` notes it with the job; `reject` sets the rows aside; `stop` fails the job. */
export interface DriftContract {
  /** A column that nothing is mapped to. */
  readonly newColumn: 'ignore' | 'stop';
  /** A column that nothing is mapped to; a mapped one always stops the job. */
  readonly lostColumn: 'ignore' | 'stop';
  /** A column whose values are of another kind than those stored. */
  readonly typeChange: 'ignore' | 'reject' | 'stop';
  /** What a spreadsheet does to a column: leading zeros lost, rounded numbers, day numbers for dates. */
  readonly valueFormat: 'ignore' | 'stop';
}

/** What holds where the configuration says nothing. */
export const defaultDrift: DriftContract = {
  newColumn: 'ignore',
  lostColumn: 'ignore',
  typeChange: 'stop',
  valueFormat: 'stop',
};

/** A drift that its contract does not let pass; the diagnoses show it with examples, which the message does not. */
export class DriftError extends LockstepError {
  readonly diagnoses: readonly Diagnosis[];

  constructor(code: ErrorCode, message: string, diagnoses: readonly Diagnosis[]) {
    super(code, message);
    this.diagnoses = diagnoses;
  }
}

/** Headings that came and went, blank ones left out. @param mapped columns that have a meaning, and so cannot drift */
export function headerDrift(
  last: readonly string[],
  now: readonly string[],
  mapped: ReadonlySet<string>,
): { came: string[]; went: string[] } {
  const without = (all: readonly string[], others: readonly string[]) =>
    [...new Set(all)].filter(
      (heading) => heading !== '' && !others.includes(heading) && !mapped.has(heading),
    );
  return { came: without(now, last), went: without(last, now) };
}
