/** Removes extractions that are older than they are kept, and what dead exports left. */
import {
  type ExtractionEntry,
  extractionEntries,
  removeExtraction,
} from '../connectors/extraction.ts';
import {
  auditRemoval,
  giveUpExtraction,
  notedExtractions,
  outdatedExtractions,
} from '../store/extraction-retention.ts';
import type { ActivityDependencies } from './dependencies.ts';

/** What is to go. */
export interface Retention {
  readonly connector: string;
  /** Extractions made before this may go, unless they are needed. */
  readonly before: Date;
  /** Who removes them, for the audit log. */
  readonly actor: string;
  /** How many at most, so that nobody waits for it. Default: all. */
  readonly limit?: number;
}

type Dependencies = Pick<ActivityDependencies, 'store' | 'extractions'>;

/** An export that has not touched its directory for this long is dead. */
const unfinishedMs = 24 * 3_600_000;

/** @returns how many directories were removed */
export async function removeOldExtractions(
  { store, extractions }: Dependencies,
  { connector, before, actor, limit = 100_000 }: Retention,
): Promise<number> {
  const removed: string[] = [];
  for (const id of await outdatedExtractions(store.pool, { connector, before, limit })) {
    if (!(await giveUpExtraction(store, id))) continue;
    await removeExtraction(extractions, id);
    removed.push(id);
  }
  const left = await leftovers({ store, extractions }, connector, before);
  for (const { id } of left.slice(0, limit)) {
    await removeExtraction(extractions, id);
    removed.push(id);
  }
  if (removed.length > 0) await auditRemoval(store.pool, actor, { before, extractions: removed });
  return removed.length;
}

/** Directories that no kept extraction has: of dead exports, and what a crash in the middle of a removal left. */
async function leftovers(
  { store, extractions }: Dependencies,
  connector: string,
  before: Date,
): Promise<ExtractionEntry[]> {
  const entries = await extractionEntries(extractions, connector);
  const { kept, removed } = await notedExtractions(
    store,
    entries.map(({ id }) => id),
  );
  const dead = Date.now() - unfinishedMs;
  return entries.filter(({ id, isUnfinished, changedAt }) => {
    if (kept.has(id)) return false;
    if (isUnfinished) return changedAt.getTime() < dead;
    // The store may have been set back in time: what it does not know is kept as long as what it does.
    return removed.has(id) || changedAt < before;
  });
}
