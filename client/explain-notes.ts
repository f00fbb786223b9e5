/** What a person should know first of a resource: what state it is in, and what stands between its row and the store. */
import type { ResourceChange } from '../store/queries/changes.ts';
import type { PendingLink, RejectedRow } from '../store/queries/provenance.ts';
import type { HistoryEntry } from '../store/queries/resource-history.ts';
import type { FoundSource } from './found-source.ts';

/** `not loaded`: an extraction has it, the store does not yet. `pending`: only links speak of it. */
export type ExplainedState = 'stored' | 'deleted' | 'rejected' | 'pending' | 'not loaded';

/** What is known of a key. */
export interface Facts {
  readonly isStored: boolean;
  /** Somebody other than a load has written to it since. */
  readonly isEdited: boolean;
  readonly found: FoundSource | undefined;
  /** Newest first. */
  readonly changes: readonly HistoryEntry<ResourceChange>[];
  readonly rejects: readonly RejectedRow[];
  readonly pendingLinks: readonly PendingLink[];
}

/** Undefined for a key of which nothing is known. */
export function stateOf({
  isStored,
  found,
  changes,
  rejects,
  pendingLinks,
}: Facts): ExplainedState | undefined {
  if (isStored) return 'stored';
  const applied = changes.find(({ at }) => at !== null);
  const [reject] = rejects;
  if (reject && (applied?.at ?? '') < reject.at) return 'rejected';
  // Deleted by a job; or inserted by one, and taken away by nobody we know.
  if (applied) return 'deleted';
  const exported = (found?.loaded.total ?? 0) + (found?.newer?.records.total ?? 0);
  if (changes.length + exported > 0) return 'not loaded';
  return pendingLinks.length > 0 ? 'pending' : undefined;
}

/** Why a value that was read is not the one that is stored; null when nothing is known that would tell. */
export function whyNotAsRead({ isEdited, found, changes, rejects }: Facts): string | null {
  const load = found?.source;
  const rejected = rejects.find(({ job }) => job === load?.job);
  if ((found?.loaded.total ?? 0) > 1) return 'several rows have this key, so none of them was used';
  if (rejected) return `its row was set aside by ${rejected.job}, so what is stored was kept`;
  if (isEdited) return 'somebody other than Lockstep has written to it since';
  const last = changes.find(({ at }) => at !== null);
  if (last && load && last.job !== load.job) return `${last.job} changed it`;
  return null;
}

/** Sentences, the most important first. */
export function notesOf(facts: Facts): string[] {
  return [...goneNotes(facts), ...rowNotes(facts), ...aheadNotes(facts)];
}

function goneNotes({ isStored, changes }: Facts): string[] {
  const last = changes.find(({ at }) => at !== null);
  if (isStored || !last) return [];
  return [
    last.change.change === 'delete'
      ? `It was deleted by ${last.job}.`
      : `It was there after ${last.job}, and was deleted by somebody other than Lockstep.`,
  ];
}

function rowNotes({ isStored, isEdited, found, rejects }: Facts): string[] {
  const notes: string[] = [];
  const load = found?.source;
  if (isStored && isEdited) {
    const since = 'Somebody other than Lockstep has written to it since it was loaded.';
    const next =
      'The next complete job compares it again and makes it as the source says, through the gate.';
    // No source says how it should be of what is managed here.
    notes.push(found ? `${since} ${next}` : since);
  }
  const rejected = rejects.find(({ job }) => job === load?.job);
  if (rejected) {
    const kept = isStored ? '; what is stored was kept as it was' : '';
    notes.push(`${rejected.job} set its row aside: ${rejected.message} (${rejected.code})${kept}.`);
  }
  const total = found?.loaded.total ?? 0;
  if (total > 1)
    notes.push(`${total} rows of ${load?.source} have its key, so none of them was used.`);
  return notes;
}

function aheadNotes({ found, changes }: Facts): string[] {
  const notes: string[] = [];
  if (found?.newer) {
    const { extraction, job, state, records } = found.newer;
    const [row] = records.rows;
    const holds = row
      ? `line ${row.place.line} of ${row.place.file} has its key`
      : 'no row with its key was found there';
    notes.push(`A newer extraction, ${extraction}, was not loaded (${job} is ${state}); ${holds}.`);
  }
  const planned = changes.find(({ at }) => at === null);
  if (planned) {
    notes.push(`${planned.job}, which is blocked, plans to ${planned.change.change} it.`);
  }
  if (found?.isMappedAsToday === false) {
    notes.push(
      'lockstep.yaml maps this entity type in another way since: what is told here is how that job read it.',
    );
  }
  return notes;
}
