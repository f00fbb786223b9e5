/** What a look at the sources of a connector found: codes, columns, counts and lines, never a value of a cell. */
import type { ErrorCode, RejectCode } from './errors.ts';
import type { SourcePlace } from './source-part.ts';

/** A source was exported as a run would export it. */
export interface SourceRead {
  readonly fact: 'source-read';
  readonly source: string;
  readonly rows: number;
}

/** A source could not be exported; code, message and hint are those a run would fail with. */
export interface SourceFailed {
  readonly fact: 'source-failed';
  readonly source: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** A source said nothing for so long that it was given up. */
export interface SourceSilent {
  readonly fact: 'source-silent';
  readonly source: string;
  readonly seconds: number;
}

/** A mapped column is not in the header, or is there more than once. */
export interface ColumnFact {
  readonly fact: 'column-missing' | 'column-repeated';
  readonly source: string;
  /** The entity type or association that maps it. */
  readonly scope: string;
  /** The property it is mapped to; `from` or `to` of an association. */
  readonly property: string;
  readonly column: string;
  /**
   * What the header has. Empty when none of it is mapped: a first line like that may be a person's row in a file without
   * a header.
   */
  readonly headings: readonly string[];
}

/** Every row of a source was mapped as a run would map it. */
export interface DataRead {
  readonly fact: 'data-read';
  readonly scope: string;
  readonly source: string;
  readonly rows: number;
}

/** `KeysAlike`: the row's key differs from another one only in what hardly anybody sees. A run takes both as they are. */
export type DataProblemCode = RejectCode | 'KeysAlike';

/** Rows that a run would set aside, or whose link it would, all for one reason; or that are worth a look. */
export interface DataProblem {
  readonly fact: 'data-problem';
  readonly scope: string;
  readonly source: string;
  readonly code: DataProblemCode;
  readonly column: string | null;
  readonly rows: number;
  /** Where the first of them are. */
  readonly places: readonly SourcePlace[];
}

/** The data were not looked at, because not every source is as it is mapped. */
export interface DataPassedOver {
  readonly fact: 'data-passed-over';
}

export type CheckFact =
  | SourceRead
  | SourceFailed
  | SourceSilent
  | ColumnFact
  | DataRead
  | DataProblem
  | DataPassedOver;

/** True for facts that stand in no run's way. */
export function isFine(fact: CheckFact): boolean {
  if (fact.fact === 'data-problem') return fact.code === 'KeysAlike';
  return fact.fact === 'source-read' || fact.fact === 'data-read';
}
