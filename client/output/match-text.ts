/** The import list as a table. */
import type { MatchDocument } from '../../store/queries/matches.ts';
import { type Column, table } from './table.ts';
import type { Terminal } from './terminal.ts';

const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'SITUATION' },
  { title: 'SOURCE' },
  { title: 'TARGET' },
  { title: 'RULE OR CANDIDATES' },
];

/** One table of lines of one mapping. */
export function matchesText(terminal: Terminal, lines: readonly MatchDocument[]): string {
  return table(terminal, columns, lines.map(rowOf));
}

function rowOf({ id, situation, source, target, rule, candidates }: MatchDocument): string[] {
  const several = candidates.length > 0 ? `one of ${candidates.join(', ')}?` : undefined;
  return [id ?? '–', situation, source ?? '–', target ?? '–', several ?? rule ?? ''];
}
