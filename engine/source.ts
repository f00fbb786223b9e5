/** A source: what a connected system calls the rows of an entity type or association, and how to get at them. */

/** A file, or the newest of several, within the directory of a connector. */
export interface FileSource {
  /** Relative to the directory. */
  readonly file: string;
}

/** What is read of a connected system as one file of an extraction. Every kind of connector has options of its own. */
export interface Source {
  /** Unique within its connector, and the same at every run: names the source in extractions, messages and rejects. */
  readonly name: string;
  readonly options: FileSource;
}
