/** An edit for people: what it changed, line by line, and the job that did it. */
import { changesNothing } from '../../engine/counts.ts';
import type { JobDocument } from '../../engine/job.ts';
import type { Change } from '../../store/queries/changes.ts';
import { changeLine } from './change-text.ts';
import type { Terminal } from './terminal.ts';

/**
 * The outcome of an edit that succeeded.
 *
 * @param changes the first ones, of which there may be more
 * @param owners link scope → entity type at its `from` end
 */
export function editText(
  terminal: Terminal,
  { job, counts }: JobDocument,
  changes: readonly Change[],
  owners: ReadonlyMap<string, string>,
): string {
  const { colors } = terminal;
  if (changesNothing(counts)) return `${colors.dim('–')} Nothing to change: it is so already.`;
  const { inserted, updated, deleted, linksInserted, linksUpdated, linksDeleted } = counts;
  const total = inserted + updated + deleted + linksInserted + linksUpdated + linksDeleted;
  const ownerOf = (association: string) => owners.get(association) ?? association;
  const lines = changes.map((change) => changeLine(terminal, change, ownerOf));
  const more = total > changes.length ? [`  … and ${total - changes.length} more`] : [];
  const done = inserted > 0 ? 'Created' : deleted > 0 ? 'Deleted' : 'Changed';
  return [`${colors.green('✓')} ${done}  ${colors.dim(job)}`, ...lines, ...more].join('\n');
}
