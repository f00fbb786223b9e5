/** A job: its states, modes, and the document that every command prints about it. */
import type { ConfigurationChange } from './configuration-change.ts';
import type { Counts } from './counts.ts';
import type { Diagnosis } from './diagnosis/diagnosis.ts';
import type { ErrorCode } from './errors.ts';
import type { Situation } from './mapping.ts';
import type { Breach } from './threshold.ts';

/** `complete` reads everything, `incremental` what changed since the cursor. */
export type Mode = 'complete' | 'incremental';

/**
 * What a job does. `all`: export, prepare, gate, load. Alone: `export` leaves an extraction; `prepare` leaves the delta of
 * a kept extraction for review; `synchronize` loads a kept extraction, through the gate; `expressions` the same with the
 * one that was loaded last, so that what an expression gives today is stored without a new export.
 */
export const tasks = ['all', 'export', 'prepare', 'synchronize', 'expressions'] as const;
export type Task = (typeof tasks)[number];

/** What a job of any kind does: a task that can be run, `edit`, what a person changes of what is managed by us, or `reconcile`, one run of a mapping. */
export type JobTask = Task | 'edit' | 'reconcile';

/** True for a task that makes no export: it works on an extraction that is kept. */
export function usesKeptExtraction(task: JobTask): boolean {
  return task !== 'all' && task !== 'export';
}

/** Where a job stands. `running` and `blocked` are open, all others are final. */
export type JobState =
  | 'running'
  | 'blocked'
  | 'succeeded'
  | 'succeeded-with-rejects'
  | 'skipped'
  | 'aborted'
  | 'failed';

/** True when the job will not change any more. */
export function isFinal(state: JobState): boolean {
  return state !== 'running' && state !== 'blocked';
}

/** The named steps of a job, each with its own state and timing. */
export const stepNames = ['export', 'prepare', 'gate', 'load', 'provision'] as const;
export type StepName = (typeof stepNames)[number];
export type StepState = 'running' | 'blocked' | 'succeeded' | 'aborted' | 'failed' | 'skipped';

/** What went wrong, or why a job asks again; the code has its page in `docs/errors.md`. */
export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What became of the resources that a delta writes to a connected system. */
export interface ProvisioningCounts {
  readonly applied: number;
  /** The system said yes, and yet they are not as they should be. */
  readonly notApplied: number;
  readonly failed: number;
}

/** The document that `run`, `resume`, `abort` and `job` print with `--json`. */
export interface JobDocument {
  readonly job: string;
  readonly connector: string;
  readonly mode: Mode;
  readonly task: JobTask;
  /** Id of the extraction it made, or works on; null before that. */
  readonly extraction: string | null;
  /** The mapping that it reconciles; only of a reconciliation. */
  readonly mapping?: string;
  /** How many resources, of both sides, are in each situation; only of a reconciliation. */
  readonly situations?: Readonly<Partial<Record<Situation, number>>>;
  /** How many resources were written to the connected system; only of a reconciliation that provisions. */
  readonly provisioning?: ProvisioningCounts;
  readonly state: JobState;
  readonly simulated: boolean;
  /** Id of the job whose changes this one takes back; only of a rollback. */
  readonly rollbackOf?: string;
  readonly counts: Counts;
  readonly entityTypes: Readonly<Record<string, Counts>>;
  readonly associations: Readonly<Record<string, Counts>>;
  readonly breaches: readonly Breach[];
  /** What the configuration says otherwise than at the last load of the connector; only when there is something. */
  readonly configurationChanges?: readonly ConfigurationChange[];
  readonly diagnoses: readonly Diagnosis[];
  readonly error: JobError | null;
}
