/** What the SQL connector needs of a database; each dialect implements it in one file. */
import type { QuerySource, Source } from '../../engine/source.ts';

/** How to reach a database. */
export interface SqlSettings {
  /** With the password in it: never to be printed. */
  readonly url: string;
  /** How long one source may take. */
  readonly timeoutSeconds: number;
}

/** One kind of database. */
export interface SqlDriver {
  /**
   * Opens a session that only reads, and sees everything as it is at one moment.
   *
   * @param signal ends the session, also in the middle of a statement
   * @throws LockstepError `SourceUnavailable`, `SourceAuthenticationFailed`
   */
  open(settings: SqlSettings, signal: AbortSignal): Promise<SqlSnapshot>;
}

export interface SqlSnapshot extends AsyncDisposable {
  /**
   * Looks at a source without reading its rows.
   *
   * @throws LockstepError `SourceUnavailable`, `SourceUnreadable`, `SourceColumnMissing` (a watermark or deleted column)
   */
  look(source: Source<QuerySource>): Promise<SqlRows>;
}

/** Which rows: those that count, or those that are marked as deleted. */
export type RowsPart = 'live' | 'deleted';

/** The rows of a source, as they stand in the snapshot. */
export interface SqlRows {
  /** How many rows the database expects to give; a guess. */
  readonly expected: number;
  /** Where the next incremental export goes on; undefined when nothing tells. */
  readonly cursor: string | undefined;
  /** True when the rows that changed since a cursor can be told; one of another source or database says nothing. */
  follows(cursor: string): boolean;
  /** True when there is a row that counts. */
  exist(): Promise<boolean>;
  /** Gives the rows as CSV (RFC 4180) with a header, each chunk valid until the next one; since a cursor, if one is given. */
  csv(part: RowsPart, since?: string): AsyncIterable<Buffer>;
}
