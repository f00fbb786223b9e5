/** Starting a job by hand, and waiting for it. */
import { randomInt } from 'node:crypto';
import { didYouMean } from '../config/finding.ts';
import { withoutIncremental } from '../engine/connector-kind.ts';
import { LockstepError } from '../engine/errors.ts';
import { type JobDocument, type Mode, type Task, usesKeptExtraction } from '../engine/job.ts';
import { extractionMode } from '../store/queries/extractions.ts';
import { holderOf } from '../store/queries/jobs.ts';
import { manualJobId, syncJobType } from '../workflows/identifiers.ts';
import type { SyncJobRequest } from '../workflows/messages.ts';
import { viewJob } from './job-view.ts';
import type { Session } from './session.ts';
import { startJobWorkflow } from './start-job.ts';
import { type WaitOptions, waitForJob } from './wait.ts';
import { viewWorkflow } from './workflow-view.ts';

/** What to run and how. */
export interface RunOptions extends WaitOptions {
  /** Default `complete`, or that of the chosen extraction. */
  readonly mode?: Mode | undefined;
  /** One task alone. Default `all`. */
  readonly task?: Task | undefined;
  /** Of `prepare` and `synchronize`: the id of a kept extraction, or of a job with one. Default: the last one. */
  readonly extraction?: string | undefined;
  /** Stop at the gate: everything is compared and counted, nothing is written. */
  readonly simulate?: boolean | undefined;
  /** Default true. Without, the job queues behind one that is blocked. */
  readonly wait?: boolean | undefined;
  /** Who asks. Default: the session's identity. */
  readonly by?: string | undefined;
  /** Called with the job's id as soon as it is started. */
  readonly onStart?: ((job: string) => void) | undefined;
}

/**
 * Runs one job of a connector; resolves when it ended or blocked, or at once without `wait`.
 *
 * A job that fails is not an error of this call: its document says so.
 *
 * @throws LockstepError `NotFound`, `UsageInvalid`, `IncrementalUnsupported`, `ConnectorBusy`, before anything is started.
 */
export async function runJob(
  session: Session,
  connector: string,
  options: RunOptions,
): Promise<JobDocument> {
  const { wait = true } = options;
  refuseUnfit(options);
  await requireEnabled(session, connector);
  const mode = options.mode ?? (await modeOfChosen(session, options)) ?? 'complete';
  await requireMode(session, connector, mode);
  // An incremental job that finds its connector taken ends as skipped: there is nothing to wait for.
  if (wait && mode === 'complete') await refuseIfBlocked(session, connector);
  const job = await startJob(session, connector, { ...options, mode });
  options.onStart?.(job);
  return wait ? await waitForJob(session, job, options) : (await viewJob(session, job)).document;
}

/** What {@link startJob} starts: a job that reads its connected system, or one that takes another one back. */
interface StartOptions extends RunOptions {
  readonly mode: Mode;
  readonly rollbackOf?: string;
}

/** Starts the workflow of a job. @returns its id */
export async function startJob(
  session: Session,
  connector: string,
  options: StartOptions,
): Promise<string> {
  const { mode, task = 'all', extraction, simulate, rollbackOf, by = session.identity } = options;
  const workflowId = manualJobId(
    connector,
    rollbackOf === undefined ? mode : 'rollback',
    new Date(),
    randomSuffix(),
    task,
  );
  const request: SyncJobRequest = {
    connector,
    mode,
    trigger: 'person',
    by,
    ...(task !== 'all' && { task }),
    ...(extraction !== undefined && { extraction }),
    ...(simulate && { simulate }),
    ...(rollbackOf !== undefined && { rollbackOf }),
  };
  await startJobWorkflow(session, {
    ...{ type: syncJobType, id: workflowId, request, connector, mode, task },
    memo: {
      ...(task !== 'all' && { task }),
      simulated: simulate === true || task === 'prepare',
      by,
      ...(rollbackOf !== undefined && { rollbackOf }),
    },
    summary: `${connector}, ${rollbackOf === undefined ? mode : `rollback of ${rollbackOf}`}${task === 'all' ? '' : `, ${task} alone`}${simulate ? ', simulated' : ''}, by ${by}`,
  });
  return workflowId;
}

/** @throws LockstepError `UsageInvalid` for options that do not go together */
function refuseUnfit({ task = 'all', extraction, simulate }: RunOptions): void {
  if (simulate && task === 'export') {
    throw new LockstepError('UsageInvalid', 'An export alone writes nothing to the store', {
      hint: 'Leave --simulate out, or use --task all --simulate.',
    });
  }
  if (extraction !== undefined && task !== 'prepare' && task !== 'synchronize') {
    const why = usesKeptExtraction(task) ? 'works on what was loaded last' : 'makes its own';
    throw new LockstepError('UsageInvalid', `The task ${task} takes no extraction: it ${why}`, {
      hint: 'Choose an extraction with --task prepare or --task synchronize.',
    });
  }
}

/** @throws LockstepError `NotFound` when the chosen extraction is not there */
async function modeOfChosen(
  session: Session,
  { extraction }: RunOptions,
): Promise<Mode | undefined> {
  if (extraction === undefined) return undefined;
  const mode = await extractionMode(await session.store(), extraction);
  if (mode !== undefined) return mode;
  throw new LockstepError('NotFound', `There is no extraction “${extraction}”`, {
    hint: 'See `lockstep extractions` for those that are kept.',
  });
}

async function requireMode(session: Session, connector: string, mode: Mode): Promise<void> {
  const { kind, modes } = await requireConnector(session, connector);
  if (!modes.includes(mode)) {
    throw new LockstepError(
      'IncrementalUnsupported',
      `“${connector}” is a ${kind} connector, ${withoutIncremental(kind)}`,
      {
        hint: `Run \`lockstep run ${connector} --mode complete\`: unchanged rows cost next to nothing.`,
      },
    );
  }
}

/** @throws LockstepError `NotFound` that names the nearest connector there is. */
export async function requireConnector(session: Session, connector: string) {
  const { connectors } = await session.configuration();
  const settings = connectors.get(connector);
  if (settings) return settings;
  throw new LockstepError(
    'NotFound',
    `There is no connector “${connector}”${didYouMean(connector, [...connectors.keys()])}`,
    { hint: `Connectors are listed in ${session.settings.configurationFile}.` },
  );
}

/** @throws LockstepError `NotFound`; `ConnectorDisabled` before anything is started */
export async function requireEnabled(session: Session, connector: string): Promise<void> {
  const { name, enabled } = await requireConnector(session, connector);
  if (!enabled) throw new LockstepError('ConnectorDisabled', `“${name}” is disabled`);
}

export async function refuseIfBlocked(session: Session, connector: string): Promise<void> {
  const holder = await holderOf(await session.store(), connector);
  if (holder?.state !== 'blocked') return;
  // A terminated job cannot give its connector back; the next one takes it.
  if ((await viewWorkflow(await session.temporal(), holder.job)).status !== 'open') return;
  throw new LockstepError(
    'ConnectorBusy',
    `“${connector}” is held by ${holder.job}, which is blocked and waits for a decision`,
    {
      hint: `Decide first: \`lockstep resume ${holder.job}\` or \`lockstep abort ${holder.job}\`; or queue behind it with --no-wait.`,
    },
  );
}

/** Four characters that make an id of this second unique. */
export function randomSuffix(): string {
  return randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0');
}
