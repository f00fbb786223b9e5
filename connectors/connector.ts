/** What every kind of connected system offers: an export that leaves an extraction. */
import type { Mode } from '../engine/job.ts';

/** One source as the connector wrote it into the extraction: UTF-8 text with a header, its cells separated by `delimiter`. */
export interface ExtractedFile {
  /** What the configuration calls the source. */
  readonly source: string;
  /** File name within the extraction. */
  readonly file: string;
  /** Records after the header; records of blank cells are none. */
  readonly rows: number;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly delimiter: string;
}

export interface ExportRequest {
  readonly mode: Mode;
  /** The sources that are mapped, each once. */
  readonly sources: readonly string[];
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
  readonly unit: 'bytes';
}

/** Reads one connected system. */
export interface Connector {
  /**
   * Exports the sources, all of them or none.
   *
   * @throws LockstepError `SourceUnavailable`, `SourceUnreadable`, `SourceEmpty`.
   */
  export(request: ExportRequest): Promise<ExtractedFile[]>;
}
