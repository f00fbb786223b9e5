/** What Temporal says of the workflow of a job: whether it is open, how far it is, and what it waits for. */
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { type ErrorCode, errorCatalogue } from '../engine/errors.ts';
import { type JobError, type JobTask, type Mode, tasks } from '../engine/job.ts';
import { isUnknownToTemporal } from './temporal.ts';

/** How far the running step is. */
export interface StepProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

/** The workflow of a job, seen from outside. */
export interface WorkflowView {
  readonly status: 'open' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'unknown';
  readonly connector: string;
  readonly mode: Mode;
  readonly task: JobTask;
  readonly simulated: boolean;
  /** The job whose changes it takes back. */
  readonly rollbackOf: string | undefined;
  /** The mapping that it reconciles. */
  readonly mapping: string | undefined;
  /** Since when a task waits that no worker took. */
  readonly untakenSince: Date | undefined;
  /** Of the activity that runs now, when it told. */
  readonly progress: StepProgress | undefined;
  /** What the activity that runs now failed with when it was tried last; it is tried again by itself. */
  readonly trouble: JobError | undefined;
}

const statuses = {
  RUNNING: 'open',
  PAUSED: 'open',
  CONTINUED_AS_NEW: 'open',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'terminated',
  UNSPECIFIED: 'unknown',
  UNKNOWN: 'unknown',
} as const;

const unknownWorkflow: WorkflowView = {
  status: 'unknown',
  connector: '',
  mode: 'complete',
  task: 'all',
  simulated: false,
  rollbackOf: undefined,
  mapping: undefined,
  untakenSince: undefined,
  progress: undefined,
  trouble: undefined,
};

/** Looks at the newest run of a job's workflow. One that Temporal does not know has the status `unknown`. */
export async function viewWorkflow(client: Client, id: string): Promise<WorkflowView> {
  try {
    const { status, memo, raw } = await client.workflow.getHandle(id).describe();
    const task = raw.pendingWorkflowTask;
    const waits = task != null && task.startedTime == null;
    const activity = raw.pendingActivities?.[0];
    const failure = activity?.lastFailure;
    return {
      status: statuses[status.name],
      connector: String(memo?.['connector'] ?? id.split('.')[0]),
      mode: (memo?.['mode'] ?? id.split('.')[1] ?? 'complete') as Mode,
      task:
        ([...tasks, 'edit', 'reconcile'] as const).find((task) => task === memo?.['task']) ?? 'all',
      simulated: memo?.['simulated'] === true,
      rollbackOf: memo?.['rollbackOf'] as string | undefined,
      mapping: memo?.['mapping'] as string | undefined,
      untakenSince: waits ? toDate(task.originalScheduledTime ?? task.scheduledTime) : undefined,
      progress: readProgress(activity?.heartbeatDetails?.payloads?.[0]),
      trouble: failure ? toError(failure.applicationFailureInfo?.type, failure.message) : undefined,
    };
  } catch (error) {
    if (isUnknownToTemporal(error)) return unknownWorkflow;
    throw error;
  }
}

/** Why a workflow that is closed failed. */
export async function failureOf(client: Client, id: string): Promise<JobError> {
  try {
    await client.workflow.getHandle(id).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    let cause: Error | undefined = error;
    while (cause !== undefined && !(cause instanceof ApplicationFailure)) {
      cause = cause.cause as Error | undefined;
    }
    return toError(cause?.type, cause?.message ?? error.message);
  }
  return toError(undefined, 'the workflow ended without a word');
}

function toError(type: string | null | undefined, message: string | null | undefined): JobError {
  const code = type != null && type in errorCatalogue ? (type as ErrorCode) : 'InternalError';
  return { code, message: message ?? '', hint: errorCatalogue[code].remedy };
}

type Payload = Parameters<typeof defaultPayloadConverter.fromPayload>[0];

function readProgress(payload: unknown): StepProgress | undefined {
  if (payload == null) return undefined;
  try {
    const told = defaultPayloadConverter.fromPayload<Partial<StepProgress> | null>(
      payload as Payload,
    );
    if (typeof told?.done !== 'number' || typeof told.total !== 'number') return undefined;
    return { done: told.done, total: told.total, unit: told.unit ?? '' };
  } catch {
    // Another version's worker may say it in another way.
    return undefined;
  }
}

interface Timestamp {
  readonly seconds?: { toNumber(): number } | number | null;
  readonly nanos?: number | null;
}

function toDate(timestamp: unknown): Date {
  const { seconds, nanos } = (timestamp ?? {}) as Timestamp;
  const whole = typeof seconds === 'number' ? seconds : (seconds?.toNumber() ?? 0);
  return new Date(whole * 1000 + (nanos ?? 0) / 1e6);
}
