/** What one may say to, and ask of, a running job. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Counts } from '../engine/counts.ts';
import type { Finding } from '../engine/diagnosis/diagnosis.ts';
import type { JobState, Mode, StepName, Task } from '../engine/job.ts';
import type { Breach } from '../engine/threshold.ts';

/** What starts a job. */
export interface SyncJobRequest {
  readonly connector: string;
  readonly mode: Mode;
  /** One task alone. Default `all`. */
  readonly task?: Task;
  /** Of `prepare` and `synchronize`: id of a kept extraction, or of a job that made or used it. Default: the last one of this mode. */
  readonly extraction?: string;
  /** Stop at the gate: the delta is prepared and kept for review, and nothing is written. */
  readonly simulate?: boolean;
  /** Id of a job of this connector: its changes are taken back, and nothing is exported. */
  readonly rollbackOf?: string;
  /** Default `person`. */
  readonly trigger?: 'schedule' | 'person';
  /** Who asks, for the history. */
  readonly by?: string;
  /** Path of another configuration file than the worker's own; a worker of `lockstep dev` accepts one. */
  readonly configurationFile?: string;
}

/** What starts an edit. What is to be changed is identity data: it waits in the store, under the id of the job. */
export interface EditJobRequest {
  /** Id of another edit: its changes are taken back, and nothing waits in the store. */
  readonly rollbackOf?: string;
  /** Of a rollback: stop at the gate. */
  readonly simulate?: boolean;
  /** As of {@link SyncJobRequest}. */
  readonly configurationFile?: string;
}

/** What starts a person's word on a match. What they say holds keys: it waits in the store, under the id of the workflow. */
export interface DecideMatchRequest {
  /** As of {@link SyncJobRequest}. */
  readonly configurationFile?: string;
}

/** What starts a reconciliation. */
export interface ReconcileJobRequest {
  readonly mapping: string;
  /** The connector on its connected side, whose job it is. */
  readonly connector: string;
  /** As of {@link SyncJobRequest}. */
  readonly simulate?: boolean;
  readonly trigger?: 'schedule' | 'person';
  readonly by?: string;
  readonly configurationFile?: string;
}

/** A reconciliation that follows a job. */
export interface FollowUp {
  readonly mapping: string;
  readonly connector: string;
}

/** What starts a look at the sources of a connector, or a test of its connection. */
export interface CheckConnectorRequest {
  readonly connector: string;
  /** As of {@link SyncJobRequest}. */
  readonly configurationFile?: string;
}

/** A person's decision on a blocked job. */
export interface Decision {
  /** Who decides. Required: the Temporal UI sends no identity of its own. */
  readonly by: string;
  readonly reason?: string;
  /** Digest of the delta that was reviewed; when given, another delta is not decided on. */
  readonly delta?: string;
}

/** What became of a decision. */
export interface DecisionOutcome {
  readonly action: 'resume' | 'abort';
  /** `noted`: it counts, but more people have to resume the job. */
  readonly effect: 'applied' | 'noted' | 'ignored';
  /** Why it was ignored, or what is still missing. */
  readonly why?: string;
}

/** Where a job stands; answers while a worker is up. */
export interface JobProgress {
  readonly state: JobState;
  readonly step: StepName | 'waiting' | 'ended';
  readonly counts: Counts | null;
  readonly breaches: readonly Breach[];
  /** Their likely causes, without what they quote. */
  readonly diagnoses: readonly Finding[];
  /** Digest of the delta under review. */
  readonly delta: string | null;
  /** What people said to the job and what came of it, the latest last; the table `decision` has all of it. */
  readonly notes: readonly string[];
}

/** What a finished workflow returns: numbers only. */
export interface SyncJobResult {
  readonly state: JobState;
  readonly counts: Counts | null;
  readonly breaches: readonly Breach[];
}

/** Applies exactly the reviewed delta of a blocked job. Ignored, and recorded, at any other time. */
export const resumeSignal = defineSignal<[Decision]>('resume');
/** Gives up the delta of a job; also of one that waits its turn, exports or prepares. */
export const abortSignal = defineSignal<[Decision]>('abort');
/** The same with an answer; refused with type `DecisionRejected` when there is nothing to decide. */
export const resumeUpdate = defineUpdate<DecisionOutcome, [Decision]>('resume');
export const abortUpdate = defineUpdate<DecisionOutcome, [Decision]>('abort');
export const progressQuery = defineQuery<JobProgress>('progress');
