/** The counters of a job: of source rows, of resources and of links. */

/** What one job (or one entity type or association of it) read and would change. All are numbers of rows or links. */
export interface Counts {
  /** Source rows read, the header not counted. */
  readonly read: number;
  /** Rejects listed: rows set aside, and rows used without a link whose target is unknown. */
  readonly rejected: number;
  /** Resources (of an association: links) that the source confirms as they are stored. */
  readonly unchanged: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly linksInserted: number;
  readonly linksUpdated: number;
  readonly linksDeleted: number;
}

export const noCounts: Counts = {
  read: 0,
  rejected: 0,
  unchanged: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
  linksInserted: 0,
  linksUpdated: 0,
  linksDeleted: 0,
};

/** The counters, in the order in which they are printed. */
export const counterNames = Object.keys(noCounts) as readonly (keyof Counts)[];

/** Adds counts field by field. */
export function sumCounts(all: Iterable<Partial<Counts>>): Counts {
  const sum: Record<keyof Counts, number> = { ...noCounts };
  for (const counts of all) {
    for (const name of counterNames) sum[name] += counts[name] ?? 0;
  }
  return sum;
}

/** True when the delta changes neither a resource nor a link. */
export function changesNothing(counts: Counts): boolean {
  const { inserted, updated, deleted, linksInserted, linksUpdated, linksDeleted } = counts;
  return inserted + updated + deleted + linksInserted + linksUpdated + linksDeleted === 0;
}
