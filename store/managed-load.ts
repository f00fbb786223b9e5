/** What the load of a delta does beside its changes where they are of what is managed by us. */
import type { PoolClient } from 'pg';
import { localAuthority } from '../engine/managed-type.ts';
import type { PlannedRows } from './delta-digest.ts';

/** What of a planned delta is managed by us: ids of entity types and of navigation properties. */
async function managedScopes(
  session: PoolClient,
  planned: readonly PlannedRows[],
): Promise<readonly number[]> {
  const idsOf = (table: PlannedRows['table']) =>
    planned.filter((rows) => rows.table === table).map(({ scope }) => scope);
  const { rows } = await session.query<{ id: number }>(
    `select id from entity_type where id = any($1::int[]) and connector is null
     union all
     select id from navigation_property where id = any($2::int[]) and connector is null`,
    [idsOf('resource_change'), idsOf('link_change')],
  );
  return rows.map(({ id }) => id);
}

/**
 * Makes whoever loads what is managed by us take turns: mappings of any connector and people write the same resources, and
 * a link must not come to a resource while another transaction deletes it.
 *
 * @returns whether the delta holds any of it
 */
export async function takeManagedTurn(
  session: PoolClient,
  planned: readonly PlannedRows[],
): Promise<boolean> {
  if ((await managedScopes(session, planned)).length === 0) return false;
  await session.query(`select pg_advisory_xact_lock(hashtextextended('load:' || $1, 0))`, [
    localAuthority,
  ]);
  return true;
}

/** SQL: managed resources whose key property the delta `$1` changes, with the new key. */
const moved = `select c.entity_type_id, c.resource_id, c.after ->> t.key as key
  from resource_change c join entity_type t on t.id = c.entity_type_id and t.connector is null
  where c.delta_id = $1 and c.change = 'update' and c.after ->> t.key <> c.key`;

/** A managed resource whose key property has changed is known by its new key. */
export async function moveKeys(session: PoolClient, deltaId: bigint): Promise<void> {
  await session.query(
    `update resource r set key = m.key from (${moved}) m
     where r.entity_type_id = m.entity_type_id and r.id = m.resource_id`,
    [deltaId],
  );
}

/** Its matches know it by its new key, too; those that the same delta makes must be there. */
export async function moveKeysOfMatches(session: PoolClient, deltaId: bigint): Promise<void> {
  for (const side of ['first', 'second']) {
    await session.query(
      `update match set ${side}_key = m.key from (${moved}) m
       where ${side}_type_id = m.entity_type_id and ${side}_id = m.resource_id`,
      [deltaId],
    );
  }
}

/** Forgets who set the values of the resources that a delta deletes. */
export async function forgetOrigins(session: PoolClient, deltaId: bigint): Promise<void> {
  await session.query(
    `delete from value_origin o using resource_change c
     where c.delta_id = $1 and c.change = 'delete' and o.entity_type_id = c.entity_type_id
       and o.resource_id = c.resource_id`,
    [deltaId],
  );
}

/** One line in the audit log for the edit that a job was: who changed what of which resource, without its values. */
export async function auditEdit(session: PoolClient, jobId: string): Promise<void> {
  await session.query(
    `insert into audit_event (actor, action, subject, detail)
     select coalesce(j.requested_by, 'unknown'), 'resource-edited', j.id, jsonb_strip_nulls(jsonb_build_object(
       'entityType', e.entity_type, 'edit', e.request ->> 'action', 'key', e.request ->> 'key',
       'properties', (select jsonb_agg(name) from json_object_keys(e.request -> 'values') name),
       'property', e.request ->> 'property', 'other', e.request ->> 'other',
       'reason', e.request ->> 'reason', 'claimedBy', e.requested_by))
     from job j join edit_request e on e.id = j.id
     where j.id = $1 and j.task = 'edit' and e.entity_type <> ''`,
    [jobId],
  );
}
