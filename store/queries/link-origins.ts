/** Why the links of a resource are there: which job made each, from which line of which source. */
import type { StoredEntityType } from './entity-types.ts';
import type { ReadStore } from './read-store.ts';
import { type ChangeOrigin, originsOf } from './resource-history.ts';

/** One stored link, seen from one of its ends. **Danger:** identity data. */
export interface LinkOrigin {
  /** As {@link StoredEntityType.navigations} calls it. */
  readonly property: string;
  /** The scope: `sab_user.organisation` of a reference, the name of an association. */
  readonly association: string;
  readonly entityType: string;
  /** Of the resource at the other end. */
  readonly key: string;
  /** Null when somebody other than a load made the link, or the history of its job is gone. */
  readonly origin: ChangeOrigin | null;
  /** Line of its row in the extraction of that job; null where the change is not kept. */
  readonly line: number | null;
}

interface LinkRow {
  readonly id: number;
  readonly association: string;
  readonly from: string;
  readonly to: string;
  readonly deltaId: string | null;
}

/** The links of a resource both ways, so many of each navigation property at most, in the order of the other ends’ keys. */
export async function linkOrigins(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
  limit: number,
): Promise<LinkOrigin[]> {
  const found = await Promise.all(
    type.navigations.map(async (end) => {
      const [here, there] = end.outgoing ? ['from', 'to'] : ['to', 'from'];
      const { rows } = await store.pool.query<LinkRow>(
        `select n.id, n.scope as association, l.delta_id as "deltaId", h.key as ${here}, o.key as ${there}
         from resource h join link l on l.navigation_property_id = $2 and l.${here}_id = h.id
         join resource o on o.entity_type_id = $3 and o.id = l.${there}_id
         join navigation_property n on n.id = l.navigation_property_id
         where h.entity_type_id = $1 and h.key = $4 order by o.key collate "C" limit $5`,
        [type.id, end.id, end.entityTypeId, key, limit],
      );
      return rows.map((row) => ({ end, row }));
    }),
  );
  const links = found.flat();
  const deltaIds = [...new Set(links.flatMap(({ row }) => row.deltaId ?? []))];
  const [origins, lines] = await Promise.all([
    originsOf(store, deltaIds),
    linesOf(
      store,
      links.map(({ row }) => row),
    ),
  ]);
  return links.map(({ end, row }) => ({
    property: end.name,
    association: row.association,
    entityType: end.entityType,
    key: end.outgoing ? row.to : row.from,
    origin: origins.get(row.deltaId ?? '') ?? null,
    line: lines.get(nameOf(row)) ?? null,
  }));
}

/** The lines that the changes which made these links have noted: one look through the changes of their deltas. */
async function linesOf(
  { pool }: ReadStore,
  links: readonly LinkRow[],
): Promise<Map<string, number>> {
  const known = links.filter(({ deltaId }) => deltaId !== null);
  if (known.length === 0) return new Map();
  const { rows } = await pool.query<LinkRow & { line: number }>(
    `select c.navigation_property_id as id, c.from_key as from, c.to_key as to, c.delta_id as "deltaId", c.line
     from link_change c
     join unnest($1::bigint[], $2::int[], $3::text[], $4::text[]) as l (delta_id, id, from_key, to_key)
       on c.delta_id = l.delta_id and c.navigation_property_id = l.id
         and c.from_key = l.from_key and c.to_key = l.to_key
     where c.line is not null and c.change <> 'delete'
       and c.delta_id = any ($1::bigint[]) and c.navigation_property_id = any ($2::int[])`,
    [
      known.map(({ deltaId }) => deltaId),
      known.map(({ id }) => id),
      known.map(({ from }) => from),
      known.map(({ to }) => to),
    ],
  );
  return new Map(rows.map((row) => [nameOf(row), row.line]));
}

function nameOf({ id, from, to, deltaId }: LinkRow): string {
  return JSON.stringify([deltaId, id, from, to]);
}
