/** Entity types and associations as the store sees them, whether a connected system holds them or they are managed by us. */
import type { Association, EntityType } from '../engine/entity-type.ts';
import type { ManagedAssociation, ManagedType } from '../engine/managed-type.ts';
import type { ValueFormat } from '../engine/value-format.ts';

/** The part of a configuration that shapes the store. */
export interface Model {
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  readonly associations: ReadonlyMap<string, Association>;
  readonly managedTypes: ReadonlyMap<string, ManagedType>;
  readonly managedAssociations: ReadonlyMap<string, ManagedAssociation>;
}

export type ModelledProperty =
  | { readonly name: string; readonly kind: 'scalar'; readonly type: ValueFormat['type'] }
  | { readonly name: string; readonly kind: 'reference'; readonly references: string };

/** An entity type of either kind. */
export interface ModelledType {
  readonly name: string;
  /** Null when it is managed by us. */
  readonly connector: string | null;
  readonly key: string;
  readonly properties: readonly ModelledProperty[];
  readonly searchable: readonly string[];
}

/** An association of either kind. */
export interface ModelledAssociation {
  readonly name: string;
  /** Null when it is managed by us. */
  readonly connector: string | null;
  readonly from: { readonly entityType: string; readonly property: string };
  readonly to: { readonly entityType: string; readonly property: string };
}

/** Every entity type of a configuration. */
export function modelledTypes({ entityTypes, managedTypes }: Model): ModelledType[] {
  return [
    ...[...entityTypes.values()].map(({ name, connector, key, properties, searchable }) => ({
      ...{ name, connector, key, searchable },
      properties: properties.map(
        (property): ModelledProperty =>
          property.kind === 'scalar'
            ? { name: property.name, kind: 'scalar', type: property.format.type }
            : property,
      ),
    })),
    ...[...managedTypes.values()].map((type) => ({ ...type, connector: null })),
  ];
}

/** Every association of a configuration. */
export function modelledAssociations(model: Model): ModelledAssociation[] {
  const managed = [...model.managedAssociations.values()];
  return [
    ...model.associations.values(),
    ...managed.map((association) => ({ ...association, connector: null })),
  ];
}
