/** One job of one connector: export (or a job to take back), prepare, gate, load. READ THIS FIRST. */
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
import type { JobError, JobState, Mode } from '../engine/job.ts';
import {
  beginJob,
  blockJob,
  endJob,
  exportSource,
  loadDelta,
  prepareDelta,
  prepareRollback,
  settleDecision,
} from './activity-proxies.ts';
import { jobErrorOf } from './failure.ts';
import { Gate } from './gate.ts';
import {
  type JobProgress,
  progressQuery,
  type SyncJobRequest,
  type SyncJobResult,
} from './messages.ts';
import { describeBreach, tellStory } from './story.ts';

type Delta = Awaited<ReturnType<SyncActivities['prepareDelta']>>;
type Lease = Awaited<ReturnType<SyncActivities['beginJob']>>;
type KeptExtraction = NonNullable<Extract<Lease, { held: true }>['kept']>;

/**
 * Synchronises one connected system into the identity store.
 *
 * Returns when the job succeeded, was skipped, aborted or only simulated; fails, with the code of the error as its
 * type, when it could not be done. The store is then as before.
 */
export async function syncJob(request: SyncJobRequest): Promise<SyncJobResult> {
  const { connector, mode, task = 'all', simulate = false, rollbackOf } = request;
  const job = new Job(request);
  try {
    const state = await job.untilAborted(async () => {
      const lease = await beginJob({
        connector,
        mode,
        task,
        extraction: request.extraction ?? null,
        simulate,
        trigger: request.trigger ?? 'person',
        by: request.by ?? null,
        configurationFile: request.configurationFile ?? null,
        rollbackOf: rollbackOf ?? null,
      });
      if (!lease.held) return job.skipped(lease.heldBy);
      job.approvers = lease.approvers;
      job.approvals = lease.approvals ?? 1;
      if (lease.kept) job.chose(lease.kept);

      const { place, prepare } = await sourceOf(job, request, lease.kept);
      if (task === 'export') return 'succeeded';

      job.enter('prepare');
      job.review(await prepare());
      if (simulate || task === 'prepare') return 'succeeded';

      for (let stale = false; ; stale = true) {
        const reviewed = job.breached || (stale && job.changesSomething);
        if (reviewed) await job.waitAtTheGate(stale);

        await job.passTheGate();
        if (job.isDeltaEmpty) return job.withoutLoad();
        const passed = { connector, ...place, fence: lease.fence, digest: job.digest, reviewed };
        if ((await loadDelta(passed)) === 'applied') return 'succeeded';

        job.enter('prepare');
        job.review(await prepare());
      }
    });
    return await job.end(state, null);
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

/** Where the changes come from: an extraction, kept or made first; or what another job has changed. */
async function sourceOf(
  job: Job,
  { connector, mode, rollbackOf }: SyncJobRequest,
  chosen: KeptExtraction | null | undefined,
) {
  if (rollbackOf !== undefined) {
    // Nobody knows how large it is.
    const place = { extraction: null, bytes: null, kept: false };
    const undone = { connector, rollbackOf, bytes: null };
    return { place, prepare: () => prepareRollback(undone) };
  }
  const { extraction, bytes, kept } = chosen ?? (await job.export({ connector, mode }));
  const place = { extraction, bytes, kept };
  return { place, prepare: () => prepareDelta({ connector, ...place }) };
}

/** The job's own knowledge of itself, and how it tells it: to queries, search attributes and the Temporal UI. */
class Job {
  readonly gate: Gate;
  approvers: readonly string[] | null = null;
  approvals = 1;
  readonly #request: SyncJobRequest;
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

  constructor(request: SyncJobRequest) {
    this.#request = request;
    const workflow = CancellationScope.current();
    this.gate = new Gate({
      blocked: () => this.#progress.step === 'gate' && !workflow.consideredCancelled,
      announcing: () => this.#announcing,
      abortable: () => this.#progress.step !== 'load' && this.#progress.step !== 'ended',
      delta: () => this.#progress.delta,
      approvers: () => this.approvers,
      approvals: () => this.approvals,
      note: (text) => {
        this.#notes.push(text);
        if (this.#notes.length > 20) this.#notes.shift();
        this.#tell();
      },
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
    this.#loading = step === 'load' ? this.digest : null;
    this.#update({ state: 'running', step });
  }

  review({ counts, breaches, diagnoses, digest, empty }: Delta): void {
    this.#isDeltaEmpty = empty;
    // Deltas of an older worker have none.
    this.#update({ counts, breaches, diagnoses: diagnoses ?? [], delta: digest });
  }

  /** Leaves an extraction of the connected system as it is now. */
  async export(source: { connector: string; mode: Mode }) {
    this.enter('export');
    const { extraction, bytes } = await exportSource(source);
    return { extraction, bytes, kept: false };
  }

  /** Says which extraction was chosen, and whether the store would go back in time with it. */
  chose({ extraction, newer }: KeptExtraction): void {
    this.#notes.push(`works on the extraction ${extraction}`);
    if (newer !== null) this.#notes.push(`goes back in time: the newer ${newer} is loaded already`);
    this.#tell();
  }

  skipped(heldBy: string): JobState {
    this.#notes.push(`skipped: the connector is held by ${heldBy}`);
    return 'skipped';
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
  async passTheGate(): Promise<void> {
    await this.gate.settled();
    if (this.gate.aborted) throw new CancelledFailure('aborted');
    this.enter('load');
    // Only now, when it is too late for any decision: two at once must not both count.
    this.gate.close();
  }

  /** Writes the outcome and gives the connector back, also while the workflow is being cancelled. */
  async end(state: JobState, error: JobError | null): Promise<SyncJobResult> {
    this.#update({ state: 'running', step: 'ended' });
    const outcome = await CancellationScope.nonCancellable(async () => {
      // A resume that is still being written down would overwrite the outcome.
      await this.gate.settled();
      return await endJob({
        connector: this.#request.connector,
        state,
        error,
        loading: this.#loading,
        loadSkipped: this.#loadSkipped,
      });
    });
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
    const { connector, task = 'all', rollbackOf } = this.#request;
    const job = { connector, task, id: workflowInfo().workflowId, rollbackOf };
    setCurrentDetails(tellStory(job, { ...this.#progress, notes: this.#notes }));
  }
}
