/** Which entity types a job has changed. */
import { type Counts, changesNothing, noCounts } from '../engine/counts.ts';
import type { Store } from './database.ts';

/** Names of what a delta has changed. */
export interface TouchedTypes {
  readonly entityTypes: readonly string[];
  readonly associations: readonly string[];
}

/** What the deltas that a job has applied changed, from their counts: the changes themselves may be millions. */
export async function touchedTypes(store: Store, jobId: string): Promise<TouchedTypes> {
  const deltas = await store.prisma.delta.findMany({
    where: { jobId, appliedAt: { not: null } },
    select: { entityTypes: true, associations: true },
  });
  const changed = (scopes: unknown) =>
    Object.entries((scopes ?? {}) as Record<string, Partial<Counts>>)
      .filter(([, counts]) => !changesNothing({ ...noCounts, ...counts }))
      .map(([scope]) => scope);
  return {
    entityTypes: deltas.flatMap(({ entityTypes }) => changed(entityTypes)),
    associations: deltas.flatMap(({ associations }) => changed(associations)),
  };
}
