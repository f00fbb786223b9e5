/** Extractions for people: a table, newest first. */
import type { ExtractionSummary } from '../../store/queries/extractions.ts';
import { ago } from './duration.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

const right = 'right' as const;

export function extractionsText(
  terminal: Terminal,
  extractions: readonly ExtractionSummary[],
  now: Date,
): string {
  if (extractions.length === 0)
    return 'No extractions are kept. Every job of a connector leaves one.';
  const columns = [
    { title: 'Extraction' },
    { title: 'Mode' },
    { title: 'Made' },
    { title: 'Rows', align: right },
    { title: 'Bytes', align: right },
    { title: 'Loaded' },
  ];
  const number = (value: number | null) =>
    value === null ? '?' : value.toLocaleString('en-US').replaceAll(',', ' ');
  const rows = extractions.map(
    ({ extraction, mode, createdAt, rows: records, bytes, loadedAt }) => [
      extraction,
      mode,
      ago(new Date(createdAt), now),
      number(records),
      number(bytes),
      loadedAt === null ? terminal.colors.dim('never') : ago(new Date(loadedAt), now),
    ],
  );
  return table(terminal, columns, rows);
}
