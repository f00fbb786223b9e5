/** Resources of an entity type with their attributes and their links both ways. */
import type { NavigationEnd, StoredEntityType } from './entity-types.ts';
import type { ReadStore } from './read-store.ts';
import { type Condition, toSql } from './resource-condition.ts';

/** One resource. **Danger:** identity data; for people, never for a log. */
export interface ResourceDocument {
  readonly key: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Navigation property → key of its target when single-valued, else the sorted keys. Without links: absent. */
  readonly links: Readonly<Record<string, string | readonly string[]>>;
}

/** Which resources to list; all of them without. */
export interface ResourceFilter {
  /** All of them must hold. */
  readonly where?: readonly Condition[] | undefined;
  readonly limit?: number | undefined;
  /** Only keys after this one. */
  readonly after?: string | undefined;
}

const pageSize = 500;

/** The resources of an entity type in the order of their keys. Reads ahead one page only. */
export async function* listResources(
  store: ReadStore,
  type: StoredEntityType,
  filter: ResourceFilter = {},
): AsyncGenerator<ResourceDocument, void, undefined> {
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  let after = filter.after ?? null;
  while (left > 0) {
    const take = Math.min(left, pageSize);
    const page = await readPage(store, type, filter.where ?? [], after, take);
    yield* page;
    const end = page.at(-1);
    if (end === undefined || page.length < take) return;
    left -= page.length;
    after = end.key;
  }
}

/** One resource by its key, or undefined. */
export async function showResource(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
): Promise<ResourceDocument | undefined> {
  const where = [{ property: type.key, operator: '=', value: key }] as const;
  return (await readPage(store, type, where, null, 1))[0];
}

/** True when there is a resource of this key. */
export async function hasResource(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
): Promise<boolean> {
  const { rowCount } = await store.pool.query(
    'select from resource where entity_type_id = $1 and key = $2',
    [type.id, key],
  );
  return rowCount === 1;
}

/** Some keys that begin like this one, for suggesting the one that was meant. */
export async function keysLike(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
): Promise<string[]> {
  const { rows } = await store.pool.query<{ key: string }>(
    `select key from resource where entity_type_id = $1 and starts_with(lower(key), lower($2))
     order by key limit 500`,
    [type.id, key.slice(0, 2)],
  );
  return rows.map((row) => row.key);
}

interface ResourceRow {
  readonly id: string;
  readonly key: string;
  readonly attributes: Record<string, unknown>;
}

async function readPage(
  store: ReadStore,
  type: StoredEntityType,
  where: readonly Condition[],
  after: string | null,
  limit: number,
): Promise<ResourceDocument[]> {
  const values: unknown[] = [type.id, after, limit];
  const conditions = where.map((condition) => `and ${toSql(type, condition, values)}`);
  const { rows } = await store.pool.query<ResourceRow>(
    `select r.id, r.key, r.attributes from resource r
     where r.entity_type_id = $1 and ($2::text is null or r.key > $2) ${conditions.join(' ')}
     order by r.key limit $3`,
    values,
  );
  const links = await readLinks(store, type, rows);
  return rows.map(({ id, key, attributes }) => ({
    key,
    attributes: orderAttributes(type, attributes),
    links: linksOf(type, links.get(id)),
  }));
}

type FoundLinks = Map<NavigationEnd, string[]>;

/** Keys at the other ends of all links of some resources: resource id → end → keys. */
async function readLinks(
  store: ReadStore,
  type: StoredEntityType,
  resources: readonly ResourceRow[],
): Promise<Map<string, FoundLinks>> {
  const found = new Map<string, FoundLinks>();
  if (resources.length === 0 || type.navigations.length === 0) return found;
  for (const end of type.navigations) {
    const [here, there] = end.outgoing ? ['from_id', 'to_id'] : ['to_id', 'from_id'];
    const { rows } = await store.pool.query<{ id: string; keys: string[] }>(
      `select l.${here} as id, array_agg(o.key order by o.key collate "C") as keys
       from link l join resource o on o.entity_type_id = ${end.entityTypeId} and o.id = l.${there}
       where l.navigation_property_id = ${end.id} and l.${here} = any($1::bigint[]) group by 1`,
      [resources.map(({ id }) => id)],
    );
    for (const { id, keys } of rows) {
      const ofResource: FoundLinks = found.get(id) ?? new Map();
      found.set(id, ofResource.set(end, keys));
    }
  }
  return found;
}

function linksOf(
  type: StoredEntityType,
  found: FoundLinks | undefined,
): Record<string, string | string[]> {
  const links: Record<string, string | string[]> = {};
  for (const end of type.navigations) {
    const keys = found?.get(end);
    if (keys === undefined) continue;
    links[end.name] = end.singleValued ? (keys[0] as string) : keys;
  }
  return links;
}

/** The key first, the others by name: PostgreSQL's own order of JSON members tells a reader nothing. */
function orderAttributes(
  { key }: StoredEntityType,
  attributes: Record<string, unknown>,
): Record<string, unknown> {
  const names = Object.keys(attributes).filter((name) => name !== key);
  const ordered = key in attributes ? [key, ...names.sort()] : names.sort();
  return Object.fromEntries(ordered.map((name) => [name, attributes[name]]));
}
