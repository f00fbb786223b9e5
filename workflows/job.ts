/** What every job has in common: its knowledge of itself, how it tells it, its way through the gate, and its end. */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { SyncActivities } from '../activities/index.ts';
import { changesNothing } from '../engine/counts.ts';
import type { JobError, JobState, JobTask, ProvisioningCounts } from '../engine/job.ts';
import { blockJob, endJob, settleDecision } from './activity-proxies.ts';
import { jobErrorOf } from './failure.ts';
import { startFollowUps } from './follow-ups.ts';
import { Gate } from './gate.ts';
import { type FollowUp, type JobProgress, progressQuery, type SyncJobResult } from './messages.ts';
import { describeBreach, tellStory } from './story.ts';

type Delta = Awaited<ReturnType<SyncActivities['prepareDelta']>>;

/** Which job it is. */
export interface JobName {
  readonly connector: string;
  readonly task: JobTask;
  /** The mapping that it reconciles. */
  readonly mapping?: string | undefined;
  /** The job whose changes it takes back. */
  readonly rollbackOf?: string | undefined;
  /** That the jobs which follow it should read, too. */
  readonly configurationFile?: string | undefined;
}

/**
 * Runs the steps of a job to its end, whatever ends it.
 *
 * Returns when the job succeeded, was skipped, aborted or only simulated; fails, with the code of the error as its
 * type, when it could not be done.
 */
export async function runToItsEnd(
  job: Job,
  steps: () => Promise<JobState>,
): Promise<SyncJobResult> {
  try {
    const result = await job.end(await job.untilAborted(steps), null);
    await job.startFollowUps();
    return result;
  } catch (error) {
    if (job.gate.aborted) return await job.end('aborted', null);
    // A worker that died under a cancelled step makes it time out instead of end as cancelled.
    if (isCancellation(error) || CancellationScope.current().consideredCancelled) {
      const result = await job.end('aborted', null);
      if (result.state !== 'aborted') return result;
      throw new CancelledFailure('cancelled in Temporal');
    }
    const failure = jobErrorOf(error);
    await job.end('failed', failure);
    throw ApplicationFailure.nonRetryable(failure.message, failure.code);
  }
}

/** The job's own knowledge of itself, and how it tells it: to queries, search attributes and the Temporal UI. */
export class Job {
  readonly gate: Gate;
  approvers: readonly string[] | null = null;
  approvals = 1;
  readonly #name: JobName;
  #announcing = false;
  #progress: Omit<JobProgress, 'notes'> = {
    state: 'running',
    step: 'waiting',
    counts: null,
    breaches: [],
    diagnoses: [],
    delta: null,
  };
  readonly #notes: string[] = [];
  #isDeltaEmpty = false;
  #loadSkipped = false;
  /** Digest of the delta whose load has begun: it may be applied although no answer came. */
  #loading: string | null = null;
  #followUps: readonly FollowUp[] = [];

  constructor(name: JobName) {
    this.#name = name;
    const workflow = CancellationScope.current();
    this.gate = new Gate({
      blocked: () => this.#progress.step === 'gate' && !workflow.consideredCancelled,
      announcing: () => this.#announcing,
      abortable: () => this.#progress.step !== 'load' && this.#progress.step !== 'ended',
      delta: () => this.#progress.delta,
      approvers: () => this.approvers,
      approvals: () => this.approvals,
      note: (text) => this.note(text),
    });
    setHandler(progressQuery, () => ({ ...this.#progress, notes: this.#notes }));
    this.#tell();
  }

  get breached(): boolean {
    return this.#progress.breaches.length > 0;
  }

  get changesSomething(): boolean {
    return this.#progress.counts !== null && !changesNothing(this.#progress.counts);
  }

  get isDeltaEmpty(): boolean {
    return this.#isDeltaEmpty;
  }

  get digest(): string {
    return this.#progress.delta ?? '';
  }

  enter(step: JobProgress['step']): void {
    this.#loading = step === 'load' || step === 'provision' ? this.digest : null;
    this.#update({ state: 'running', step });
  }

  review({ counts, breaches, diagnoses, digest, empty }: Delta): void {
    this.#isDeltaEmpty = empty;
    // Deltas of an older worker have none.
    this.#update({ counts, breaches, diagnoses: diagnoses ?? [], delta: digest });
  }

  /** Something happened that the UI should tell; of many, the last ones. */
  note(text: string): void {
    this.#notes.push(text);
    if (this.#notes.length > 20) this.#notes.shift();
    this.#tell();
  }

  /** The connected system has what could be written. */
  noteProvisioned({ applied, notApplied, failed }: ProvisioningCounts): void {
    this.note(`provisioned: ${applied} applied, ${notApplied} not applied, ${failed} failed`);
  }

  /**
   * Takes the delta under review through the gate and applies it. One that was overtaken is prepared again, and asked about
   * again where it changes something.
   */
  async throughTheGate(
    next: 'load' | 'provision',
    prepare: () => Promise<Delta>,
    apply: (reviewed: boolean) => Promise<'applied' | 'stale'>,
  ): Promise<JobState> {
    for (let stale = false; ; stale = true) {
      const reviewed = this.breached || (stale && this.changesSomething);
      if (reviewed) await this.waitAtTheGate(stale);

      await this.passTheGate(next);
      if (this.isDeltaEmpty) return this.withoutLoad();
      if ((await apply(reviewed)) === 'applied') return 'succeeded';

      this.enter('prepare');
      this.review(await prepare());
    }
  }

  /** Starts the mappings whose source this job has changed. */
  async startFollowUps(): Promise<void> {
    await startFollowUps(this.#followUps, this.#name.configurationFile);
  }

  /** Nothing would be written, so it does not matter who holds the connector by now. */
  withoutLoad(): JobState {
    this.#loadSkipped = true;
    return 'succeeded';
  }

  /** Runs the steps until they are done or somebody aborts the job, which cancels whatever is running. */
  async untilAborted(steps: () => Promise<JobState>): Promise<JobState> {
    const scope = new CancellationScope();
    const cancelOnAbort = this.gate.abort().then(() => scope.cancel());
    cancelOnAbort.catch(() => {});
    return await scope.run(steps);
  }

  /** Waits for a person. Returns when the delta under review is resumed; an abort cancels the steps. */
  async waitAtTheGate(reviewedBefore: boolean): Promise<void> {
    const { breaches, diagnoses } = this.#progress;
    this.#update({ state: 'blocked', step: 'gate' });
    upsertSearchAttributes({
      SyncJobState: ['blocked'],
      SyncBreaches: [...new Set(breaches.map((breach) => breach.threshold))],
    });
    upsertMemo({ breaches: breaches.map(describeBreach), delta: this.digest });
    const stale: JobError = {
      code: 'DeltaStale',
      message:
        'the store moved after the review, so the delta was prepared again and nothing was written',
      hint: 'Review the new delta, then resume or abort.',
    };
    this.#announcing = true;
    try {
      await blockJob({ breaches, diagnoses, error: reviewedBefore ? stale : null });
    } finally {
      this.#announcing = false;
    }
    await this.gate.decision();
    upsertSearchAttributes({ SyncJobState: ['running'] });
  }

  /** Nothing is loaded while a decision is being settled, nor after an abort. */
  async passTheGate(next: 'load' | 'provision' = 'load'): Promise<void> {
    await this.gate.settled();
    if (this.gate.aborted) throw new CancelledFailure('aborted');
    this.enter(next);
    // Only now, when it is too late for any decision: two at once must not both count.
    this.gate.close();
  }

  /** Writes the outcome and gives the connector back, also while the workflow is being cancelled. */
  async end(state: JobState, error: JobError | null): Promise<SyncJobResult> {
    this.#update({ state: 'running', step: 'ended' });
    const ended = await CancellationScope.nonCancellable(async () => {
      // A resume that is still being written down would overwrite the outcome.
      await this.gate.settled();
      return await endJob({
        connector: this.#name.connector,
        state,
        error,
        loading: this.#loading,
        loadSkipped: this.#loadSkipped,
      });
    });
    // An older worker tells the state alone.
    const { state: outcome, followUps } =
      typeof ended === 'string' ? { state: ended, followUps: [] } : ended;
    this.#followUps = followUps;
    this.#update({ state: outcome });
    upsertSearchAttributes({ SyncJobState: [outcome] });
    if (CancellationScope.current().consideredCancelled) await this.#recordCancellation(outcome);
    await CancellationScope.nonCancellable(() => this.gate.settled());
    const { counts, breaches } = this.#progress;
    return { state: outcome, counts, breaches };
  }

  /** Somebody cancelled the workflow in Temporal: as good as an abort, unless the job had come too far. */
  async #recordCancellation(outcome: JobState): Promise<void> {
    await CancellationScope.nonCancellable(() =>
      settleDecision({
        action: 'abort',
        via: 'cancel',
        nth: 1,
        claimedBy: null,
        reason: 'cancelled in Temporal',
        delta: this.#progress.delta,
        why: outcome === 'aborted' ? null : `too late to abort: the job has ${outcome}`,
        approvers: null,
        approvals: 1,
      }),
    );
  }

  #update(change: Partial<Omit<JobProgress, 'notes'>>): void {
    this.#progress = { ...this.#progress, ...change };
    this.#tell();
  }

  #tell(): void {
    const job = { ...this.#name, id: workflowInfo().workflowId };
    setCurrentDetails(tellStory(job, { ...this.#progress, notes: this.#notes }));
  }
}
