/** What becomes of a record that is set aside: a row that says why, and which stored resources it may stand for. */
import { hasStrayReturn } from '../connectors/record-parser.ts';
import { visibleText } from '../engine/key-text.ts';
import type { RowProblem } from '../engine/row-mapping.ts';
import type { Convert } from '../engine/value-format.ts';
import type { RowWriter } from '../store/row-writer.ts';
import type { MappingTask } from './mapping-thread.ts';

/** Where a record is in the source, and where its digest is among those of the batch. */
export interface Place {
  readonly line: number;
  readonly digests: Uint32Array;
  readonly at: number;
}

export function malformed(record: string): RowProblem {
  const message = hasStrayReturn(record)
    ? 'has a carriage return in the middle; lines end with LF or CRLF'
    : 'has a quote in the middle of a cell; quotes stand around a whole cell and are doubled inside it';
  return { code: 'RowMalformed', key: null, column: null, value: null, message };
}

/** What the cells may be: enough to know which stored resources a malformed row may stand for. */
export function roughCells(record: string, delimiter: string): string[] {
  return record.split(delimiter).map((cell) => cell.trim().replaceAll('"', ''));
}

/** Of a malformed row no cell is sure, so its reject quotes the row. */
export function withRawRow(problem: RowProblem, record: string): RowProblem {
  return problem.code === 'RowMalformed' ? { ...problem, value: record } : problem;
}

const printable = (text: string) => text.replaceAll('\u0000', '\uFFFD');

/** The cells as they are and as keys: they hold the stored resources that a row of unknown key may stand for. */
export function held(keyConversions: readonly Convert[], cells: readonly string[]): string[] {
  const values = new Set<string>();
  for (const cell of cells) {
    const text = printable(cell.trim());
    for (const meant of new Set([text, visibleText(text)])) {
      values.add(meant);
      for (const convert of keyConversions) {
        const conversion = convert(meant);
        if ('value' in conversion) values.add(String(conversion.value));
      }
    }
  }
  return [...values];
}

/** So much of a value as a person would read of it. */
const readable = 1000;

/** A rejected row, with what its cells may stand for, as long as its key is not known. A blank key stands for nobody. */
export function writeRejected(
  rejected: RowWriter,
  task: MappingTask,
  { key, code, column, value, message }: RowProblem,
  mayStandFor: readonly string[],
  { line, digests, at }: Place,
): void {
  const kept = key === null && code !== 'KeyMissing' ? JSON.stringify(mayStandFor) : null;
  if ('association' in task) rejected.row(8).int(task.id);
  else rejected.row(9).int(task.id).text(key);
  rejected.json(kept).uuid(digests, at).int(line);
  rejected
    .text(code)
    .text(column)
    .text(value === null ? null : printable(value.slice(0, readable)));
  rejected.text(printable(message));
}
