/** What each scope was last read from: as long as nobody wrote to it since, the same bytes need no second look. */
import type { PoolClient } from 'pg';
import type { Plan } from './plan.ts';

/** The bytes that a scope was read from, all of them and without a reject. */
export interface ScopeSource {
  /** `r<entity type id>` or `l<navigation property id>`. */
  readonly scope: string;
  /** SHA-256 of the extracted file. */
  readonly sha256: string;
  /** The seed of the record digests, as a uuid: it stands for header, mapping and formats. */
  readonly seed: string;
  /** How many resources or links the scope holds. */
  readonly stored: number;
}

/**
 * The sources of the scopes that hold exactly what was read from them: nobody edited them since, and none of their links
 * waits for its target (which is reported anew at every job).
 */
export async function untouchedSources(session: PoolClient): Promise<Map<string, ScopeSource>> {
  const { rows } = await session.query<Omit<ScopeSource, 'stored'> & { stored: string }>(
    `select scope, sha256, seed::text as seed, stored from scope_source s
     where not exists (select from edit e where e.scope = s.scope)
       and not exists (
         select from pending_link p join navigation_property n on n.id = p.navigation_property_id
         where s.scope = case when n.single_valued then 'r' || n.from_entity_type_id else 'l' || n.id end)`,
  );
  return new Map(rows.map((row) => [row.scope, { ...row, stored: Number(row.stored) }]));
}

/**
 * Makes a delta that touches a scope forget what the scope was read from: it read changes only, so that nobody knows what
 * the scope holds then. Edits stay noted: nobody has compared them.
 */
export async function forgetSource({ session, deltaId }: Plan, scope: string): Promise<void> {
  const ofNavigation = `$2 in ('l' || n.id, case when n.single_valued then 'r' || n.from_entity_type_id end)`;
  await session.query(
    `insert into bookkeeping (delta_id, kind, from_key)
     select $1, 'compare-again', scope from scope_source where scope = $2 and (
       exists (select from resource_change where delta_id = $1 and 'r' || entity_type_id = $2)
       or exists (select from link_change c join navigation_property n on n.id = c.navigation_property_id
                  where c.delta_id = $1 and ${ofNavigation})
       or exists (select from bookkeeping b left join navigation_property n on n.id = b.navigation_property_id
                  where b.delta_id = $1 and ('r' || b.entity_type_id = $2 or ${ofNavigation})))`,
    [deltaId, scope],
  );
}

/**
 * Makes the delta remember what a scope was read from, unless the store remembers it already, and forget the edits
 * that this comparison has seen; those that come to light later are kept.
 *
 * @param source null when rejects make every job look at the scope again
 * @param changes whether the delta writes to the scope: then what is remembered of it is forgotten first
 */
export async function noteSource(
  { session, deltaId }: Plan,
  scope: string,
  source: ScopeSource | null,
  changes: boolean,
): Promise<void> {
  await session.query(
    `insert into bookkeeping (delta_id, kind, from_key, resource_id)
     select $1, 'edit', scope, transaction from edit where scope = $2`,
    [deltaId, scope],
  );
  if (source === null) return;
  await session.query(
    `insert into bookkeeping (delta_id, kind, from_key, to_key, source_digest, resource_id)
     select $1, 'source', $2, $3, $4, $5 where ${changes} or not exists (
       select from scope_source where scope = $2 and sha256 = $3 and seed = $4 and stored = $5)`,
    [deltaId, scope, source.sha256, source.seed, source.stored],
  );
}
