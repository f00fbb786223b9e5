/** What the statements that prepare a delta have in common: its id, the scopes compared, and how stored rows are judged. */
import type { PoolClient } from 'pg';

/** The comparison of one entity type or association with its extraction. */
export interface ScopeComparison {
  /** `r<entity type id>` or `l<navigation property id>`: how temporary tables name the scope. */
  readonly scope: string;
  /** Id of the entity type or navigation property. */
  readonly id: number;
  /** Its name, as breaches and counts print it. */
  readonly name: string;
  /** Name of the source file, for rejects. */
  readonly file: string;
  /** How many stored records the extraction does not show; `all` when it shows none of them. */
  readonly unseen: number | 'all';
  /** How many stored resources or links have no digest: edited, or never read from this source. */
  readonly withoutDigest: number;
}

/** One delta in preparation. */
export interface Plan {
  readonly session: PoolClient;
  readonly jobId: string;
  readonly deltaId: bigint;
  readonly connector: string;
  readonly entityTypes: readonly ScopeComparison[];
  readonly associations: readonly ScopeComparison[];
}

/**
 * SQL: true when the record of a stored row (of alias `row`) is not in the extraction as it was stored.
 */
export function isUnseen(comparison: ScopeComparison, row: string): string {
  const missing =
    comparison.unseen === 'all'
      ? 'true'
      : comparison.unseen === 0
        ? 'false'
        : `exists (select from unseen_digest u where u.scope = '${comparison.scope}' and u.digest = ${row}.source_digest)`;
  return `(${row}.source_digest is null or ${missing})`;
}

/** True when no stored row of this scope can be missing from the extraction. */
export function allSeen({ unseen, withoutDigest }: ScopeComparison): boolean {
  return unseen === 0 && withoutDigest === 0;
}

/** SQL: the resources as they will be once the delta is applied (`id`, `entity_type_id`, `key`). */
export const futureResources = `(
  select r.id, r.entity_type_id, r.key from resource r
  where not exists (select from deleted_resource d where d.id = r.id)
  union all
  select id, entity_type_id, key from inserted_resource)`;
