/** Entity types and associations that are managed by us: no connected system says what they hold; mappings and people do. */
import type { ThresholdSettings } from './threshold.ts';
import type { ValueFormat } from './value-format.ts';

/** What edits by people are called where connectors are named: in `authority`, as the connector of their jobs. */
export const localAuthority = 'local';

/** What every property of a managed entity type has. */
interface CommonProperty {
  readonly name: string;
  readonly required: boolean;
  /**
   * Who may set it, the first before the second: names of connectors and {@link localAuthority}. A value that one of them
   * has set is not overwritten by one that stands after it. Null: nobody stands before anybody.
   */
  readonly authority: readonly string[] | null;
}

/** A scalar value of a managed resource. */
export interface ManagedScalar extends CommonProperty {
  readonly kind: 'scalar';
  readonly type: ValueFormat['type'];
}

/** A single-valued navigation property of a managed resource. */
export interface ManagedReference extends CommonProperty {
  readonly kind: 'reference';
  /** A managed entity type. */
  readonly references: string;
}

export type ManagedProperty = ManagedScalar | ManagedReference;

/** A kind of object that is managed by us. */
export interface ManagedType {
  readonly name: string;
  /** Name of the property that identifies a resource within this type. */
  readonly key: string;
  readonly properties: readonly ManagedProperty[];
  readonly searchable: readonly string[];
  /** Keys of the resources that no delta may change or delete. */
  readonly protected: readonly string[];
  readonly thresholds: ThresholdSettings;
}

/** Links between two managed entity types. */
export interface ManagedAssociation {
  readonly name: string;
  readonly from: { readonly entityType: string; readonly property: string };
  readonly to: { readonly entityType: string; readonly property: string };
  readonly thresholds: ThresholdSettings;
}
