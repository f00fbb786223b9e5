/** Rejects as CSV for spreadsheets, in which no cell of a foreign system becomes a formula. */
import { stringify } from 'csv-stringify/sync';
import type { Reject } from '../../engine/reject.ts';

/** The columns, in the order of `--json`. */
const columns = [
  'entityType',
  'file',
  'line',
  'key',
  'column',
  'value',
  'code',
  'message',
] as const satisfies readonly (keyof Reject)[];

/**
 * The lines of the file, the header first, without the line breaks at their ends.
 *
 * **Danger:** a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets a `'` in front, so that opening
 * the file computes nothing. `--json` has every value as it is.
 */
export async function* rejectsCsv(rejects: AsyncIterable<Reject>): AsyncGenerator<string> {
  yield columns.join(',');
  for await (const reject of rejects) {
    const cells = columns.map((name) => reject[name]);
    yield stringify([cells], { escape_formulas: true, eof: false });
  }
}
