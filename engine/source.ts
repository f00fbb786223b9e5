/** A source: what a connected system calls the rows of an entity type or association, and how to get at them. */

/** Which of the files that match a pattern are read: the newest one, or all of them as one. */
export type Pick = 'newest' | 'all';

/** A file, the newest of several, or several as one, within the directory of a connector. */
export interface FileSource {
  /** Relative to the directory. In the name of the file, not of its folder, `*` and `?` make it a pattern. */
  readonly file: string;
  /** Of a pattern only. Default `newest`. */
  readonly pick?: Pick;
}

/** True when a name stands for whatever files match it: `*` is any characters, `?` is one. */
export function isPattern(file: string): boolean {
  return /[*?]/.test(file);
}

/** A sheet of a workbook within the directory of a connector. */
export interface SheetSource extends FileSource {
  /** Its name. Default the first sheet that is not hidden. */
  readonly sheet?: string | undefined;
  /** Number of the row with the headings. Default the first row that holds anything. */
  readonly headerRow?: number | undefined;
}

/** How a database tells which rows changed: a column whose value grows with every change of its row. */
export interface Watermark {
  readonly column: string;
  /**
   * How far before the cursor an export begins again, because a transaction may commit after a later one: seconds of a
   * point in time, or so many versions. Left out: the default of the column's type.
   */
  readonly overlap?: { readonly seconds: number } | { readonly versions: number };
}

/** A table or query of a database. */
export interface QuerySource {
  /** The name of a table, part by part (`hr`, `person`), or one `select` statement. */
  readonly relation: { readonly table: readonly string[] } | { readonly query: string };
  /** Without it every export reads everything. */
  readonly watermark?: Watermark;
  /** The column that says that a row counts as deleted: true, or a point in time. */
  readonly deleted?: string;
  /** The columns that make the key: where one row of a key changed, an incremental export brings all of them. */
  readonly identity?: readonly string[];
}

/** Resources of a SCIM service, a row each, with attribute paths as headings. */
export interface ScimSource {
  /** `User`, `Group`, or one of its own, as the service names it. */
  readonly resourceType: string;
  readonly paths: readonly string[];
  /** The paths of the keys of all that is mapped to it; left out where one is not a path. */
  readonly keys?: readonly string[];
  /** Where a value may be the id of a resource that is known by another key. */
  readonly references: readonly { readonly path: string; readonly target: ScimTarget }[];
}

/** What a resource that others refer to by its id is known by. */
export interface ScimTarget {
  readonly resourceType: string;
  /** Path of its key. */
  readonly key: string;
}

/** The elements of one attribute of SCIM resources, each of which refers to another resource: a row each. */
export interface ScimMembersSource {
  /** Whose attribute it is: `Group`. */
  readonly resourceType: string;
  /** `members` */
  readonly attribute: string;
  /** Path of the key of the resource that has the attribute, which is the heading too. */
  readonly holder: string;
  readonly member: ScimTarget;
}

/** The heading of the column with the keys of members. */
export function memberColumn(attribute: string, { key }: ScimTarget): string {
  return `${attribute}.${key}`;
}

/** What is read of a connected system as one file of an extraction. Every kind of connector has options of its own. */
export interface Source<
  Options = FileSource | SheetSource | QuerySource | ScimSource | ScimMembersSource,
> {
  /** Unique within its connector, and the same at every run: names the source in extractions, messages and rejects. */
  readonly name: string;
  readonly options: Options;
}
