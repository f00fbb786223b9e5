/** Writes down the life of a job: its begin, steps, block, decisions and end. Every call may be repeated. */
import type { Diagnosis } from '../engine/diagnosis/diagnosis.ts';
import { LockstepError } from '../engine/errors.ts';
import type { JobError, JobState, JobTask, Mode, StepName, StepState } from '../engine/job.ts';
import { Prisma } from '../prisma/generated/client.ts';
import type { Store } from './database.ts';

/** A job as it begins. */
export interface NewJob {
  readonly id: string;
  readonly runId: string;
  readonly connector: string;
  readonly mode: Mode;
  readonly task: JobTask;
  readonly simulated: boolean;
  readonly trigger: 'schedule' | 'person';
  readonly requestedBy: string | null;
  /** Id of the job whose changes this one takes back. */
  readonly rollbackOf: string | null;
  /** The mapping that it reconciles. */
  readonly mapping?: string;
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

/** A configuration as it is kept for its jobs; the version is a digest of the rest. */
export interface PinnedConfiguration {
  readonly version: string;
  readonly document: unknown;
  readonly directory: string;
}

/** Notes the configuration a job runs with, kept so that the same one serves the job to its end. */
export async function pinConfiguration(
  store: Store,
  jobId: string,
  { version, document, directory }: PinnedConfiguration,
): Promise<void> {
  const pin = `update job set configuration_version = $2
    where id = $1 and exists (select from configuration where version = $2)`;
  const { rowCount } = await store.pool.query(pin, [jobId, version]);
  if (rowCount === 1) return;
  await store.prisma.configuration.upsert({
    where: { version },
    create: { version, document: document as Prisma.InputJsonValue, directory },
    update: {},
  });
  await store.pool.query(pin, [jobId, version]);
}

/** The configuration that a job runs with. */
export async function pinnedConfiguration(
  store: Store,
  jobId: string,
): Promise<PinnedConfiguration> {
  const { rows } = await store.pool.query<PinnedConfiguration>(
    `select version, document, directory from configuration
     where version = (select configuration_version from job where id = $1)`,
    [jobId],
  );
  const [configuration] = rows;
  if (!configuration) throw new Error('the job has no configuration');
  return configuration;
}

/** SQL: writes step $2 of job $1 in state $3; an ending state ends its clock, `running` starts it anew. */
const writeStep = `insert into job_step as s (job_id, name, state, started_at, ended_at)
  values ($1, $2, $3, now(), case when $3 in ('running', 'blocked') then null else now() end)
  on conflict (job_id, name) do update set state = excluded.state, ended_at = excluded.ended_at,
    started_at = case when excluded.state = 'running' then excluded.started_at else s.started_at end`;

/** Notes that a step begins or changes its state. */
export async function recordStep(
  { pool }: Pick<Store, 'pool'>,
  jobId: string,
  name: StepName,
  state: StepState,
): Promise<void> {
  await pool.query(writeStep, [jobId, name, state]);
}

/** Notes why a job stopped before there was a delta. */
export async function recordDiagnoses(
  { pool }: Pick<Store, 'pool'>,
  jobId: string,
  diagnoses: readonly Diagnosis[],
): Promise<void> {
  await pool.query('update job set diagnoses = $2 where id = $1', [
    jobId,
    JSON.stringify(diagnoses),
  ]);
}

/** Notes that a job waits at the gate. */
export async function recordBlocked(
  store: Store,
  jobId: string,
  error: JobError | null,
): Promise<void> {
  await store.pool.query(
    `with gate as (${writeStep}) update job set state = $3, error = $4 where id = $1`,
    [jobId, 'gate', 'blocked', asJson(error)],
  );
}

/** One thing somebody said to a job, and what came of it. */
export interface DecisionEntry {
  readonly jobId: string;
  readonly action: string;
  readonly via: 'signal' | 'update' | 'cancel';
  readonly effect: 'applied' | 'noted' | 'ignored';
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
  const { jobId, action, via, effect, why, claimedBy, identity, principal, reason, delta } = entry;
  await store.transaction('read committed', async (session) => {
    // Two attempts to settle one message take turns here. A stronger lock would wait for a delta in preparation.
    const { rows } = await session.query<{ open: boolean }>(
      'select ended_at is null as open from job where id = $1 for no key update',
      [jobId],
    );
    const { rowCount } = await session.query(
      `with line as (
         insert into audit_event (actor, action, subject, detail)
         select $2, $3, $1, $4::jsonb where not exists (
           select from audit_event where subject = $1 and detail ->> 'message' = $4::jsonb ->> 'message')
         returning id)
       insert into decision
         (job_id, action, via, effect, why, claimed_by, identity, principal, reason, delta)
       select $1, $5, $6, $7, $8, $9, $10, $11, $12, $13 from line`,
      [
        jobId,
        principal ?? identity ?? claimedBy ?? 'unknown',
        `${action}-${effect}`,
        JSON.stringify(entry),
        ...[action, via, effect, why, claimedBy, identity, principal, reason, delta],
      ],
    );
    const settledBefore = rowCount === 0;
    if (settledBefore || effect !== 'applied' || !rows[0]?.open) return;
    const resumed = action === 'resume';
    await session.query(
      `with gate as (${writeStep}) update job set state = 'running', error = null where id = $1 and $4`,
      [jobId, 'gate', resumed ? 'succeeded' : 'aborted', resumed],
    );
  });
}

/** Who has agreed to load a delta so far, by what Temporal knows of them. */
export async function agreedBefore(
  store: Store,
  jobId: string,
  delta: string | null,
): Promise<{ who: string; effect: string }[]> {
  const { rows } = await store.pool.query<{ who: string; effect: string }>(
    `select coalesce(principal, identity) as who, effect from decision
     where job_id = $1 and delta = $2 and action = 'resume' and effect in ('noted', 'applied')
       and coalesce(principal, identity) is not null`,
    [jobId, delta],
  );
  return rows;
}

/** How a job ended. */
export interface Outcome {
  readonly state: JobState;
  readonly error: JobError | null;
  /** There was nothing to load, so that step is noted as skipped. */
  readonly loadSkipped?: boolean;
}

/**
 * Ends a job, with whatever step is still open.
 *
 * @returns its state: a success becomes `succeeded-with-rejects` when it has any
 */
export async function endJob(
  store: Store,
  jobId: string,
  { state, error, loadSkipped = false }: Outcome,
): Promise<JobState> {
  const openSteps = state === 'aborted' || state === 'failed' ? state : 'succeeded';
  const { rows } = await store.pool.query<{ state: JobState }>(
    `with job_ended as (
       update job set ended_at = now(), error = $3, state = case
         when $2 = 'succeeded' and (exists (select from reject where job_id = $1) or exists (
             select from provisioning p join delta d on d.id = p.delta_id
             where d.job_id = $1 and p.state in ('not-applied', 'failed'))) then 'succeeded-with-rejects'
         else $2 end
       where id = $1 returning id, state),
     steps_ended as (
       update job_step s set state = $4, ended_at = now() from job_ended j
       where s.job_id = j.id and s.ended_at is null),
     load_skipped as (
       insert into job_step (job_id, name, state, started_at, ended_at)
       select id, 'load', 'skipped', now(), now() from job_ended where $5
       on conflict (job_id, name) do nothing)
     select state from job_ended`,
    [jobId, state, asJson(error), openSteps, loadSkipped],
  );
  const [ended] = rows;
  if (!ended) throw new Error('there is no such job');
  return ended.state;
}

/** True when a job stops at the gate. */
export async function isSimulated(store: Store, jobId: string): Promise<boolean> {
  const job = await store.prisma.job.findUnique({
    where: { id: jobId },
    select: { simulated: true },
  });
  return job?.simulated === true;
}

/** Open jobs of a mapping, older than this one, that have not begun to look at anything: they will see what it would. */
export async function reconciliationsBefore(
  store: Store,
  mapping: string,
  jobId: string,
): Promise<string[]> {
  const { rows } = await store.pool.query<{ id: string }>(
    `select j.id from job j join job me on me.id = $2
     where j.mapping = $1 and j.id <> $2 and j.ended_at is null and not j.simulated
       and (j.started_at, j.id) < (me.started_at, me.id)
       and not exists (select from job_step s where s.job_id = j.id)`,
    [mapping, jobId],
  );
  return rows.map(({ id }) => id);
}

/** True when a delta of a job was applied, by whatever attempt. */
export async function wasApplied(store: Store, jobId: string, digest: string): Promise<boolean> {
  const delta = await store.prisma.delta.findFirst({
    where: { jobId, digest, appliedAt: { not: null } },
    select: { id: true },
  });
  return delta !== null;
}

function asJson(error: JobError | null): string | null {
  return error === null ? null : JSON.stringify(error);
}
