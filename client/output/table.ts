/** Tables: with cli-table3 where a person looks and they fit, else as plain aligned text. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { Terminal } from './terminal.ts';

/** A heading; numbers stand to the right. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const indent = '  ';
const none = '';

/** Lays rows out under their headings, indented by two. No rows: no text. */
export function table(
  terminal: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  if (rows.length === 0) return '';
  const widths = columnWidths(columns, rows);
  const width = widths.reduce((sum, each) => sum + each + indent.length, 0);
  const isDrawn = terminal.isInteractive && width <= terminal.width;
  return isDrawn ? drawn(terminal, columns, rows) : aligned(columns, rows, widths);
}

/** The widest cell of each column. */
export function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): number[] {
  return columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => visibleLength(row[index] ?? ''))),
  );
}

function drawn(
  { colors }: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const lines = new Table({
    head: columns.map(({ title }) => colors.dim(title)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: {
      ...{ top: none, 'top-mid': none, 'top-left': none, 'top-right': none },
      ...{ bottom: none, 'bottom-mid': none, 'bottom-left': none, 'bottom-right': none },
      ...{ left: indent, 'left-mid': none, mid: none, 'mid-mid': none },
      ...{ right: none, 'right-mid': none, middle: indent },
    },
  });
  for (const row of rows) lines.push([...row]);
  return trimLines(lines.toString());
}

function aligned(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): string {
  const all = [columns.map(({ title }) => title), ...rows];
  return trimLines(all.map((row) => alignedLine(columns, row, widths)).join('\n'));
}

/** One row as plain text; a cell wider than its column pushes the others. */
export function alignedLine(
  columns: readonly Column[],
  row: readonly string[],
  widths: readonly number[],
): string {
  const cells = row.map((cell, index) => {
    const missing = ' '.repeat(Math.max(0, (widths[index] ?? 0) - visibleLength(cell)));
    return columns[index]?.align === 'right' ? missing + cell : cell + missing;
  });
  return `${indent}${cells.join(indent)}`.trimEnd();
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}

function trimLines(text: string): string {
  return text.replace(/[ \t]+$/gm, '');
}
