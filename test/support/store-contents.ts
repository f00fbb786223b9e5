/** What an identity store holds, read naively and in one order, so that two readings can be compared. */
import type { Store } from '../../store/database.ts';

/** Everything a source can put into a store; digests and ids left out. */
export interface Contents {
  /** Entity type → key → attributes. */
  readonly resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Scope → `from → to`, sorted. */
  readonly links: Readonly<Record<string, readonly string[]>>;
  /** Scope → `from → to`, sorted. */
  readonly pending: Readonly<Record<string, readonly string[]>>;
}

/** Reads the whole store. */
export async function readContents({ pool }: Store): Promise<Contents> {
  const resources: Record<string, Record<string, unknown>> = {};
  const stored = await pool.query<{ type: string; key: string; attributes: unknown }>(
    `select t.name as type, r.key, r.attributes from resource r join entity_type t on t.id = r.entity_type_id
     order by t.name, r.key collate "C"`,
  );
  for (const { type, key, attributes } of stored.rows) {
    resources[type] ??= Object.create(null) as Record<string, unknown>;
    resources[type][key] = attributes;
  }
  const links = await byScope(
    { pool },
    `select n.scope, f.key as from, t.key as to from link l
     join navigation_property n on n.id = l.navigation_property_id
     left join resource f on f.id = l.from_id left join resource t on t.id = l.to_id`,
  );
  const pending = await byScope(
    { pool },
    `select n.scope, p.from_key as from, p.to_key as to from pending_link p
     join navigation_property n on n.id = p.navigation_property_id`,
  );
  return { resources, links, pending };
}

async function byScope({ pool }: Pick<Store, 'pool'>, query: string) {
  const { rows } = await pool.query<{ scope: string; from: string; to: string }>(query);
  const found: Record<string, string[]> = {};
  for (const { scope, from, to } of rows) {
    found[scope] ??= [];
    found[scope].push(`${from} → ${to}`);
  }
  for (const list of Object.values(found)) list.sort();
  return found;
}
