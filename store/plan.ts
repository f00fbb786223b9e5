/** What the statements that prepare a delta have in common: its id, the scopes compared, and how stored rows are judged. */

import type { PoolClient } from 'pg';
import type { SummedDigests } from '../engine/digest-sum.ts';
import type { SourcePart } from '../engine/source-part.ts';
import type { StoredNavigation } from './model-store.ts';

/** The comparison of one entity type or association with its extraction. */
export interface ScopeComparison {
  /** `r<entity type id>` or `l<navigation property id>`: how temporary tables name the scope. */
  readonly scope: string;
  /** Id of the entity type or navigation property. */
  readonly id: number;
  /** Its name, as breaches and counts print it. */
  readonly name: string;
  /** Name of the source, for rejects: its file's, where it has no parts. */
  readonly file: string;
  /** The files that its lines are from. */
  readonly parts: readonly SourcePart[] | undefined;
  /** Nothing of it was ever loaded: its usable rows are in the delta already, as inserts. */
  readonly fresh: boolean;
  /** The table of its changes: one of its own in a large first load. */
  readonly changes: string;
  /** How many resources or links are stored. */
  readonly stored: number;
  /** How many records of the extraction are not stored as they are. */
  readonly staged: number;
  /** False when it is known that no key, and no pair of keys, stands on two of the staged rows. */
  readonly mayRepeat: boolean;
  /**
   * Of a first load of links: false when every end is the key of a resource that this delta inserts, as far as 64 bits of
   * a key tell. The load joins the ends, and goes back when one is missing after all.
   */
  readonly mayDangle: boolean;
  /** Of a first load: the usable rows, as they were written. Left out: they have to be counted. */
  readonly usable?: SummedDigests;
  /** How many stored records the extraction does not show; `all` when it shows none of them. */
  readonly unseen: number | 'all';
  /**
   * Of an incremental job: what the extraction does not show is not gone, but so many rows are marked as deleted. Left
   * out: what it does not show is.
   */
  readonly partial?: { readonly deleted: number };
  /** How many stored resources or links have no digest: edited, or never read from this source. */
  readonly withoutDigest: number;
  /**
   * How unseen rows are found by the keys of their records, of which there is one for each: `staged` with their digests
   * among the deletions, or looked up already, beside. Left out, or if the answer is undefined: they have to be looked for.
   */
  readonly gone?: 'staged' | Promise<FoundRows | undefined> | undefined;
}

/** Stored rows that were found in another session. */
export interface FoundRows {
  readonly count: number;
  /** Each column as PostgreSQL writes an array. */
  readonly columns: readonly string[];
}

/** What the changes of resources are planned from. */
export interface ResourceComparison {
  readonly session: PoolClient;
  readonly deltaId: bigint;
  readonly entityTypes: readonly ScopeComparison[];
}

/** One delta in preparation. */
export interface Plan extends ResourceComparison {
  readonly jobId: string;
  readonly connector: string;
  readonly associations: readonly ScopeComparison[];
  /** Every navigation property that the store knows, whoever owns it. */
  readonly navigations: readonly StoredNavigation[];
}

/**
 * SQL: true when the record of a stored row (of alias `row`) is not in the extraction as it was stored.
 */
export function isUnseen(comparison: ScopeComparison, row: string): string {
  const { scope, unseen, withoutDigest } = comparison;
  if (unseen === 'all') return 'true';
  const edited = `${row}.source_digest is null`;
  const missing = `exists (select from unseen_digest u where u.scope = '${scope}' and u.digest = ${row}.source_digest)`;
  if (unseen === 0) return withoutDigest === 0 ? 'false' : edited;
  return withoutDigest === 0 ? missing : `(${edited} or ${missing})`;
}

/** True when no stored row of this scope can be missing from the extraction. */
export function allSeen({ unseen, withoutDigest }: ScopeComparison): boolean {
  return unseen === 0 && withoutDigest === 0;
}

/** SQL: the usable rows of an entity type that the extraction does not show as they are stored (`key`, `digest`, `line`). */
export function usableRows({ deltaId }: Plan, { id, fresh, changes }: ScopeComparison): string {
  return fresh
    ? `(select key, source_digest as digest, line from ${changes}
        where delta_id = ${deltaId} and entity_type_id = ${id})`
    : `(select key, digest, line from staged_row where entity_type_id = ${id} and code is null)`;
}

/** The resources as they will be once the delta is applied. Made by {@link noteComingsAndGoings}. */
export class FutureResources {
  readonly #deltaId: bigint;
  readonly #fresh: ReadonlyMap<number, string>;
  readonly #inserted: ReadonlySet<number>;
  readonly #deleted: ReadonlySet<number>;

  /**
   * Takes the ids of the entity types that were never loaded (with the tables of their changes), that the delta inserts
   * into, and that it deletes from.
   */
  constructor(
    deltaId: bigint,
    fresh: ReadonlyMap<number, string>,
    inserted: ReadonlySet<number>,
    deleted: ReadonlySet<number>,
  ) {
    this.#deltaId = deltaId;
    this.#fresh = fresh;
    this.#inserted = inserted;
    this.#deleted = deleted;
  }

  inserts(entityTypeId: number): boolean {
    return this.#fresh.has(entityTypeId) || this.#inserted.has(entityTypeId);
  }

  deletes(entityTypeId: number): boolean {
    return this.#deleted.has(entityTypeId);
  }

  /**
   * SQL: joins the resource of a key, if there is one: stored (also one that will be deleted) as `alias`, or inserted. Its
   * id is to be read by {@link idOf}; `alias.id` alone is that of the stored one.
   *
   * Two joins rather than one with their union, which keeps the planner from looking up a few by their keys.
   */
  join(entityTypeId: number, alias: string, key: string): string {
    const changes = this.#fresh.get(entityTypeId);
    if (changes !== undefined) {
      return `left join (select resource_id as id, key from ${changes}
        where delta_id = ${this.#deltaId} and entity_type_id = ${entityTypeId} and change = 'insert') ${alias}
        on ${alias}.key = ${key}`;
    }
    const on = (joined: string) =>
      `${joined}.entity_type_id = ${entityTypeId} and ${joined}.key = ${key}`;
    const stored = `left join resource ${alias} on ${on(alias)}`;
    const inserted = `left join inserted_resource new_${alias} on ${on(`new_${alias}`)}`;
    return this.#inserted.has(entityTypeId) ? `${stored} ${inserted}` : stored;
  }

  /** SQL: the id of such a resource, null when it does not exist or will be deleted. */
  idOf(entityTypeId: number, alias: string): string {
    const stored = this.deletes(entityTypeId)
      ? `case when ${alias}.id not in (select id from deleted_resource) then ${alias}.id end`
      : `${alias}.id`;
    return this.#inserted.has(entityTypeId) ? `coalesce(${stored}, new_${alias}.id)` : stored;
  }
}

/**
 * Inserted and deleted resources, apart: of the table of all changes the planner knows nothing yet, and would look up a
 * hundred thousand new resources one by one in a list. Those of a first load stay where they are.
 */
export async function noteComingsAndGoings({
  session,
  deltaId,
  entityTypes,
}: Plan): Promise<FutureResources> {
  const fresh = entityTypes
    .filter((type) => type.fresh && type.staged > 0)
    .map(({ id, changes }) => [id, changes] as const);
  const compared = entityTypes.filter((type) => !type.fresh).map(({ id }) => id);
  const types = `delta_id = ${deltaId} and entity_type_id = any('{${compared}}')`;
  await session.query(
    `create temporary table inserted_resource on commit drop as
       select resource_id as id, entity_type_id, key from resource_change where ${types} and change = 'insert';
     create temporary table deleted_resource on commit drop as
       select resource_id as id, entity_type_id from resource_change where ${types} and change = 'delete';
     create index on inserted_resource (entity_type_id, key);
     analyze inserted_resource; analyze deleted_resource`,
  );
  const typesOf = async (table: string) => {
    const { rows } = await session.query<{ id: number }>(
      `select distinct entity_type_id as id from ${table}`,
    );
    return new Set(rows.map(({ id }) => id));
  };
  const [inserted, deleted] = [
    await typesOf('inserted_resource'),
    await typesOf('deleted_resource'),
  ];
  return new FutureResources(deltaId, new Map(fresh), inserted, deleted);
}
