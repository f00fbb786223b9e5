/** A job as it really stands: the store's row, corrected by Temporal where the row cannot know. */

import { didYouMean } from '../config/finding.ts';
import { noCounts } from '../engine/counts.ts';
import { errorCatalogue, LockstepError } from '../engine/errors.ts';
import { isFinal, type JobDocument, type JobError } from '../engine/job.ts';
import { type JobRecord, jobRecord, jobState } from '../store/queries/job-document.ts';
import { type JobFilter, type JobSummary, listJobs } from '../store/queries/jobs.ts';
import { inOurWords } from './outage.ts';
import type { Session } from './session.ts';
import { failureOf, viewWorkflow, type WorkflowView } from './workflow-view.ts';

/** A job as it stands; `delta` is what a decision would be about. */
export interface JobView {
  readonly document: JobDocument;
  readonly delta: JobRecord['delta'];
  /** Whether its workflow can still be told something. */
  readonly isOpen: boolean;
}

/** @throws LockstepError `NotFound` when neither the store nor Temporal knows the job. */
export async function viewJob(session: Session, id: string): Promise<JobView> {
  const known = await jobState(await session.store(), id);
  if (known && isFinal(known.document.state)) return { ...known, isOpen: false };
  const client = await session.temporal();
  const workflow = await viewWorkflow(client, id);
  if (known === undefined && workflow.status === 'unknown') throw await noSuchJob(session, id);
  const document = known?.document ?? unwritten(id, workflow);
  const delta = known?.delta ?? null;
  if (workflow.status === 'open') return { document, delta, isOpen: true };
  return { document: await asClosed(session, document, workflow), delta, isOpen: false };
}

/**
 * The document of an open row whose workflow is closed. The row is read once more first: the last thing a job does
 * is to write its end.
 */
export async function asClosed(
  session: Session,
  document: JobDocument,
  workflow: WorkflowView,
): Promise<JobDocument> {
  const again = await jobState(await session.store(), document.job);
  if (again && isFinal(again.document.state)) return again.document;
  if (workflow.status === 'cancelled') return { ...document, state: 'aborted' };
  const error =
    workflow.status === 'failed'
      ? await failureOf(await session.temporal(), document.job)
      : terminated(workflow);
  return { ...document, state: 'failed', error };
}

/** A job with its history. When Temporal is away, as it was last written down. */
export async function viewRecord(
  session: Session,
  id: string,
): Promise<{ document: JobDocument; record: JobRecord | undefined }> {
  const record = await jobRecord(await session.store(), id);
  try {
    return { document: (await viewJob(session, id)).document, record };
  } catch (error) {
    return { document: orAsWritten(session, record?.document, error), record };
  }
}

/** The newest jobs. One whose workflow was terminated is shown as failed; the filter by state sees it as such too. */
export async function viewJobs(session: Session, filter: JobFilter): Promise<JobSummary[]> {
  const store = await session.store();
  const { state } = filter;
  // The state of an open row may be wrong, so what the filter is about is known only after correction.
  const asked =
    state === 'failed' ? await openAndFailed(session, filter) : await listJobs(store, filter);
  const corrected = await correctAll(session, asked);
  return corrected
    .filter((job) => state === undefined || job.state === state)
    .slice(0, filter.limit);
}

async function openAndFailed(session: Session, filter: JobFilter): Promise<JobSummary[]> {
  const store = await session.store();
  const lists = await Promise.all(
    (['failed', 'running', 'blocked'] as const).map((state) =>
      listJobs(store, { ...filter, state }),
    ),
  );
  return lists.flat().sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

async function correctAll(session: Session, jobs: readonly JobSummary[]): Promise<JobSummary[]> {
  try {
    const open = jobs.filter(({ state }) => !isFinal(state));
    const seen = new Map<string, WorkflowView>();
    for (const { job } of open) seen.set(job, await viewWorkflow(await session.temporal(), job));
    return jobs.map((job) => {
      const status = seen.get(job.job)?.status;
      if (status === undefined || status === 'open' || status === 'completed') return job;
      if (status === 'cancelled') return { ...job, state: 'aborted' };
      return { ...job, state: 'failed', error: status === 'failed' ? job.error : 'JobTerminated' };
    });
  } catch (error) {
    orAsWritten(session, jobs, error);
    return [...jobs];
  }
}

/** Reading history must not need Temporal: what is written down is better than nothing at three in the morning. */
function orAsWritten<Written>(
  session: Session,
  written: Written | undefined,
  error: unknown,
): Written {
  const known = inOurWords(error);
  const isAway = known instanceof LockstepError && known.code === 'TemporalUnavailable';
  if (written === undefined || !isAway) throw known;
  session.note(`${known.message}: open jobs are shown as they were last written down.`);
  return written;
}

/** The document of a job that no worker has begun. */
export function unwritten(id: string, workflow: WorkflowView): JobDocument {
  return {
    job: id,
    connector: workflow.connector,
    mode: workflow.mode,
    task: workflow.task,
    extraction: null,
    state: 'running',
    simulated: workflow.simulated,
    ...(workflow.rollbackOf !== undefined && { rollbackOf: workflow.rollbackOf }),
    ...(workflow.mapping !== undefined && { mapping: workflow.mapping }),
    counts: noCounts,
    entityTypes: {},
    associations: {},
    breaches: [],
    diagnoses: [],
    error: null,
  };
}

function terminated({ status }: WorkflowView): JobError {
  const message =
    status === 'terminated'
      ? 'The workflow was terminated in Temporal'
      : 'Temporal does not know the workflow of this job any more';
  return { code: 'JobTerminated', message, hint: errorCatalogue.JobTerminated.remedy };
}

async function noSuchJob(session: Session, id: string): Promise<LockstepError> {
  const recent = await listJobs(await session.store(), { limit: 50 });
  const guess = didYouMean(
    id,
    recent.map(({ job }) => job),
  );
  const near = guess.startsWith('; did you mean') ? guess : '';
  return new LockstepError('NotFound', `There is no job “${id}”${near}`, {
    hint: 'See `lockstep jobs` for the jobs there are.',
  });
}
