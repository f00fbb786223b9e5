/** Writes down the life of a job: its begin, steps, block, decisions and end. Every call may be repeated. */
import { LockstepError } from '../engine/errors.ts';
import type { JobError, JobState, Mode, StepName, StepState } from '../engine/job.ts';
import { Prisma } from '../prisma/generated/client.ts';
import type { Store } from './database.ts';

/** A job as it begins. */
export interface NewJob {
  readonly id: string;
  readonly runId: string;
  readonly connector: string;
  readonly mode: Mode;
  readonly simulated: boolean;
  readonly trigger: 'schedule' | 'person';
  readonly requestedBy: string | null;
}

/**
 * Begins a job; one that was begun under another run of the same workflow (a reset) begins anew.
 *
 * @throws LockstepError `LeaseLost` when this run has ended already: a frozen worker must not open it again.
 */
export async function beginJob(store: Store, job: NewJob): Promise<void> {
  const fresh = { ...job, state: 'running', endedAt: null, error: Prisma.DbNull };
  const created = await store.prisma.job.createMany({ data: [fresh], skipDuplicates: true });
  if (created.count === 1) return;
  const { count } = await store.prisma.job.updateMany({
    where: { id: job.id, OR: [{ runId: { not: job.runId } }, { endedAt: null }] },
    data: fresh,
  });
  if (count === 0) throw new LockstepError('LeaseLost', 'the job has ended already');
}

/** Notes the configuration a job runs with, kept so that the same one serves the job to its end. */
export async function pinConfiguration(
  store: Store,
  jobId: string,
  configuration: { version: string; document: unknown; directory: string },
): Promise<void> {
  const { version, directory } = configuration;
  const document = configuration.document as Prisma.InputJsonValue;
  await store.prisma.configuration.upsert({
    where: { version },
    create: { version, document, directory },
    update: {},
  });
  await store.prisma.job.update({ where: { id: jobId }, data: { configurationVersion: version } });
}

/** The configuration that a job runs with. */
export async function pinnedConfiguration(
  store: Store,
  jobId: string,
): Promise<{ version: string; document: unknown; directory: string }> {
  const { configurationVersion } = await store.prisma.job.findUniqueOrThrow({
    where: { id: jobId },
  });
  return await store.prisma.configuration.findUniqueOrThrow({
    where: { version: configurationVersion ?? '' },
  });
}

/** Notes where the job's extraction is. */
export async function recordExtraction(
  store: Store,
  jobId: string,
  extraction: string,
): Promise<void> {
  await store.prisma.job.update({ where: { id: jobId }, data: { extraction } });
}

/** Notes that a step begins or changes its state; an ending state ends its clock. */
export async function recordStep(
  store: { readonly prisma: Pick<Store['prisma'], 'jobStep'> },
  jobId: string,
  name: StepName,
  state: StepState,
): Promise<void> {
  const now = new Date();
  const open = state === 'running' || state === 'blocked';
  await store.prisma.jobStep.upsert({
    where: { jobId_name: { jobId, name } },
    create: { jobId, name, state, startedAt: now, endedAt: open ? null : now },
    update: {
      state,
      endedAt: open ? null : now,
      ...(state === 'running' ? { startedAt: now } : {}),
    },
  });
}

/** Notes that a job waits at the gate. */
export async function recordBlocked(
  store: Store,
  jobId: string,
  error: JobError | null,
): Promise<void> {
  await recordStep(store, jobId, 'gate', 'blocked');
  await store.prisma.job.update({
    where: { id: jobId },
    data: { state: 'blocked', error: error === null ? Prisma.DbNull : { ...error } },
  });
}

/** One thing somebody said to a job, and what came of it. */
export interface DecisionEntry {
  readonly jobId: string;
  readonly action: string;
  readonly via: 'signal' | 'update' | 'cancel';
  readonly effect: 'applied' | 'ignored';
  readonly why: string | null;
  readonly claimedBy: string | null;
  readonly identity: string | null;
  readonly principal: string | null;
  readonly reason: string | null;
  readonly delta: string | null;
  /** Which message it was: the same one, settled again after a crash, is written down once. */
  readonly message: string;
}

/**
 * Writes a decision down, with its line in the audit log, and lets an applied resume run on. All or nothing, so that
 * repeating it after a crash is harmless; and a worker that was long frozen cannot reopen a job that has ended.
 */
export async function recordDecision(store: Store, entry: DecisionEntry): Promise<void> {
  const { message, ...decision } = entry;
  const { jobId, action, effect } = decision;
  await store.prisma.$transaction(async (prisma) => {
    // Two attempts to settle one message take turns here. A stronger lock would wait for a delta in preparation.
    await prisma.$queryRaw`select id from job where id = ${jobId} for no key update`;
    const settled = await prisma.auditEvent.findFirst({
      where: { subject: jobId, detail: { path: ['message'], equals: message } },
    });
    if (settled) return;
    await prisma.decision.create({ data: decision });
    await prisma.auditEvent.create({
      data: {
        actor: decision.principal ?? decision.identity ?? decision.claimedBy ?? 'unknown',
        action: `${action}-${effect}`,
        subject: jobId,
        detail: { ...entry },
      },
    });
    if (effect !== 'applied') return;
    const open = await prisma.job.findFirst({ where: { id: jobId, endedAt: null } });
    if (!open) return;
    await recordStep({ prisma }, jobId, 'gate', action === 'resume' ? 'succeeded' : 'aborted');
    if (action === 'resume') {
      await prisma.job.update({
        where: { id: jobId },
        data: { state: 'running', error: Prisma.DbNull },
      });
    }
  });
}

/** Ends a job, with whatever step is still open. */
export async function endJob(
  store: Store,
  jobId: string,
  state: JobState,
  error: JobError | null,
): Promise<void> {
  const openSteps = state === 'aborted' ? 'aborted' : state === 'failed' ? 'failed' : 'succeeded';
  await store.prisma.jobStep.updateMany({
    where: { jobId, endedAt: null },
    data: { state: openSteps, endedAt: new Date() },
  });
  await store.prisma.job.update({
    where: { id: jobId },
    data: { state, endedAt: new Date(), error: error === null ? Prisma.DbNull : { ...error } },
  });
}

/** True when the job ended with rejects. */
export async function hasRejects(store: Store, jobId: string): Promise<boolean> {
  return (await store.prisma.reject.findFirst({ where: { jobId }, select: { id: true } })) !== null;
}

/** True when a delta of a job was applied, by whatever attempt. */
export async function wasApplied(store: Store, jobId: string, digest: string): Promise<boolean> {
  const delta = await store.prisma.delta.findFirst({
    where: { jobId, digest, appliedAt: { not: null } },
    select: { id: true },
  });
  return delta !== null;
}
