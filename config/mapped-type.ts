/** What a mapping has to know of the entity types at its ends, managed or connected alike. */
import { referenceScope } from '../engine/entity-type.ts';
import type { ValueFormat } from '../engine/value-format.ts';
import type { ConfigurationDocument } from './document.ts';

/** One end of a navigation property, seen from an entity type. */
export interface MappedNavigation {
  readonly property: string;
  readonly scope: string;
  /** True when the entity type is its `to` end. */
  readonly isTo: boolean;
  /** The entity type at the other end. */
  readonly other: string;
}

export interface MappedType {
  readonly name: string;
  readonly key: string;
  /** Null when it is managed. */
  readonly connector: string | null;
  readonly scalars: ReadonlyMap<string, ValueFormat['type']>;
  /** Properties that no resource is without, beside the key. */
  readonly required: readonly string[];
  /** SCIM attribute path, spelt alike, → property. */
  readonly paths: ReadonlyMap<string, string>;
  readonly navigations: readonly MappedNavigation[];
}

/** Every entity type of the document, by name. */
export function mappedTypes(document: ConfigurationDocument): Map<string, MappedType> {
  const { entityTypes, associations = {} } = document;
  return new Map(
    Object.entries(entityTypes).map(([name, type]) => {
      const properties = Object.entries(type.properties);
      const links = Object.entries(associations).flatMap(([scope, { from, to }]) => [
        ...(from.entityType === name
          ? [{ property: from.property, scope, isTo: false, other: to.entityType }]
          : []),
        ...(to.entityType === name
          ? [{ property: to.property, scope, isTo: true, other: from.entityType }]
          : []),
      ]);
      const references = properties.flatMap(([property, { references: other }]) =>
        other === undefined
          ? []
          : [{ property, scope: referenceScope(name, property), isTo: false, other }],
      );
      const scalars = properties.filter(([, { references: other }]) => other === undefined);
      const found: MappedType = {
        name,
        key: type.key,
        connector: type.managed ? null : type.connector,
        scalars: new Map(scalars.map(([property, each]) => [property, each.type ?? 'string'])),
        required: type.managed
          ? Object.entries(type.properties).flatMap(([property, { required }]) =>
              required ? [property] : [],
            )
          : [],
        paths: new Map(
          type.managed
            ? []
            : Object.entries(type.properties).flatMap(([property, { path }]) =>
                path === undefined ? [] : [[spelt(path), property] as const],
              ),
        ),
        navigations: [...references, ...links],
      };
      return [name, found];
    }),
  );
}

/** JSONata writes `=` where SCIM writes `eq`; case and blanks mean nothing. */
export function spelt(path: string): string {
  return path
    .replace(/\s*=\s*|\s+eq\s+/gi, '=')
    .replace(/'/g, '"')
    .toLowerCase();
}
