/** What provisioning has to know of the entity types of a connector: paths, ids, how values are written, who holds which links. */
import type { Configuration } from '../config/configuration.ts';
import type { Association, EntityType, Property } from '../engine/entity-type.ts';
import { referenceScope } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import type { ScimMembersSource, ScimSource } from '../engine/source.ts';
import type { Value } from '../engine/value-format.ts';
import { compileWriting, type Writing } from '../engine/value-writing.ts';
import type { StoredModel } from '../store/model-store.ts';
import type { LinkHolder } from '../store/open-provisioning.ts';

/** How a property is written. */
export interface WritableProperty {
  readonly path: string;
  readonly write: (value: Value) => Writing;
}

/** A navigation property whose links a resource holds in the connected system. */
export interface HeldNavigation extends LinkHolder {
  /** Path of a reference, or name of the attribute that holds members. */
  readonly attribute: string;
  readonly kind: 'reference' | 'members';
  readonly otherType: string;
}

/** One entity type as it is written. */
export interface TargetType {
  readonly entityType: EntityType;
  readonly id: number;
  readonly resourceType: string;
  /** Its own paths, in the order of the header that a read-back is mapped with. */
  readonly paths: readonly string[];
  readonly keyPath: string;
  /** The property that holds the id in the connected system; undefined when none does. */
  readonly idProperty: string | undefined;
  /** Scalar properties with a path, by name. */
  readonly properties: ReadonlyMap<string, WritableProperty>;
  readonly navigations: readonly HeldNavigation[];
}

/**
 * The entity types of a connector, those that hold members after those that are members.
 *
 * @throws LockstepError `ConfigurationInvalid` when something of it cannot be written
 */
export function targetTypes(
  configuration: Configuration,
  connector: string,
  model: StoredModel,
): TargetType[] {
  const types = [...configuration.entityTypes.values()].filter(
    (type) => type.connector === connector,
  );
  const associations = [...configuration.associations.values()].filter(
    (each) => each.connector === connector,
  );
  return types
    .map((type) => targetType(type, configuration, associations, model))
    .sort((one, other) => membersOf(one) - membersOf(other));
}

function membersOf({ navigations }: TargetType): number {
  return navigations.filter(({ kind }) => kind === 'members').length;
}

function targetType(
  entityType: EntityType,
  configuration: Configuration,
  associations: readonly Association[],
  model: StoredModel,
): TargetType {
  const { name, properties, source } = entityType;
  const options = source.options as Partial<ScimSource>;
  const key = properties.find((property) => property.name === entityType.key);
  const keyPath = key && pathOf(key);
  if (options.resourceType === undefined || keyPath === undefined) {
    throw new LockstepError(
      'ConfigurationInvalid',
      `${name} cannot be written: its key is no attribute of a resource type`,
    );
  }
  const id = model.entityTypeIds.get(name) as number;
  const scalars = properties.flatMap((property) => {
    const path = pathOf(property);
    return property.kind === 'reference' || path === undefined
      ? []
      : [[property.name, { path, write: compileWriting(property.format) }] as const];
  });
  return {
    entityType,
    id,
    resourceType: options.resourceType,
    paths: [...new Set(properties.flatMap((property) => pathOf(property) ?? []))],
    keyPath,
    idProperty: scalars.find(([, { path }]) => path.toLowerCase() === 'id')?.[0],
    properties: new Map(scalars),
    navigations: [
      ...properties.flatMap((property): HeldNavigation[] => {
        const attribute = pathOf(property);
        if (property.kind !== 'reference' || attribute === undefined) return [];
        const navigation = model.navigations.get(referenceScope(name, property.name));
        return navigation === undefined
          ? []
          : [
              {
                navigationId: navigation.id,
                entityTypeId: id,
                side: 'from',
                attribute,
                kind: 'reference',
                otherType: property.references,
              },
            ];
      }),
      ...associations.flatMap((association): HeldNavigation[] => {
        const { resourceType, attribute } = association.source.options as ScimMembersSource;
        const side = holderOf(association, resourceType, configuration);
        const navigation = model.navigations.get(association.name);
        if (association[side].entityType !== name || navigation === undefined) return [];
        const other = association[side === 'from' ? 'to' : 'from'].entityType;
        return [
          {
            navigationId: navigation.id,
            entityTypeId: id,
            side,
            attribute,
            kind: 'members',
            otherType: other,
          },
        ];
      }),
    ],
  };
}

/** Of groups within groups, the one they are `from` holds the others: as the export reads it. */
function holderOf(
  { from }: Association,
  resourceType: string,
  { entityTypes }: Configuration,
): 'from' | 'to' {
  const options = entityTypes.get(from.entityType)?.source.options as Partial<ScimSource>;
  return options?.resourceType === resourceType ? 'from' : 'to';
}

function pathOf({ origin }: Property): string | undefined {
  return origin.from === 'column' ? origin.column : undefined;
}
