/** What every kind of connected system offers: an export that leaves an extraction. */
import type { ConnectionFacts } from '../engine/connection-test.ts';
import type { Mode } from '../engine/job.ts';
import type { Source } from '../engine/source.ts';
import type { SourcePart } from '../engine/source-part.ts';
import type { DifferenceFile } from './former-comparison.ts';
import type { IndexFile } from './record-index.ts';

/** One source as the connector wrote it into the extraction: UTF-8 text with a header, its cells separated by `delimiter`. */
export interface ExtractedFile {
  /** Name of the source. */
  readonly source: string;
  /** File name within the extraction. */
  readonly file: string;
  /** Records after the header; records of blank cells are none. */
  readonly rows: number;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly delimiter: string;
  /** The digests of its records, where there are many. */
  readonly index?: IndexFile;
  /** What it holds that the file before it did not, and the other way round, where both are large and that is little. */
  readonly difference?: DifferenceFile;
  /** Where its lines come from, in order; left out where they are those of the file that the source is named after. */
  readonly parts?: readonly SourcePart[];
  /**
   * Every record is one line of the source, whatever line feeds its cells hold, and a blank one stands for every line
   * that holds nothing: how rows of a sheet keep their numbers. Left out: lines are the text's own.
   */
  readonly countsRecords?: true;
  /**
   * What the file was made from: a digest of the source's bytes and of how they were read. The same again makes the
   * same file. Left out where a system cannot tell.
   */
  readonly origin?: string;
  /** How many bytes of the source that were. */
  readonly originBytes?: number;
  /** Where the next incremental export goes on once this file is loaded. Left out where nothing tells. */
  readonly cursor?: string;
  /**
   * The file holds only what changed since this cursor: what it does not show is not gone. Left out: it holds
   * everything.
   */
  readonly since?: string;
  /** Beside what changed: the source whose file holds what is marked as deleted, under the same header. */
  readonly deletions?: string;
}

/** What writing a file tells of it. */
export type WrittenFile = Pick<
  ExtractedFile,
  'rows' | 'bytes' | 'sha256' | 'delimiter' | 'index' | 'difference'
>;

/** A file of an earlier extraction that is still there. */
export interface KeptFile {
  readonly file: ExtractedFile;
  /** Absolute. */
  readonly path: string;
  /** When its extraction was complete, as the manifest has it. */
  readonly completedAt: string;
}

export interface ExportRequest {
  readonly mode: Mode;
  /** The sources that are mapped, each once. */
  readonly sources: readonly Source[];
  /** Of an incremental export, source → where it goes on; a source that is not named is read completely. */
  readonly cursors?: ReadonlyMap<string, string>;
  /** What the last extraction holds: a source that is what it was then need not be read through again. */
  readonly kept: readonly KeptFile[];
  /** Where to write; exists, is empty, and belongs to this export alone. */
  readonly directory: string;
  /** Told now and then how far the export is. */
  readonly onProgress: (progress: Progress) => void;
  /** Aborted when the job is: stop at once. */
  readonly signal: AbortSignal;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'rows';
}

/** What a test of a connection is about. */
export interface TestRequest {
  /** The sources that are mapped, each once. */
  readonly sources: readonly Source[];
  readonly signal: AbortSignal;
}

/** Reads one connected system. */
export interface Connector {
  /**
   * Exports the sources, all of them or none.
   *
   * @throws LockstepError `SourceUnavailable`, `SourceAuthenticationFailed`, `SourceUnreadable`, `SourceEmpty`.
   */
  export(request: ExportRequest): Promise<ExtractedFile[]>;
  /**
   * Reads as little as shows that an export would get at the sources, with the connector's credentials.
   *
   * @throws LockstepError what the export would throw, but for the rows
   */
  test(request: TestRequest): Promise<ConnectionFacts>;
}
