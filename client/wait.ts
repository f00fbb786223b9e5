/** Waiting for a job: by its row for what it is, by Temporal for how far it is and whether it still lives. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal, type JobDocument, type JobState } from '../engine/job.ts';
import { jobState, lastDecisions } from '../store/queries/job-document.ts';
import { asClosed, unwritten } from './job-view.ts';
import { throughOutages } from './outage.ts';
import type { Session } from './session.ts';
import { type StepProgress, viewWorkflow, type WorkflowView } from './workflow-view.ts';

const pollMs = 100;
const lookMs = 1000;
const untakenMs = 5000;

/** Where a job that is waited for stands. */
export interface JobProgress {
  readonly job: string;
  readonly state: JobState;
  /** Name of the running step; undefined before the first. */
  readonly step: string | undefined;
  readonly progress: StepProgress | undefined;
}

/** How to wait. */
export interface WaitOptions {
  readonly onProgress?: ((progress: JobProgress) => void) | undefined;
  /** Gives up waiting; the job goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** The decision after which we wait. */
export interface DecidedOn {
  /** Id of the delta that was decided on: blocked on that one still, the job has not moved yet. */
  readonly deltaId: string | undefined;
  /** Given when nobody has answered yet: whether it was ignored shows in what was written down since. */
  readonly unanswered?: { readonly by: string; readonly since: Date | undefined } | undefined;
}

/** A decision counts, and others have to come before the job goes on. */
export class DecisionNoted extends Error {}

/** A decision by signal turned out to be ignored. */
export class DecisionIgnored extends Error {
  override readonly name = 'DecisionIgnored';
}

/**
 * Waits until the job ends or asks for a decision, through restarts of Temporal and PostgreSQL.
 *
 * @throws DecisionIgnored when the unanswered decision was ignored.
 */
export async function waitForJob(
  session: Session,
  id: string,
  options: WaitOptions,
  decided?: DecidedOn,
): Promise<JobDocument> {
  const { signal, onProgress } = options;
  const store = await session.store();
  const client = await session.temporal();
  const notes = new Notes(session);
  let workflow: WorkflowView | undefined;
  let looked = 0;
  while (true) {
    signal?.throwIfAborted();
    const row = await throughOutages(() => jobState(store, id), session.note, signal);
    if (row && isFinal(row.document.state)) return row.document;
    const asks = row?.document.state === 'blocked';
    if (row && asks && (decided === undefined || row.delta?.id !== decided.deltaId))
      return row.document;
    if (Date.now() - looked >= lookMs) {
      const view = await throughOutages(() => viewWorkflow(client, id), session.note, signal);
      if (view.status !== 'open') {
        const document = row?.document ?? unwritten(id, view);
        return await throughOutages(() => asClosed(session, document, view), session.note, signal);
      }
      if (decided?.unanswered) await refuseIfIgnored(session, id, decided.unanswered);
      notes.about(view);
      workflow = view;
      looked = Date.now();
    }
    if (onProgress) {
      const step = await throughOutages(() => runningStep(session, id), session.note, signal);
      const state = row?.document.state ?? 'running';
      onProgress({ job: id, state, step, progress: workflow?.progress });
    }
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
}

async function runningStep(session: Session, id: string): Promise<string | undefined> {
  const { prisma } = await session.store();
  const step = await prisma.jobStep.findFirst({
    where: { jobId: id, state: 'running' },
    orderBy: { startedAt: 'desc' },
    select: { name: true },
  });
  return step?.name;
}

async function refuseIfIgnored(
  session: Session,
  id: string,
  { by, since }: NonNullable<DecidedOn['unanswered']>,
): Promise<void> {
  const said = await throughOutages(
    async () => lastDecisions(await session.store(), id),
    session.note,
  );
  const ours = said.filter(({ claimedBy, at }) => claimedBy === by && (!since || at > since));
  const ignored = ours.find(({ effect }) => effect === 'ignored');
  // The update that nobody seemed to take may have arrived as well: then one of the two was applied.
  if (ignored && !ours.some(({ effect }) => effect === 'applied')) {
    throw new DecisionIgnored(ignored.why ?? 'it was ignored');
  }
  const noted = ours.find(({ effect }) => effect === 'noted');
  if (noted) throw new DecisionNoted(noted.why ?? 'more people have to agree');
}

/** Says once what a person who waits should know. */
class Notes {
  readonly #session: Session;
  readonly #said = new Set<string>();

  constructor(session: Session) {
    this.#session = session;
  }

  about({ untakenSince, trouble }: WorkflowView): void {
    const { taskQueue } = this.#session.settings;
    if (untakenSince && Date.now() - untakenSince.getTime() > untakenMs) {
      this.#once(
        `No worker has taken the job for 5 s (task queue “${taskQueue}”): start one with \`lockstep worker\` or \`lockstep dev\`.`,
      );
    }
    if (trouble?.code === 'ConnectorBusy') this.#once(`Waiting: ${trouble.message}.`);
    else if (trouble) {
      this.#once(`${trouble.code}: ${trouble.message}. It is tried again by itself.`);
    }
  }

  #once(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#session.note(text);
  }
}
