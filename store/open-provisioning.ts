/** Opens the provisioning of a reviewed delta: what is to be written, resource by resource, if nothing has moved since. */
import type { PoolClient } from 'pg';
import { LockstepError } from '../engine/errors.ts';
import type { Store } from './database.ts';
import { requireLease } from './lease-store.ts';
import { applyAgreements, areStillMatched } from './load-agreements.ts';
import { loadMatches } from './load-matches.ts';
import { plannedAsReviewed, reviewedDelta } from './reviewed-delta.ts';

/** What to provision, and the right to do it. */
export interface ProvisioningRequest {
  readonly jobId: string;
  readonly connector: string;
  readonly fence: number;
  /** Digest of the delta that passed the gate. */
  readonly digest: string;
}

export interface OpenedProvisioning {
  readonly deltaId: bigint;
  /** An earlier attempt has opened it, and may have written what it could not write down. */
  readonly isAgain: boolean;
}

/** Which end of a navigation property holds its links in the connected system: a group its members, an account its manager. */
export interface LinkHolder {
  readonly navigationId: number;
  readonly entityTypeId: number;
  readonly side: 'from' | 'to';
}

/** Thrown inside the transaction to roll it back; never leaves this file. */
class Stale extends Error {}

/**
 * Writes down what is to be written, once: an attempt after a crash goes on with what is left. What the delta says of
 * matches of resources that are there, and of agreements for which nothing has to be written, is applied here.
 *
 * @returns what was opened; `stale` when the delta or the mirror is no longer what was reviewed, and nothing was begun
 * @throws LockstepError `LeaseLost`; `InternalError` when the delta breached a limit and nobody resumed it
 */
export async function openProvisioning(
  store: Store,
  request: ProvisioningRequest,
  holders: readonly LinkHolder[],
): Promise<OpenedProvisioning | 'stale'> {
  try {
    return await store.transaction('read committed', (session) => open(session, request, holders));
  } catch (error) {
    const matchedMeanwhile = (error as { code?: string }).code === '23505';
    if (error instanceof Stale || matchedMeanwhile) return 'stale';
    throw error;
  }
}

async function open(
  session: PoolClient,
  { jobId, connector, fence, digest }: ProvisioningRequest,
  holders: readonly LinkHolder[],
): Promise<OpenedProvisioning> {
  await session.query("set local lockstep.load = 'on'");
  await requireLease(session, connector, jobId, fence);
  const delta = await reviewedDelta(session, { jobId, digest });
  if (delta === undefined) throw new Stale();
  const { id: deltaId, applied } = delta;
  if (applied || (await isOpen(session, deltaId))) return { deltaId, isAgain: true };
  if ((await plannedAsReviewed(session, delta, digest)) === undefined) throw new Stale();
  await requireUsableLinks(session, delta.id, holders);
  if (await hasMoved(session, delta.id)) throw new Stale();
  await planUnits(session, delta.id, holders);
  await holdBackRefused(session, delta.id, { jobId, digest });
  await forgetSources(session, delta.id);
  await makeTables(session, delta.id);
  if (!(await loadMatches(session, delta.id, hasEnds))) throw new Stale();
  if (!(await areStillMatched(session, delta.id, isOfBoth))) throw new Stale();
  await applyAgreements(session, delta.id, isNotWritten);
  return { deltaId, isAgain: false };
}

/** SQL: a change `c` of a match whose resources need not come or go first. */
const hasEnds = `not exists (
  select from provisioning p where p.delta_id = c.delta_id and p.operation in ('create', 'delete')
    and (p.entity_type_id, p.resource_id) in ((c.first_type_id, c.first_id), (c.second_type_id, c.second_id)))`;

/** SQL: an agreement `c` of two whose match does not come or go with them. */
const isOfBoth = `not exists (
  select from provisioning p where p.delta_id = c.delta_id and p.operation in ('create', 'delete')
    and p.resource_id in (c.source_id, c.target_id))`;

/** SQL: an agreement `c` for which nothing has to be written. */
const isNotWritten = `not exists (
  select from provisioning p where p.delta_id = c.delta_id and p.resource_id = c.resource_id)`;

async function isOpen(session: PoolClient, deltaId: bigint): Promise<boolean> {
  const { rows } = await session.query('select from provisioning where delta_id = $1 limit 1', [
    deltaId,
  ]);
  return rows.length > 0;
}

/** SQL: the ends that hold links, from three arrays of the same length, `$2` to `$4`. */
const holderRows =
  'unnest($2::int[], $3::int[], $4::text[]) as h (navigation_id, entity_type_id, side)';

function columnsOf(holders: readonly LinkHolder[]) {
  return [
    holders.map(({ navigationId }) => navigationId),
    holders.map(({ entityTypeId }) => entityTypeId),
    holders.map(({ side }) => side),
  ];
}

/** A link that no resource of the connected system holds could be planned and never written. */
async function requireUsableLinks(
  session: PoolClient,
  deltaId: bigint,
  holders: readonly LinkHolder[],
): Promise<void> {
  const { rows } = await session.query(
    `select from link_change c left join ${holderRows} on h.navigation_id = c.navigation_property_id
     where c.delta_id = $1 and (h.navigation_id is null or c.from_id is null or c.to_id is null) limit 1`,
    [deltaId, ...columnsOf(holders)],
  );
  if (rows.length > 0) {
    throw new LockstepError('InternalError', 'a link was planned that nothing could be written of');
  }
}

/** True when a resource or link is not what the delta was prepared against. */
async function hasMoved(session: PoolClient, deltaId: bigint): Promise<boolean> {
  const { rows } = await session.query(
    `select from resource_change c
     left join resource r on r.entity_type_id = c.entity_type_id and r.id = c.resource_id
     where c.delta_id = $1 and case c.change
       when 'insert' then r.id is not null
         or exists (select from resource o where o.entity_type_id = c.entity_type_id and o.key = c.key
                    and not exists (select from resource_change d where d.delta_id = $1 and d.change = 'delete'
                                    and d.entity_type_id = o.entity_type_id and d.resource_id = o.id))
       else r.attributes is distinct from c.before end
     union all
     select from link_change c
     left join link l on l.navigation_property_id = c.navigation_property_id and l.from_id = c.from_id
       and l.to_id = case c.change when 'update' then c.previous_id else c.to_id end
     where c.delta_id = $1 and (l.from_id is null) = (c.change <> 'insert')
     limit 1`,
    [deltaId],
  );
  return rows.length > 0;
}

async function planUnits(
  session: PoolClient,
  deltaId: bigint,
  holders: readonly LinkHolder[],
): Promise<void> {
  await session.query(
    `insert into provisioning (delta_id, entity_type_id, resource_id, key, operation, state, change_digest)
     select $1, entity_type_id, resource_id, coalesce(min(key) filter (where own), min(key)),
       coalesce(min(operation), 'update'), 'pending', md5(string_agg(said, chr(10) order by said collate "C"))
     from (
       select entity_type_id, resource_id, key, true as own,
         case change when 'insert' then 'create' else change end as operation,
         concat_ws(chr(9), change, before, after) as said
       from resource_change where delta_id = $1
       union all
       select h.entity_type_id, case h.side when 'from' then c.from_id else c.to_id end,
         case h.side when 'from' then c.from_key else c.to_key end, false, null,
         concat_ws(chr(9), c.change, c.navigation_property_id, c.from_key, c.to_key)
       from link_change c join ${holderRows} on h.navigation_id = c.navigation_property_id
       where c.delta_id = $1) planned
     group by entity_type_id, resource_id`,
    [deltaId, ...columnsOf(holders)],
  );
}

/**
 * What a connected system refused, it would refuse again: the same change waits for a person's word, which is a job of
 * theirs or a resume of this delta.
 */
async function holdBackRefused(
  session: PoolClient,
  deltaId: bigint,
  { jobId, digest }: { readonly jobId: string; readonly digest: string },
): Promise<void> {
  await session.query(
    `update provisioning p set state = 'failed', code = 'TargetRefused', settled_at = now(),
       message = 'refused before, and nothing of it has changed since: mend it, then reconcile it yourself'
     where p.delta_id = $1
       and not exists (select from job where id = $2 and trigger = 'person')
       and not exists (select from decision where job_id = $2 and delta = $3 and action = 'resume' and effect = 'applied')
       and exists (
         select from (
           select code, change_digest from provisioning q
           where q.entity_type_id = p.entity_type_id and q.key = p.key and q.delta_id < p.delta_id
           order by q.delta_id desc limit 1) last
         where last.code = 'TargetRefused' and last.change_digest = p.change_digest)`,
    [deltaId, jobId, digest],
  );
}

/** What is written changes what the next export brings, so nothing of it may be taken for read. */
async function forgetSources(session: PoolClient, deltaId: bigint): Promise<void> {
  await session.query(
    `delete from scope_source where scope in (
       select 'r' || entity_type_id from provisioning where delta_id = $1
       union select 'l' || navigation_property_id from link_change where delta_id = $1)`,
    [deltaId],
  );
}

/** The first resource of an entity type, or link of a navigation property, needs a table. */
async function makeTables(session: PoolClient, deltaId: bigint): Promise<void> {
  await session.query(
    `select load_first_resources(id, 0) from (
       select distinct entity_type_id as id from provisioning where delta_id = $1 and operation = 'create') types
     where to_regclass('resource_' || id) is null`,
    [deltaId],
  );
  await session.query(
    `select load_first_links(id, 0) from (
       select n.id from navigation_property n where n.from_entity_type_id in (
           select entity_type_id from provisioning where delta_id = $1)
         or n.id in (select navigation_property_id from link_change where delta_id = $1)) navigations
     where to_regclass('link_' || id) is null`,
    [deltaId],
  );
}
