/** What diagnoses are made from: samples of the changes a delta plans in one scope, and of the files before and now. */
import type { EntityType, Property } from '../entity-type.ts';
import type { Value } from '../value-format.ts';
import type { Example } from './diagnosis.ts';
import type { FileProfile } from './file-profile.ts';

export type Attributes = Readonly<Record<string, Value>>;

/** A resource whose values are to change. */
export interface UpdatedResource {
  readonly key: string;
  readonly before: Attributes;
  readonly after: Attributes;
}

/** A resource that is to come or to go. */
export interface KeyedResource {
  readonly key: string;
  readonly attributes: Attributes;
}

/** A cell that does not convert, and what is stored of the resource it stands for. */
export interface UnfitValue {
  readonly key: string | null;
  readonly column: string;
  readonly value: string;
  readonly stored: Attributes | null;
}

/** A value that is to take the place of another: a key, or what a reference or one end of a link says. */
export interface Replacement {
  /** The resource it is about; null where the value itself is the key. */
  readonly key: string | null;
  readonly before: string;
  readonly after: string;
}

/** How many resources or links a delta changes in a scope, exactly. */
export interface ScopeCounts {
  readonly stored: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly read: number;
  readonly rejected: number;
}

/** One entity type under examination; the samples are spread over all of its changes. */
export interface Evidence {
  readonly entityType: EntityType;
  readonly counts: ScopeCounts;
  readonly updates: readonly UpdatedResource[];
  readonly inserts: readonly KeyedResource[];
  readonly deletes: readonly KeyedResource[];
  readonly unfit: readonly UnfitValue[];
  /** Inserted resources that are deleted ones under another key, of {@link rekeyedAmong} that were looked at. */
  readonly rekeyed: readonly Replacement[];
  readonly rekeyedAmong: number;
  /** What the key was at the last load, where the configuration has changed it since. */
  readonly formerKey: KeyOrigin | null;
  readonly files: FilesCompared | null;
}

/** The property that is the key, and its column (null: an expression). */
export interface KeyOrigin {
  readonly property: string;
  readonly column: string | null;
}

/** The file of the last load beside that of this job. */
export interface FilesCompared {
  readonly last: FileProfile;
  readonly now: FileProfile;
}

/** A property whose value is read from a column. */
export interface ColumnProperty {
  readonly name: string;
  readonly column: string;
  readonly property: Property;
}

/** The properties that are read from columns; those of expressions only follow them. */
export function columnProperties({ properties }: EntityType): ColumnProperty[] {
  return properties.flatMap((property) =>
    property.origin.from === 'column'
      ? [{ name: property.name, column: property.origin.column, property }]
      : [],
  );
}

/** A value as people read it. */
export function textOf(value: Value | undefined): string | null {
  return value === undefined ? null : String(value);
}

/** The values of one property that updates change. */
export function changesOf(updates: readonly UpdatedResource[], property: string): Example[] {
  return updates
    .filter(({ before, after }) => before[property] !== after[property])
    .map(({ key, before, after }) => ({
      key,
      property,
      before: textOf(before[property]),
      after: textOf(after[property]),
    }));
}

/** Fewer cases than this are coincidence. */
export const fewestCases = 3;

/** `1 250 of 1 300`, for people. */
export function outOf(part: number, whole: number): string {
  return `${spaced(part)} of ${spaced(whole)}`;
}

export function spaced(count: number): string {
  return count.toLocaleString('en-US').replaceAll(',', ' ');
}
