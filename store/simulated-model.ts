/** A model that only one transaction sees: what a simulation is prepared against, so that it leaves the store as it is. */
import type { PoolClient } from 'pg';
import type { ConfigurationChange } from '../engine/configuration-change.ts';
import {
  type StoredModel,
  type StoredNavigation,
  upsertEntityTypes,
  upsertNavigations,
} from './model-store.ts';
import type { Model } from './modelled-type.ts';

/** What a delta names that the store does not know. */
export interface ProvisionalScopes {
  readonly entityTypes: readonly { readonly id: number; readonly name: string }[];
  readonly navigations: readonly {
    readonly id: number;
    readonly scope: string;
    readonly property: string;
    readonly from: string;
    readonly to: string;
  }[];
}

/**
 * Lets the rest of a transaction see a configuration as the model of the store. Neither the model itself nor the views and
 * indexes made from it are touched: temporary tables of the same names come before the store's.
 *
 * What the store does not know gets numbers that nothing else will ever have.
 */
export async function simulateModel(session: PoolClient, model: Model): Promise<StoredModel> {
  for (const table of ['entity_type', 'navigation_property']) {
    await session.query(
      `create temporary table ${table} (like public.${table} including defaults including indexes) on commit drop;
       insert into ${table} select * from public.${table}`,
    );
  }
  const entityTypeIds = await upsertEntityTypes(session, model);
  await upsertNavigations(session, model, entityTypeIds);
  const { rows } = await session.query<StoredNavigation>(
    `select id, scope, connector, from_entity_type_id as "fromEntityTypeId", to_entity_type_id as "toEntityTypeId",
       property, inverse, single_valued as "singleValued" from navigation_property order by scope`,
  );
  return { entityTypeIds, navigations: new Map(rows.map((each) => [each.scope, each])) };
}

/** Keeps the names of what only the simulation knows with its delta, so that its changes can be told. */
export async function keepProvisional(session: PoolClient, deltaId: bigint): Promise<void> {
  await session.query(
    `update delta set provisional = jsonb_build_object(
       'entityTypes', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name)), '[]') from entity_type t
         where not exists (select from public.entity_type p where p.id = t.id)),
       'navigations', (select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'scope', n.scope, 'property', n.property,
           'from', f.name, 'to', t.name)), '[]')
         from navigation_property n join entity_type f on f.id = n.from_entity_type_id
         join entity_type t on t.id = n.to_entity_type_id
         where not exists (select from public.navigation_property p where p.id = n.id)))
     where id = $1`,
    [deltaId],
  );
}

/** Keeps what the configuration has changed since the last load with a delta. */
export async function keepConfigurationChanges(
  session: PoolClient,
  deltaId: bigint,
  changes: readonly ConfigurationChange[],
): Promise<void> {
  if (changes.length === 0) return;
  await session.query('update delta set configuration_changes = $2 where id = $1', [
    deltaId,
    JSON.stringify(changes),
  ]);
}
