/** The entity types that the store knows, with the properties and navigation properties by which one can browse. */
import type { ReadStore } from './read-store.ts';

/** A navigation property seen from one of its ends. */
export interface NavigationEnd {
  /** As `show` prints it: the property's name; of the far end of a reference, which has none, its scope. */
  readonly name: string;
  readonly id: number;
  /** Whether the resources of this entity type are the `from` end. */
  readonly outgoing: boolean;
  /** The entity type at the other end. */
  readonly entityType: string;
  readonly entityTypeId: number;
  /** A reference seen from its owner: at most one target. */
  readonly singleValued: boolean;
}

/** An entity type as stored. */
export interface StoredEntityType {
  readonly id: number;
  readonly name: string;
  readonly key: string;
  /** Names of the scalar properties, the key among them. */
  readonly properties: readonly string[];
  readonly navigations: readonly NavigationEnd[];
}

/** Names of all entity types, in the order in which they were first configured. */
export async function entityTypeNames(store: ReadStore): Promise<string[]> {
  const rows = await store.prisma.entityType.findMany({
    select: { name: true },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ name }) => name);
}

/** Names of all link scopes: references and associations. */
export async function linkScopes(store: ReadStore): Promise<string[]> {
  const rows = await store.prisma.navigationProperty.findMany({
    select: { scope: true },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ scope }) => scope);
}

/** An entity type by its name, or undefined. */
export async function findEntityType(
  store: ReadStore,
  name: string,
): Promise<StoredEntityType | undefined> {
  const type = await store.prisma.entityType.findUnique({ where: { name } });
  if (type === null) return undefined;
  const [names, navigations] = await Promise.all([
    store.prisma.entityType.findMany({ select: { id: true, name: true } }),
    store.prisma.navigationProperty.findMany({
      where: { OR: [{ fromEntityTypeId: type.id }, { toEntityTypeId: type.id }] },
      orderBy: { id: 'asc' },
    }),
  ]);
  const nameOf = (id: number) => names.find((other) => other.id === id)?.name ?? '';
  const ends: NavigationEnd[] = [];
  for (const { id, scope, fromEntityTypeId, toEntityTypeId, ...navigation } of navigations) {
    const { property, inverse, singleValued } = navigation;
    if (fromEntityTypeId === type.id) {
      const entityType = nameOf(toEntityTypeId);
      const other = { entityType, entityTypeId: toEntityTypeId };
      ends.push({ name: property, id, outgoing: true, ...other, singleValued });
    }
    if (toEntityTypeId === type.id) {
      const entityType = nameOf(fromEntityTypeId);
      const name = inverse ?? scope;
      const other = { entityType, entityTypeId: fromEntityTypeId };
      ends.push({ name, id, outgoing: false, ...other, singleValued: false });
    }
  }
  // PostgreSQL keeps no order of JSON members that would mean anything.
  const properties = Object.keys(type.properties as Record<string, unknown>).sort();
  return { id: type.id, name: type.name, key: type.key, properties, navigations: ends };
}

/** Link scope → name of the entity type at its `from` end. */
export async function scopeOwners(store: ReadStore): Promise<Map<string, string>> {
  const { rows } = await store.pool.query<{ scope: string; owner: string }>(
    `select n.scope, e.name as owner from navigation_property n
     join entity_type e on e.id = n.from_entity_type_id`,
  );
  return new Map(rows.map(({ scope, owner }) => [scope, owner]));
}
