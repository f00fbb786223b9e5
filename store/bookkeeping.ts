/** What a load writes beside resources and links, so that the next delta knows what this one was prepared from. */
import type { PoolClient } from 'pg';

/** Applies what a delta says of these kinds. */
export async function keepBooks(
  session: PoolClient,
  deltaId: bigint,
  kinds: ReadonlySet<string>,
): Promise<void> {
  for (const [kind, statement] of Object.entries(bookkeeping)) {
    if (kinds.has(kind)) await session.query(statement, [deltaId]);
  }
}

/** What each kind of bookkeeping means for the store. */
const bookkeeping = {
  'pending-remove': `delete from pending_link p using bookkeeping b
     where b.delta_id = $1 and b.kind = 'pending-remove' and p.navigation_property_id = b.navigation_property_id
       and p.from_key = b.from_key and p.to_key = b.to_key`,
  'pending-add': `insert into pending_link (navigation_property_id, from_key, to_key, source_digest)
     select distinct on (navigation_property_id, from_key, to_key)
       navigation_property_id, from_key, to_key, source_digest
     from bookkeeping where delta_id = $1 and kind = 'pending-add'
     on conflict (navigation_property_id, from_key, to_key) do update set source_digest = excluded.source_digest`,
  'resource-digest': `update resource r set source_digest = b.source_digest from bookkeeping b
     where b.delta_id = $1 and b.kind = 'resource-digest' and r.entity_type_id = b.entity_type_id
       and r.id = b.resource_id and r.source_digest is not null`,
  'resource-digest-first': `update resource r set source_digest = b.source_digest from bookkeeping b
     where b.delta_id = $1 and b.kind = 'resource-digest-first' and r.entity_type_id = b.entity_type_id
       and r.id = b.resource_id`,
  'link-digest': `update link l set source_digest = b.source_digest from bookkeeping b
     where b.delta_id = $1 and b.kind = 'link-digest' and l.navigation_property_id = b.navigation_property_id
       and l.from_id = b.from_id and l.to_id = b.to_id`,
  'compare-again': `delete from scope_source s using bookkeeping b
     where b.delta_id = $1 and b.kind = 'compare-again' and s.scope = b.from_key`,
  source: `insert into scope_source (scope, sha256, seed, stored)
     select from_key, to_key, source_digest, resource_id from bookkeeping where delta_id = $1 and kind = 'source'
     on conflict (scope) do update set sha256 = excluded.sha256, seed = excluded.seed, stored = excluded.stored`,
  cursor: `insert into cursor (connector, entity_type, value, job_id)
     select j.connector, b.from_key, b.to_key, j.id
     from bookkeeping b join delta d on d.id = b.delta_id join job j on j.id = d.job_id
     where b.delta_id = $1 and b.kind = 'cursor'
     on conflict (connector, entity_type) do update
       set value = excluded.value, job_id = excluded.job_id, moved_at = now()`,
  'value-origin': `insert into value_origin as o (entity_type_id, resource_id, origins)
     select entity_type_id, resource_id, json_object_agg(from_key, to_key)
     from bookkeeping where delta_id = $1 and kind = 'value-origin' group by 1, 2
     on conflict (entity_type_id, resource_id) do update
       set origins = jsonb_strip_nulls(o.origins::jsonb || excluded.origins::jsonb)::json`,
  edit: `delete from edit e using bookkeeping b
     where b.delta_id = $1 and b.kind = 'edit' and e.scope = b.from_key and e.transaction = b.resource_id`,
} satisfies Record<string, string>;
