/** Every delta that is kept of a job, oldest first, in numbers; and how much its export read. */
import { type Counts, noCounts } from '../../engine/counts.ts';
import type { Breach } from '../../engine/threshold.ts';
import type { ReadStore } from './read-store.ts';

/** One delta of a job. */
export interface DeltaRecord {
  readonly preparedAt: Date;
  readonly appliedAt: Date | null;
  readonly counts: Counts;
  readonly breaches: readonly Breach[];
}

/** The deltas of a job; of those prepared again, only what somebody decided on is kept. */
export async function jobDeltas(store: ReadStore, jobId: string): Promise<DeltaRecord[]> {
  const rows = await store.prisma.delta.findMany({
    where: { jobId },
    orderBy: { id: 'asc' },
    select: { preparedAt: true, appliedAt: true, counts: true, breaches: true },
  });
  return rows.map(({ counts, breaches, ...when }) => ({
    ...when,
    counts: { ...noCounts, ...(counts as Partial<Counts>) },
    breaches: (breaches ?? []) as unknown as Breach[],
  }));
}

/** What a job's own export left, in numbers; undefined when it made none, or that was not noted. */
export async function jobExport(
  store: ReadStore,
  jobId: string,
): Promise<{ rows: number; bytes: number } | undefined> {
  const made = await store.prisma.extraction.findFirst({
    where: { jobId },
    select: { rows: true, bytes: true },
  });
  if (made?.rows == null || made.bytes == null) return undefined;
  return { rows: Number(made.rows), bytes: Number(made.bytes) };
}
