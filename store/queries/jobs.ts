/** Lists of jobs, newest first, and who holds a connector. */
import { type Counts, noCounts } from '../../engine/counts.ts';
import type { JobState, JobTask, Mode } from '../../engine/job.ts';
import type { ReadStore } from './read-store.ts';

/** One line of the history of jobs. */
export interface JobSummary {
  readonly job: string;
  readonly connector: string;
  readonly mode: Mode;
  readonly task: JobTask;
  /** The mapping that it reconciles, if it does. */
  readonly mapping: string | null;
  readonly state: JobState;
  readonly simulated: boolean;
  readonly trigger: string;
  readonly requestedBy: string | null;
  readonly counts: Counts;
  readonly breaches: number;
  /** Code of the error that ended the job. */
  readonly error: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** Which jobs to list; all of them without. */
export interface JobFilter {
  readonly connector?: string | undefined;
  readonly mapping?: string | undefined;
  readonly state?: JobState | undefined;
  readonly limit: number;
}

/** The newest jobs first. */
export async function listJobs(store: ReadStore, filter: JobFilter): Promise<JobSummary[]> {
  const rows = await store.prisma.job.findMany({
    where: {
      ...(filter.connector !== undefined && { connector: filter.connector }),
      ...(filter.mapping !== undefined && { mapping: filter.mapping }),
      ...(filter.state !== undefined && { state: filter.state }),
    },
    orderBy: [{ startedAt: 'desc' }, { id: 'desc' }],
    take: filter.limit,
    include: {
      deltas: { orderBy: { id: 'desc' }, take: 1, select: { counts: true, breaches: true } },
    },
  });
  return rows.map(({ deltas: [delta], ...job }) => ({
    job: job.id,
    connector: job.connector,
    mode: job.mode as Mode,
    task: job.task as JobTask,
    mapping: job.mapping,
    state: job.state as JobState,
    simulated: job.simulated,
    trigger: job.trigger,
    requestedBy: job.requestedBy,
    counts: { ...noCounts, ...(delta?.counts as Partial<Counts> | undefined) },
    breaches: (delta?.breaches as unknown[] | undefined)?.length ?? 0,
    error: (job.error as { code?: string } | null)?.code ?? null,
    startedAt: job.startedAt.toISOString(),
    endedAt: job.endedAt?.toISOString() ?? null,
  }));
}

/** The job that holds a connector, with its state as recorded; undefined when the connector is free. */
export async function holderOf(
  store: ReadStore,
  connector: string,
): Promise<{ job: string; state: JobState | undefined } | undefined> {
  const lease = await store.prisma.lease.findUnique({ where: { connector } });
  if (lease?.holder == null) return undefined;
  const job = await store.prisma.job.findUnique({
    where: { id: lease.holder },
    select: { state: true },
  });
  return { job: lease.holder, state: job?.state as JobState | undefined };
}
