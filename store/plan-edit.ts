/** Writes the changes of an edit into its delta: one resource, its references and links. */
import type { PoolClient } from 'pg';
import type { StoredManaged } from '../engine/edit.ts';
import type { StoredNavigation } from './model-store.ts';

/** A delta that is being prepared from an edit. */
export interface EditPlan {
  readonly session: PoolClient;
  readonly deltaId: bigint;
}

/** A resource that is stored, or will be. */
export interface ResourceEnd {
  readonly id: string;
  readonly key: string;
}

/** A managed resource with its references, each by its navigation property. */
export async function storedManaged(
  { session }: EditPlan,
  entityTypeId: number,
  key: string,
  references: readonly StoredNavigation[],
): Promise<(StoredManaged & ResourceEnd) | undefined> {
  const { rows } = await session.query<StoredManaged & { id: string }>(
    `select r.id, r.attributes, coalesce(o.origins, '{}') as origins, coalesce((
       select json_object_agg(n.property, t.key) from link l
       join navigation_property n on n.id = l.navigation_property_id
       join resource t on t.entity_type_id = n.to_entity_type_id and t.id = l.to_id
       where l.navigation_property_id = any($3::int[]) and l.from_id = r.id), '{}') as references
     from resource r left join value_origin o on o.entity_type_id = r.entity_type_id and o.resource_id = r.id
     where r.entity_type_id = $1 and r.key = $2`,
    [entityTypeId, key, references.map(({ id }) => id)],
  );
  const [found] = rows;
  return found && { ...found, key };
}

/** A resource by its key, or undefined. */
export async function resourceEnd(
  { session }: EditPlan,
  entityTypeId: number,
  key: string,
): Promise<ResourceEnd | undefined> {
  const { rows } = await session.query<ResourceEnd>(
    'select id, key from resource where entity_type_id = $1 and key = $2',
    [entityTypeId, key],
  );
  return rows[0];
}

/** The digest of a planned change is that of what it leaves; of a deletion, of what was there. */
const digest = (json: string) => `md5((${json})::text)::uuid`;

/** @returns the id that the resource will have */
export async function planInsert(
  { session, deltaId }: EditPlan,
  entityTypeId: number,
  key: string,
  attributes: StoredManaged['attributes'],
): Promise<string> {
  const { rows } = await session.query<{ id: string }>(
    `insert into resource_change (delta_id, entity_type_id, key, change, after, source_digest)
     values ($1, $2, $3, 'insert', $4::jsonb, ${digest('$4::jsonb')}) returning resource_id as id`,
    [deltaId, entityTypeId, key, JSON.stringify(attributes)],
  );
  return (rows[0] as { id: string }).id;
}

/** Plans nothing when the attributes are those that are stored. */
export async function planUpdate(
  { session, deltaId }: EditPlan,
  entityTypeId: number,
  id: string,
  attributes: StoredManaged['attributes'],
): Promise<void> {
  await session.query(
    `insert into resource_change (delta_id, entity_type_id, resource_id, key, change, before, after, source_digest)
     select $1, r.entity_type_id, r.id, r.key, 'update', r.attributes, $4::jsonb, ${digest('$4::jsonb')}
     from resource r where r.entity_type_id = $2 and r.id = $3 and r.attributes <> $4::jsonb`,
    [deltaId, entityTypeId, id, JSON.stringify(attributes)],
  );
}

/** Plans the deletion of a resource with all of its links. */
export async function planDelete(
  { session, deltaId }: EditPlan,
  entityTypeId: number,
  id: string,
  navigations: Iterable<StoredNavigation>,
): Promise<void> {
  await session.query(
    `insert into resource_change (delta_id, entity_type_id, resource_id, key, change, before, source_digest)
     select $1, r.entity_type_id, r.id, r.key, 'delete', r.attributes, ${digest('r.attributes')}
     from resource r where r.entity_type_id = $2 and r.id = $3`,
    [deltaId, entityTypeId, id],
  );
  for (const { id: navigation, fromEntityTypeId, toEntityTypeId } of navigations) {
    const ends = [
      ...(fromEntityTypeId === entityTypeId ? ['l.from_id = $3'] : []),
      ...(toEntityTypeId === entityTypeId ? ['l.to_id = $3'] : []),
    ];
    if (ends.length === 0) continue;
    await session.query(
      `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key)
       select $1, $2, 'delete', l.from_id, l.to_id, f.key, t.key
       from link l join resource f on f.entity_type_id = ${fromEntityTypeId} and f.id = l.from_id
       join resource t on t.entity_type_id = ${toEntityTypeId} and t.id = l.to_id
       where l.navigation_property_id = $2 and (${ends.join(' or ')})`,
      [deltaId, navigation, id],
    );
  }
}

/** How many resources refer to one by a single-valued navigation property. */
export async function countReferrers(
  { session }: EditPlan,
  navigation: number,
  id: string,
): Promise<number> {
  const { rows } = await session.query<{ count: number }>(
    'select count(*)::int as count from link where navigation_property_id = $1 and to_id = $2',
    [navigation, id],
  );
  return rows[0]?.count ?? 0;
}

/** True when two resources are linked. */
export async function isLinked(
  { session }: EditPlan,
  navigation: number,
  from: ResourceEnd,
  to: ResourceEnd,
): Promise<boolean> {
  const { rowCount } = await session.query(
    'select from link where navigation_property_id = $1 and from_id = $2 and to_id = $3',
    [navigation, from.id, to.id],
  );
  return rowCount === 1;
}

/** One link that comes, goes, or (of a reference) goes from another target to this one. */
export interface PlannedLink {
  readonly change: 'insert' | 'update' | 'delete';
  readonly from: ResourceEnd;
  readonly to: ResourceEnd;
  /** Of an update: the target before. */
  readonly previous?: ResourceEnd;
}

export async function planLink(
  { session, deltaId }: EditPlan,
  navigation: number,
  { change, from, to, previous }: PlannedLink,
): Promise<void> {
  await session.query(
    `insert into link_change (delta_id, navigation_property_id, change, from_id, to_id, from_key, to_key, previous_id, previous_key)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [deltaId, navigation, change, from.id, to.id, from.key, to.key, previous?.id, previous?.key],
  );
}

/** Notes who sets the values of properties that have an authority. */
export async function planOrigins(
  { session, deltaId }: EditPlan,
  entityTypeId: number,
  id: string,
  properties: readonly string[],
  origin: string,
): Promise<void> {
  if (properties.length === 0) return;
  await session.query(
    `insert into bookkeeping (delta_id, kind, entity_type_id, resource_id, from_key, to_key)
     select $1, 'value-origin', $2, $3, property, $5 from unnest($4::text[]) property`,
    [deltaId, entityTypeId, id, properties, origin],
  );
}

/** How many resources of an entity type are stored. */
export async function countStored({ session }: EditPlan, entityTypeId: number): Promise<number> {
  const { rows } = await session.query<{ count: number }>(
    'select count(*)::int as count from resource where entity_type_id = $1',
    [entityTypeId],
  );
  return rows[0]?.count ?? 0;
}

/** True when the delta updates or deletes one of these resources. */
export async function plansChangeOf(
  { session, deltaId }: EditPlan,
  entityTypeId: number,
  keys: readonly string[],
): Promise<boolean> {
  if (keys.length === 0) return false;
  const { rowCount } = await session.query(
    `select from resource_change
     where delta_id = $1 and entity_type_id = $2 and change <> 'insert' and key = any($3) limit 1`,
    [deltaId, entityTypeId, keys],
  );
  return rowCount !== 0;
}

/**
 * Of what a rollback gives back its value, nobody knows who had set that: whoever is named in the authority may set it
 * next.
 */
export async function forgetRolledBackOrigins(
  { session, deltaId }: EditPlan,
  undone: bigint,
): Promise<void> {
  await session.query(
    `insert into bookkeeping (delta_id, kind, entity_type_id, resource_id, from_key)
     select $1, 'value-origin', b.entity_type_id, b.resource_id, b.from_key from bookkeeping b
     where b.delta_id = $2 and b.kind = 'value-origin' and (
       exists (select from resource_change c where c.delta_id = $1 and c.change <> 'delete'
         and c.entity_type_id = b.entity_type_id and c.resource_id = b.resource_id)
       or exists (select from link_change l where l.delta_id = $1 and l.from_id = b.resource_id))`,
    [deltaId, undone],
  );
}
