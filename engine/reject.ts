/** A source row, or one link of it, that cannot be used: where it is, what it says, and why not. */
import type { RejectCode } from './errors.ts';

/** **Danger:** holds identity data; it goes to the store and to people, never into a log or Temporal's history. */
export interface Reject {
  /** The entity type or association whose source the row is in. */
  readonly entityType: string;
  readonly file: string;
  /** Line of the row's first character in the file, counted from 1; of a workbook, the number of the sheet's row. */
  readonly line: number | null;
  readonly key: string | null;
  readonly column: string | null;
  readonly value: string | null;
  readonly code: RejectCode;
  readonly message: string;
}
