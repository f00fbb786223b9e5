/** Which cursors an incremental export goes on from, and where a loaded file moves them. */
import type { Configuration } from '../config/configuration.ts';
import { type CursorMove, noteCursor, readCursors } from '../store/cursor-store.ts';
import type { Store } from '../store/database.ts';
import type { Plan } from '../store/plan.ts';
import { digestOfMeaning, type MappedSource } from './mapped-source.ts';

/**
 * Source → the cursor that all that is mapped to it share. A source that has been mapped in another way since, or is
 * mapped to something that was never loaded, has none: it is read completely.
 */
export async function sharedCursors(
  store: Store,
  { entityTypes, associations }: Configuration,
  connector: string,
): Promise<Map<string, string>> {
  const stored = await readCursors(store, connector);
  const types = [...entityTypes.values()];
  const cursors = new Map<string, Set<string | undefined>>();
  for (const mapped of [...types, ...associations.values()]) {
    if (mapped.connector !== connector) continue;
    const meaning = `${digestOfMeaning(mapped, types)} `;
    const value = stored.get(mapped.name);
    const cursor = value?.startsWith(meaning) ? value.slice(meaning.length) : undefined;
    cursors.set(mapped.source.name, (cursors.get(mapped.source.name) ?? new Set()).add(cursor));
  }
  const shared = new Map<string, string>();
  for (const [source, all] of cursors) {
    const [cursor] = all;
    if (all.size === 1 && cursor !== undefined) shared.set(source, cursor);
  }
  return shared;
}

/** Makes a delta move the cursor of what it was prepared from, where its file has one. */
export async function moveCursor(
  plan: Plan,
  { name, meaning, file: { cursor, since } }: MappedSource,
): Promise<void> {
  if (cursor === undefined) return;
  const move: CursorMove = {
    scope: name,
    value: `${meaning} ${cursor}`,
    since: since === undefined ? null : `${meaning} ${since}`,
  };
  await noteCursor(plan, move);
}
