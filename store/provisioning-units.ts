/** Reads what is left to write of a delta: resources with their changes, page by page, and where each is in the connected system. */
import type { PoolClient } from 'pg';
import type { Value } from '../engine/value-format.ts';
import type { Store } from './database.ts';
import { requireLease } from './lease-store.ts';
import type { LinkHolder } from './open-provisioning.ts';

export type Attributes = Readonly<Record<string, Value>>;

/** The other end of a link that is to be written. **Danger:** identity data. */
export interface LinkToWrite {
  /** Number of the change. */
  readonly id: string;
  readonly navigationId: number;
  readonly change: 'insert' | 'update' | 'delete';
  readonly otherKey: string;
  /** What the store holds of it; null when it is not there. */
  readonly other: Attributes | null;
  /** It is to be created by the same delta, which has not been done yet. */
  readonly otherIsComing: boolean;
}

/** One resource that is to be written. **Danger:** identity data. */
export interface ProvisioningUnit {
  readonly entityTypeId: number;
  readonly resourceId: bigint;
  readonly key: string;
  readonly operation: 'create' | 'update' | 'delete';
  /** Only links are left to write. */
  readonly written: boolean;
  readonly before: Attributes | null;
  readonly after: Attributes | null;
  /** What the store holds of it now; null of one that is to be created. */
  readonly stored: Attributes | null;
  readonly links: readonly LinkToWrite[];
}

/** Which units to read. */
export interface UnitPage {
  readonly connector: string;
  readonly jobId: string;
  readonly fence: number;
  readonly deltaId: bigint;
  readonly entityTypeId: number;
  readonly operations: readonly ProvisioningUnit['operation'][];
  /** Id of the last resource of the page before. */
  readonly after: bigint;
  readonly limit: number;
}

/**
 * The next units that are pending, in the order of their ids.
 *
 * @throws LockstepError `LeaseLost` when another job has taken the connector over
 */
export async function pendingUnits(
  store: Store,
  page: UnitPage,
  holders: readonly LinkHolder[],
): Promise<ProvisioningUnit[]> {
  return await store.transaction('read committed', async (session) => {
    await requireLease(session, page.connector, page.jobId, page.fence);
    const { rows } = await session.query<
      Omit<ProvisioningUnit, 'resourceId' | 'links'> & { id: string }
    >(
      `select p.entity_type_id as "entityTypeId", p.resource_id as id, p.key, p.operation, p.written,
         c.before, c.after, r.attributes as stored
       from provisioning p
       left join resource_change c on c.delta_id = p.delta_id and c.entity_type_id = p.entity_type_id
         and c.resource_id = p.resource_id
       left join resource r on r.entity_type_id = p.entity_type_id and r.id = p.resource_id
       where p.delta_id = $1 and p.entity_type_id = $2 and p.operation = any($3::text[]) and p.state = 'pending'
         and p.resource_id > $4
       order by p.resource_id limit $5`,
      [page.deltaId, page.entityTypeId, page.operations, page.after, page.limit],
    );
    const own = holders.filter(({ entityTypeId }) => entityTypeId === page.entityTypeId);
    const links = await linksOf(
      session,
      page.deltaId,
      own,
      rows.map(({ id }) => id),
    );
    return rows.map(({ id, ...unit }) => ({
      ...unit,
      resourceId: BigInt(id),
      links: links.get(id) ?? [],
    }));
  });
}

async function linksOf(
  session: PoolClient,
  deltaId: bigint,
  holders: readonly LinkHolder[],
  ids: readonly string[],
): Promise<Map<string, LinkToWrite[]>> {
  const found = new Map<string, LinkToWrite[]>();
  for (const { navigationId, side } of holders) {
    const [own, other] = side === 'from' ? ['from', 'to'] : ['to', 'from'];
    const { rows } = await session.query<LinkToWrite & { holder: string }>(
      `select c.${own}_id as holder, c.id, c.navigation_property_id as "navigationId", c.change,
         c.${other}_key as "otherKey", r.attributes as other,
         r.id is null and p.resource_id is not null as "otherIsComing"
       from link_change c join navigation_property n on n.id = c.navigation_property_id
       left join resource r on r.entity_type_id = n.${other}_entity_type_id and r.id = c.${other}_id
       left join provisioning p on p.delta_id = c.delta_id and p.entity_type_id = n.${other}_entity_type_id
         and p.resource_id = c.${other}_id and p.operation = 'create' and p.state = 'pending'
       where c.delta_id = $1 and c.navigation_property_id = $2 and c.${own}_id = any($3::bigint[])
       order by c.id`,
      [deltaId, navigationId, ids],
    );
    for (const { holder, ...link } of rows) {
      const links = found.get(holder) ?? [];
      links.push(link);
      found.set(holder, links);
    }
  }
  return found;
}

/** How far a provisioning is. */
export interface ProvisioningTally {
  readonly pending: number;
  readonly applied: number;
  readonly notApplied: number;
  readonly failed: number;
}

/** Counts the units of a delta by what became of them. */
export async function tallyProvisioning(
  { pool }: Pick<Store, 'pool'> | { readonly pool: PoolClient },
  deltaId: bigint,
): Promise<ProvisioningTally> {
  const { rows } = await pool.query<{ state: string; count: number }>(
    'select state, count(*)::int as count from provisioning where delta_id = $1 group by state',
    [deltaId],
  );
  const count = (state: string) => rows.find((row) => row.state === state)?.count ?? 0;
  return {
    pending: count('pending'),
    applied: count('applied'),
    notApplied: count('not-applied'),
    failed: count('failed'),
  };
}

/** A resource that another refers to by the value of a property, in the connected system its id. */
export interface ReferredResource {
  readonly entityTypeId: number;
  readonly property: string;
  readonly value: string;
  /** Where to look first: what a resource refers to now is most likely what it still refers to. */
  readonly navigationId: number;
  readonly fromId: bigint;
}

/** Its key; undefined when none or several have that value. */
export async function keyOfReferred(
  { pool }: Store,
  { entityTypeId, property, value, navigationId, fromId }: ReferredResource,
): Promise<string | undefined> {
  const linked = await pool.query<{ key: string }>(
    `select r.key from link l join resource r on r.entity_type_id = $1 and r.id = l.to_id
     where l.navigation_property_id = $4 and l.from_id = $5 and r.attributes ->> $2 = $3 limit 1`,
    [entityTypeId, property, value, navigationId, fromId],
  );
  if (linked.rows[0]) return linked.rows[0].key;
  const { rows } = await pool.query<{ key: string }>(
    'select key from resource where entity_type_id = $1 and attributes ->> $2 = $3 limit 2',
    [entityTypeId, property, value],
  );
  return rows.length === 1 ? rows[0]?.key : undefined;
}
