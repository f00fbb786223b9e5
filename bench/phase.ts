/** The phases of one benchmark run: what a sync does on its first day, on the next, and when nothing changed. */
import type { Day } from './generate-data.ts';

/** One thing to measure: every tool takes the files of a day into what the phases before have left. */
export interface Phase {
  readonly name: string;
  readonly day: Day;
  /** Whether the rows are other than those of the phase before. */
  readonly changesRows: boolean;
}

/** In order; `rows rotated` has other bytes than the phase before and the same rows. */
export const phases = [
  { name: 'first load', day: 'day-0', changesRows: true },
  { name: 'unchanged', day: 'day-0', changesRows: false },
  { name: 'next day', day: 'day-1', changesRows: true },
  { name: 'unchanged again', day: 'day-1', changesRows: false },
  { name: 'rows rotated', day: 'day-1-rotated', changesRows: false },
] as const satisfies readonly Phase[];

export type PhaseName = (typeof phases)[number]['name'];
