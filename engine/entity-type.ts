/** Entity types and associations: what a connected system's rows become, as validated values. */
import type { DriftContract } from './diagnosis/drift.ts';
import type { Source } from './source.ts';
import type { ThresholdSettings } from './threshold.ts';
import type { ValueFormat } from './value-format.ts';

/** Where a property's value comes from: a column of the source, or a JSONata expression over the row's other properties. */
export type ValueOrigin =
  | { readonly from: 'column'; readonly column: string }
  | { readonly from: 'expression'; readonly expression: string };

/** A scalar value of a resource. */
export interface ScalarProperty {
  readonly kind: 'scalar';
  readonly name: string;
  readonly origin: ValueOrigin;
  readonly format: ValueFormat;
}

/** A single-valued navigation property: its value is the key of a resource of `references`. */
export interface ReferenceProperty {
  readonly kind: 'reference';
  readonly name: string;
  readonly origin: ValueOrigin;
  readonly references: string;
}

export type Property = ScalarProperty | ReferenceProperty;

/** A kind of object of a connected system, with the column of every property. */
export interface EntityType {
  readonly name: string;
  readonly connector: string;
  readonly source: Source;
  /** Name of the property that identifies a resource within this type. */
  readonly key: string;
  readonly properties: readonly Property[];
  /** Names of the scalar properties that the store keeps an index of. */
  readonly searchable: readonly string[];
  readonly thresholds: ThresholdSettings;
  readonly drift: DriftContract;
}

/** One end of an association: the entity type, the navigation property it gets, and the column with its key. */
export interface AssociationEnd {
  readonly entityType: string;
  readonly property: string;
  readonly column: string;
}

/** Source rows that become links between two entity types: one row is one link, repeated rows are the same link. */
export interface Association {
  readonly name: string;
  readonly connector: string;
  readonly source: Source;
  readonly from: AssociationEnd;
  readonly to: AssociationEnd;
  readonly thresholds: ThresholdSettings;
  readonly drift: DriftContract;
}

/**
 * The name of the link scope of a navigation property, as breaches print it: `sab_user.organisation` for a
 * reference, the association's own name for an association.
 */
export function referenceScope(entityType: string, property: string): string {
  return `${entityType}.${property}`;
}

/** The columns a source must have for this entity type, in order of the properties. */
export function mappedColumns(entityType: EntityType): string[] {
  return entityType.properties.flatMap(({ origin }) =>
    origin.from === 'column' ? [origin.column] : [],
  );
}
