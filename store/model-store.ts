/** The entity types and navigation properties that the store knows, and the typed SQL views generated from them. */
import { referenceScope } from '../engine/entity-type.ts';
import type { Session, Store } from './database.ts';
import {
  type Model,
  type ModelledType,
  modelledAssociations,
  modelledTypes,
} from './modelled-type.ts';
import { refreshViews } from './views.ts';

/** A navigation property as the store numbers it. */
export interface StoredNavigation {
  readonly id: number;
  readonly scope: string;
  /** Null between managed entity types. */
  readonly connector: string | null;
  readonly fromEntityTypeId: number;
  readonly toEntityTypeId: number;
  readonly property: string;
  readonly inverse: string | null;
  readonly singleValued: boolean;
}

/** The numbers that the store gives to names. */
export interface StoredModel {
  /** Entity type name → id. */
  readonly entityTypeIds: ReadonlyMap<string, number>;
  /** Scope → navigation property. */
  readonly navigations: ReadonlyMap<string, StoredNavigation>;
}

/** Any number: it names the lock under which configurations are applied one after another. */
const modelLock = 7_105_102;

/**
 * Makes the store know the entity types and navigation properties of a configuration and makes the views say the same.
 * What the configuration no longer declares keeps its rows.
 */
export async function applyModel(store: Store, model: Model): Promise<StoredModel> {
  return await store.transaction('read committed', async (session) => {
    await session.query('select pg_advisory_xact_lock($1)', [modelLock]);
    const entityTypeIds = await upsertEntityTypes(session, model);
    for (const id of entityTypeIds.values())
      await session.query('select index_searchable($1)', [id]);
    const navigations = await upsertNavigations(session, model, entityTypeIds);
    await refreshViews(session, model, { entityTypeIds, navigations });
    return { entityTypeIds, navigations };
  });
}

/** Reads the numbers of the entity types that a configuration declares, and of every navigation property. */
export async function readModel(store: Store, model: Model): Promise<StoredModel> {
  const { prisma } = store;
  const declared = modelledTypes(model).map(({ name }) => name);
  const types = await prisma.entityType.findMany({ where: { name: { in: declared } } });
  const entityTypeIds = new Map(types.map(({ name, id }) => [name, id]));
  const navigations = await prisma.navigationProperty.findMany({ orderBy: { scope: 'asc' } });
  return { entityTypeIds, navigations: new Map(navigations.map((each) => [each.scope, each])) };
}

/** Declares the entity types. @returns their ids by name */
export async function upsertEntityTypes(
  session: Session,
  model: Model,
): Promise<Map<string, number>> {
  const types = modelledTypes(model);
  const { rows } = await session.query<{ id: number; name: string }>(
    `insert into entity_type (name, connector, key, properties, searchable)
     select name, connector, key, properties, array(select jsonb_array_elements_text(searchable))
     from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[]) as t (name, connector, key, properties, searchable)
     on conflict (name) do update set connector = excluded.connector, key = excluded.key,
       properties = excluded.properties, searchable = excluded.searchable
     returning id, name`,
    [
      types.map(({ name }) => name),
      types.map(({ connector }) => connector),
      types.map(({ key }) => key),
      types.map((type) => JSON.stringify(scalarTypes(type))),
      types.map(({ searchable }) => JSON.stringify(searchable)),
    ],
  );
  return new Map(rows.map(({ name, id }) => [name, id]));
}

/** Declares the navigation properties. @returns those of the configuration, by scope */
export async function upsertNavigations(
  session: Session,
  model: Model,
  ids: ReadonlyMap<string, number>,
): Promise<Map<string, StoredNavigation>> {
  const declared = [...declaredNavigations(model, ids)];
  const { rows } = await session.query<StoredNavigation>(
    `insert into navigation_property
       (scope, connector, from_entity_type_id, to_entity_type_id, property, inverse, single_valued)
     select * from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::boolean[])
     on conflict (scope) do update
       set connector = excluded.connector, from_entity_type_id = excluded.from_entity_type_id,
           to_entity_type_id = excluded.to_entity_type_id, property = excluded.property,
           inverse = excluded.inverse, single_valued = excluded.single_valued
     returning id, scope, connector, from_entity_type_id as "fromEntityTypeId",
       to_entity_type_id as "toEntityTypeId", property, inverse, single_valued as "singleValued"`,
    [
      declared.map(({ scope }) => scope),
      declared.map(({ connector }) => connector),
      declared.map(({ fromEntityTypeId }) => fromEntityTypeId),
      declared.map(({ toEntityTypeId }) => toEntityTypeId),
      declared.map(({ property }) => property),
      declared.map(({ inverse }) => inverse),
      declared.map(({ singleValued }) => singleValued),
    ],
  );
  return new Map(rows.map((navigation) => [navigation.scope, navigation]));
}

function* declaredNavigations(
  model: Model,
  ids: ReadonlyMap<string, number>,
): Iterable<Omit<StoredNavigation, 'id'>> {
  const idOf = (name: string) => ids.get(name) as number;
  for (const type of modelledTypes(model)) {
    for (const property of type.properties) {
      if (property.kind !== 'reference') continue;
      yield {
        scope: referenceScope(type.name, property.name),
        connector: type.connector,
        fromEntityTypeId: idOf(type.name),
        toEntityTypeId: idOf(property.references),
        property: property.name,
        inverse: null,
        singleValued: true,
      };
    }
  }
  for (const { name, connector, from, to } of modelledAssociations(model)) {
    yield {
      scope: name,
      connector,
      fromEntityTypeId: idOf(from.entityType),
      toEntityTypeId: idOf(to.entityType),
      property: from.property,
      inverse: to.property,
      singleValued: false,
    };
  }
}

/** Property → type, of the scalar ones. */
function scalarTypes({ properties }: ModelledType): Record<string, string> {
  return Object.fromEntries(
    properties.flatMap((property) =>
      property.kind === 'scalar' ? [[property.name, property.type]] : [],
    ),
  );
}
