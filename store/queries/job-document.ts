/** The document of a job, as every command prints it, and what a reader of its history wants beside it. */
import type { ConfigurationChange } from '../../engine/configuration-change.ts';
import { type Counts, noCounts } from '../../engine/counts.ts';
import type { Diagnosis } from '../../engine/diagnosis/diagnosis.ts';
import type {
  JobDocument,
  JobError,
  JobState,
  JobTask,
  Mode,
  ProvisioningCounts,
  StepName,
  StepState,
} from '../../engine/job.ts';
import { type Situation, situations } from '../../engine/mapping.ts';
import type { Breach } from '../../engine/threshold.ts';
import type { ReadStore } from './read-store.ts';

/** One step of a job, with its timing. */
export interface StepRecord {
  readonly name: StepName;
  readonly state: StepState;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** What somebody said to a job, and what came of it. */
export interface DecisionRecord {
  readonly action: 'resume' | 'abort';
  readonly via: string;
  readonly effect: 'applied' | 'noted' | 'ignored';
  readonly why: string | null;
  readonly claimedBy: string | null;
  readonly identity: string | null;
  readonly principal: string | null;
  readonly reason: string | null;
  readonly delta: string | null;
  readonly at: Date;
}

/** A job with everything that is known of it. */
export interface JobRecord {
  readonly document: JobDocument;
  /** Jobs that took changes of this one back, oldest first. */
  readonly rolledBackBy: readonly string[];
  readonly trigger: string;
  readonly requestedBy: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly steps: readonly StepRecord[];
  readonly decisions: readonly DecisionRecord[];
  /** The newest delta: what a decision is about. Absent until the job is prepared. */
  readonly delta: { readonly id: string; readonly digest: string } | null;
  /** Rejects by code, most first. */
  readonly rejects: Readonly<Record<string, number>>;
}

/** The document of a job, or undefined when the store knows no such job. */
export async function jobDocument(store: ReadStore, id: string): Promise<JobDocument | undefined> {
  return (await jobState(store, id))?.document;
}

/** The document of a job with the delta it is about: two statements at most, fit for being asked often. */
export async function jobState(
  store: ReadStore,
  id: string,
): Promise<Pick<JobRecord, 'document' | 'delta'> | undefined> {
  const job = await store.prisma.job.findUnique({
    where: { id },
    include: { deltas: { orderBy: { id: 'desc' }, take: 1 } },
  });
  if (job === null) return undefined;
  const document = toDocument(job, await provisioningOf(store, job));
  return { document, delta: toDelta(job.deltas[0]) };
}

/** A job with its steps, decisions and rejects. */
export async function jobRecord(store: ReadStore, id: string): Promise<JobRecord | undefined> {
  const job = await store.prisma.job.findUnique({
    where: { id },
    include: {
      deltas: { orderBy: { id: 'desc' }, take: 1 },
      steps: { orderBy: { startedAt: 'asc' } },
    },
  });
  if (job === null) return undefined;
  const [decisions, rejects, rollbacks, provisioning] = await Promise.all([
    lastDecisions(store, id, 100),
    store.prisma.reject.groupBy({
      by: ['code'],
      where: { jobId: id },
      _count: true,
      orderBy: { _count: { code: 'desc' } },
    }),
    store.prisma.job.findMany({
      where: { rollbackOf: id, deltas: { some: { appliedAt: { not: null } } } },
      orderBy: { startedAt: 'asc' },
      select: { id: true },
    }),
    provisioningOf(store, job),
  ]);
  return {
    document: toDocument(job, provisioning),
    delta: toDelta(job.deltas[0]),
    rolledBackBy: rollbacks.map((rollback) => rollback.id),
    trigger: job.trigger,
    requestedBy: job.requestedBy,
    startedAt: job.startedAt,
    endedAt: job.endedAt,
    steps: job.steps.map(({ name, state, startedAt, endedAt }) => ({
      name: name as StepName,
      state: state as StepState,
      startedAt,
      endedAt,
    })),
    decisions: decisions.toReversed(),
    rejects: Object.fromEntries(rejects.map(({ code, _count }) => [code, _count])),
  };
}

/** What was said to a job, newest first. */
export async function lastDecisions(
  store: ReadStore,
  jobId: string,
  limit = 20,
): Promise<DecisionRecord[]> {
  const rows = await store.prisma.decision.findMany({
    where: { jobId },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map(({ id: _, jobId: __, ...said }) => said as DecisionRecord);
}

interface JobRow {
  readonly id: string;
  readonly connector: string;
  readonly mode: string;
  readonly task: string;
  readonly extraction: string | null;
  readonly state: string;
  readonly simulated: boolean;
  readonly rollbackOf: string | null;
  readonly mapping: string | null;
  readonly error: unknown;
  readonly diagnoses: unknown;
  readonly deltas: readonly DeltaRow[];
}

interface DeltaRow {
  readonly id: bigint;
  readonly digest: string;
  readonly counts: unknown;
  readonly entityTypes: unknown;
  readonly associations: unknown;
  readonly breaches: unknown;
  readonly diagnoses: unknown;
  readonly configurationChanges: unknown;
  readonly situations: unknown;
}

function toDocument(job: JobRow, provisioning: ProvisioningCounts | undefined): JobDocument {
  const delta = job.deltas[0];
  return {
    job: job.id,
    connector: job.connector,
    mode: job.mode as Mode,
    task: job.task as JobTask,
    extraction: job.extraction,
    state: job.state as JobState,
    simulated: job.simulated,
    ...(job.rollbackOf !== null && { rollbackOf: job.rollbackOf }),
    ...(job.mapping !== null && { mapping: job.mapping, ...situationsOf(delta) }),
    ...(provisioning && { provisioning }),
    counts: inOrder(delta?.counts),
    entityTypes: countsByScope(delta?.entityTypes),
    associations: countsByScope(delta?.associations),
    breaches: ((delta?.breaches ?? []) as Breach[]).map(
      ({ threshold, scope, planned, allowed, base }) => ({
        threshold,
        scope,
        planned,
        allowed,
        base,
      }),
    ),
    ...configurationChangesOf(delta),
    diagnoses: [job.diagnoses, delta?.diagnoses ?? []].flat() as Diagnosis[],
    error: (job.error ?? null) as JobError | null,
  };
}

/** What became of the writes of the newest delta; undefined while it has none. */
async function provisioningOf(
  { prisma }: ReadStore,
  { mapping, deltas: [delta] }: Pick<JobRow, 'mapping' | 'deltas'>,
): Promise<ProvisioningCounts | undefined> {
  if (mapping === null || delta === undefined) return undefined;
  const states = await prisma.provisioning.groupBy({
    by: ['state'],
    where: { deltaId: delta.id },
    _count: true,
  });
  if (states.length === 0) return undefined;
  const count = (wanted: string) => states.find(({ state }) => state === wanted)?._count ?? 0;
  return {
    applied: count('applied'),
    notApplied: count('not-applied'),
    failed: count('failed'),
  };
}

function configurationChangesOf(
  delta: DeltaRow | undefined,
): Pick<JobDocument, 'configurationChanges'> {
  const changes = (delta?.configurationChanges ?? []) as ConfigurationChange[];
  if (changes.length === 0) return {};
  return {
    configurationChanges: changes.map(({ change, scope, detail }) => ({ change, scope, detail })),
  };
}

function situationsOf(delta: DeltaRow | undefined): Pick<JobDocument, 'situations'> {
  const counted = (delta?.situations ?? {}) as Partial<Record<Situation, number>>;
  return {
    situations: Object.fromEntries(
      situations.flatMap((each) => (counted[each] ? [[each, counted[each]]] : [])),
    ),
  };
}

/** PostgreSQL keeps the members of JSON in an order of its own; people read ours. */
function inOrder(counts: unknown): Counts {
  return { ...noCounts, ...(counts as Partial<Counts> | undefined) };
}

function countsByScope(stored: unknown): Record<string, Counts> {
  const scopes = Object.entries((stored ?? {}) as Record<string, unknown>).sort();
  return Object.fromEntries(scopes.map(([scope, counts]) => [scope, inOrder(counts)]));
}

function toDelta(delta: DeltaRow | undefined): JobRecord['delta'] {
  return delta === undefined ? null : { id: String(delta.id), digest: delta.digest };
}
