/** Lockstep as a library: what the command line does, as functions. */
import type { JobDocument, JobState } from '../engine/job.ts';
import type { Reject } from '../engine/reject.ts';
import type { Change } from '../store/queries/changes.ts';
import type { ExtractionSummary } from '../store/queries/extractions.ts';
import type { JobSummary } from '../store/queries/jobs.ts';
import type { MatchDocument } from '../store/queries/matches.ts';
import type { HistoryEntry } from '../store/queries/resource-history.ts';
import type { ResourceDocument } from '../store/queries/resources.ts';
import {
  browse,
  type ChangesOptions,
  changesOf,
  type ListOptions,
  look,
  rejectsOf,
} from './browse.ts';
import { type CheckOptions, type CheckReport, check } from './check.ts';
import { type DecideOptions, decideJob } from './decide.ts';
import {
  deleteResource,
  type EditedValues,
  type EditOptions,
  editLink,
  setResource,
} from './edit.ts';
import { type Explanation, explain, history } from './explain.ts';
import {
  type DownloadedExtraction,
  downloadExtraction,
  type ExtractionsOptions,
  viewExtractions,
} from './extractions.ts';
import { type LogEntry, viewLog } from './job-log.ts';
import { viewJob, viewJobs } from './job-view.ts';
import {
  decideMatch,
  type MatchDecisionDocument,
  type MatchesOptions,
  matchesOf,
} from './matches.ts';
import { inOurWords } from './outage.ts';
import { type ReconcileOptions, reconcileMapping } from './reconcile.ts';
import { type RollbackOptions, rollBackJob } from './rollback.ts';
import { type RunOptions, runJob } from './run.ts';
import {
  type ActivationOptions,
  activate,
  applySchedules,
  deactivate,
  readSchedules,
  type ScheduleChanges,
  type ScheduleDocument,
} from './schedules.ts';
import { type LockstepOptions, Session } from './session.ts';
import { type ConnectorTest, testConnector } from './test-connector.ts';

export { LockstepError } from '../engine/errors.ts';
export type {
  ActivationOptions,
  Change,
  ChangesOptions,
  CheckOptions,
  CheckReport,
  ConnectorTest,
  DecideOptions,
  DownloadedExtraction,
  EditedValues,
  EditOptions,
  Explanation,
  ExtractionSummary,
  ExtractionsOptions,
  HistoryEntry,
  JobDocument,
  JobSummary,
  ListOptions,
  LockstepOptions,
  LogEntry,
  MatchDecisionDocument,
  MatchDocument,
  MatchesOptions,
  ReconcileOptions,
  Reject,
  ResourceDocument,
  RollbackOptions,
  RunOptions,
  ScheduleChanges,
  ScheduleDocument,
};

/** Which jobs to list. */
export interface JobsOptions {
  readonly connector?: string | undefined;
  /** Reconciliations of this mapping only. */
  readonly mapping?: string | undefined;
  readonly state?: JobState | undefined;
  /** Default 50. */
  readonly limit?: number | undefined;
}

/**
 * An open use of Lockstep. Every method may throw a `LockstepError`, whose `code` has its page in `docs/errors.md`;
 * a job that fails is not an error of the call, its document says so.
 */
export interface Lockstep extends AsyncDisposable {
  /** Runs a connector; resolves when the job ended or blocked (its `state` says which). */
  run(connector: string, options?: RunOptions): Promise<JobDocument>;
  /** Reconciles a mapping; resolves when the job ended or blocked. */
  reconcile(mapping: string, options?: ReconcileOptions): Promise<JobDocument>;
  job(id: string): Promise<JobDocument>;
  /** What happened to a job, oldest first. */
  log(id: string): Promise<LogEntry[]>;
  /** The newest jobs first. */
  jobs(options?: JobsOptions): Promise<JobSummary[]>;
  /** The changes of the newest delta of a job, streamed: there may be millions. */
  changes(id: string, options?: ChangesOptions): AsyncIterable<Change>;
  /** The extractions that are kept, newest first. */
  extractions(options?: ExtractionsOptions): Promise<ExtractionSummary[]>;
  /** Copies the files of an extraction (named by its id, or by a job) into a directory; works where the workers run. */
  downloadExtraction(id: string, directory: string): Promise<DownloadedExtraction>;
  rejects(id: string, options?: { readonly limit?: number }): AsyncIterable<Reject>;
  /** Lets a blocked job load exactly the delta it shows now; resolves when it ended, or asks again. */
  resume(id: string, options?: DecideOptions): Promise<JobDocument>;
  /** Gives up a job's delta; resolves when it ended. */
  abort(id: string, options?: DecideOptions): Promise<JobDocument>;
  /**
   * Takes back what a job has changed, by a job of its own; resolves when that ended or blocked. What was changed again
   * since is among its rejects.
   */
  rollback(id: string, options?: RollbackOptions): Promise<JobDocument>;
  /**
   * Sets values of a managed resource (null: none from now on), or creates it; resolves when that is done, or asks
   * (`blocked`).
   */
  set(
    entityType: string,
    key: string,
    values: EditedValues,
    options?: EditOptions,
  ): Promise<JobDocument>;
  /** Deletes a managed resource with its links. */
  delete(entityType: string, key: string, options?: EditOptions): Promise<JobDocument>;
  /** Links two managed resources, named from either end. */
  link(
    entityType: string,
    key: string,
    property: string,
    otherKey: string,
    options?: EditOptions,
  ): Promise<JobDocument>;
  unlink(
    entityType: string,
    key: string,
    property: string,
    otherKey: string,
    options?: EditOptions,
  ): Promise<JobDocument>;
  /** The resources of an entity type, streamed in the order of their keys. */
  list(entityType: string, options?: ListOptions): AsyncIterable<ResourceDocument>;
  show(entityType: string, key: string): Promise<ResourceDocument>;
  /** The import list of a mapping, or of all of them, streamed. */
  matches(mapping?: string, options?: MatchesOptions): AsyncIterable<MatchDocument>;
  /** Confirms a match; resolves when a worker has done it. */
  confirm(match: string): Promise<MatchDecisionDocument>;
  /** Ends a match; unless `remember` is false, no rule pairs the two again. */
  unmatch(
    match: string,
    options?: { readonly remember?: boolean | undefined; readonly reason?: string | undefined },
  ): Promise<MatchDecisionDocument>;
  /** Pairs two resources by their keys. */
  match(mapping: string, source: string, target: string): Promise<MatchDecisionDocument>;
  /** From the raw row to what is stored of a resource, or of one property of it. */
  explain(entityType: string, key: string, property?: string): Promise<Explanation>;
  /** Every kept change of a resource and of its links, newest first; 1000 by default. */
  history(entityType: string, key: string, limit?: number): Promise<HistoryEntry[]>;
  schedules(): Promise<ScheduleDocument[]>;
  /** Makes the schedules in Temporal say what the configuration says. */
  applySchedules(): Promise<ScheduleChanges>;
  activate(connector: string, options?: ActivationOptions): Promise<ScheduleDocument[]>;
  deactivate(connector: string, options?: ActivationOptions): Promise<ScheduleDocument[]>;
  /** Looks at everything a run needs, in order; nothing is changed. */
  check(options?: CheckOptions): Promise<CheckReport>;
  /** Reads a little of a connected system; what is wrong with it is no error of the call. */
  test(connector: string): Promise<ConnectorTest>;
  close(): Promise<void>;
}

/**
 * Opens Lockstep on the servers that the environment names, else on those of the `lockstep dev` that runs in
 * `LOCKSTEP_HOME`. Each server is connected to when it is first needed.
 */
export async function connectLockstep(options: LockstepOptions = {}): Promise<Lockstep> {
  return lockstepOf(new Session(options));
}

/** The same on a session that is open already. */
export function lockstepOf(session: Session): Lockstep {
  return {
    run: (connector, options = {}) => inWords(runJob(session, connector, options)),
    reconcile: (mapping, options = {}) => inWords(reconcileMapping(session, mapping, options)),
    job: (id) => inWords(viewJob(session, id).then(({ document }) => document)),
    log: (id) => inWords(viewLog(session, id)),
    jobs: ({ limit = 50, ...options } = {}) => inWords(viewJobs(session, { ...options, limit })),
    changes: (id, options = {}) => eachInWords(changesOf(session, id, options)),
    extractions: (options = {}) => inWords(viewExtractions(session, options)),
    downloadExtraction: (id, directory) => inWords(downloadExtraction(session, id, directory)),
    rejects: (id, options = {}) => eachInWords(rejectsOf(session, id, options)),
    resume: (id, options = {}) => inWords(decideJob(session, 'resume', id, options)),
    abort: (id, options = {}) => inWords(decideJob(session, 'abort', id, options)),
    rollback: (id, options = {}) => inWords(rollBackJob(session, id, options)),
    set: (entityType, key, values, options) =>
      inWords(setResource(session, entityType, key, values, options)),
    delete: (entityType, key, options) =>
      inWords(deleteResource(session, entityType, key, options)),
    link: (entityType, key, property, other, options) =>
      inWords(editLink(session, 'link', entityType, { key, property, other }, options)),
    unlink: (entityType, key, property, other, options) =>
      inWords(editLink(session, 'unlink', entityType, { key, property, other }, options)),
    list: (entityType, options = {}) => eachInWords(browse(session, entityType, options)),
    show: (entityType, key) =>
      inWords(look(session, entityType, key).then(({ resource }) => resource)),
    matches: (mapping, options = {}) => eachInWords(matchesOf(session, mapping, options)),
    confirm: (match) => inWords(decideMatch(session, { action: 'confirm', match })),
    unmatch: (match, { remember = true, reason } = {}) =>
      inWords(decideMatch(session, { action: 'unmatch', match, remember, reason: reason ?? null })),
    match: (mapping, source, target) =>
      inWords(decideMatch(session, { action: 'match', mapping, source, target })),
    explain: (entityType, key, property) => inWords(explain(session, entityType, key, property)),
    history: (entityType, key, limit) => inWords(history(session, entityType, key, limit)),
    schedules: () => inWords(readSchedules(session)),
    applySchedules: () => inWords(applySchedules(session)),
    activate: (connector, options = {}) => inWords(activate(session, connector, options)),
    deactivate: (connector, options = {}) => inWords(deactivate(session, connector, options)),
    check: (options = {}) => inWords(check(session, options)),
    test: (connector) => inWords(testConnector(session, connector)),
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
}

async function inWords<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    throw inOurWords(error);
  }
}

async function* eachInWords<Item>(
  items: AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  try {
    yield* items;
  } catch (error) {
    throw inOurWords(error);
  }
}
