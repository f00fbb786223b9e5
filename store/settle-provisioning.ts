/** Writes down what became of one write to a connected system, and makes the mirror say what was read back: one transaction. */
import type { PoolClient } from 'pg';
import type { RejectCode } from '../engine/errors.ts';
import type { Store } from './database.ts';
import { requireLease } from './lease-store.ts';
import { applyAgreements } from './load-agreements.ts';
import { loadMatches } from './load-matches.ts';
import type { ProvisioningRequest } from './open-provisioning.ts';
import type { Attributes, ProvisioningUnit } from './provisioning-units.ts';
import { type ProvisioningTally, tallyProvisioning } from './provisioning-units.ts';

/** What the connected system holds of a resource now, as an import would have it. */
export interface ReadBack {
  readonly key: string;
  readonly attributes: Attributes;
  /** Single-valued navigation properties that its source says, each with the key it refers to, or null. */
  readonly references: ReadonlyMap<number, string | null>;
}

/** What became of a write. */
export type Settlement = {
  /** Null when it was not read back, or could not be used. */
  readonly readBack: ReadBack | null;
  /** Numbers of the changes of links of associations that took effect. */
  readonly links: readonly string[];
} & (
  | { readonly state: 'applied' }
  /** The resource is there; its links follow once their other ends are. */
  | { readonly state: 'pending' }
  | {
      readonly state: 'not-applied' | 'failed';
      readonly code: RejectCode;
      readonly message: string;
      readonly paths: readonly string[];
    }
);

/** A key that another resource of the mirror has: whoever moves second finds it taken. */
const taken = '23505';

/**
 * Settles one unit. Doing it again changes nothing.
 *
 * @throws LockstepError `LeaseLost` when another job has taken the connector over: what was written stays, and is found
 * by whoever plans it next
 */
export async function settleUnit(
  store: Store,
  request: ProvisioningRequest & { readonly deltaId: bigint },
  unit: ProvisioningUnit,
  settlement: Settlement,
): Promise<void> {
  try {
    await store.transaction('read committed', (session) =>
      settle(session, request, unit, settlement),
    );
  } catch (error) {
    if ((error as { code?: string }).code !== taken) throw error;
    await store.transaction('read committed', (session) =>
      settle(session, request, unit, {
        state: 'failed',
        code: 'TargetChanged',
        message: 'what was read back has the key of another resource: import the connected system',
        paths: [],
        readBack: null,
        links: [],
      }),
    );
  }
}

async function settle(
  session: PoolClient,
  { connector, jobId, fence, deltaId }: ProvisioningRequest & { readonly deltaId: bigint },
  { entityTypeId, resourceId, key, operation, written }: ProvisioningUnit,
  settlement: Settlement,
): Promise<void> {
  const { state, readBack, links } = settlement;
  await session.query("set local lockstep.load = 'on'");
  await requireLease(session, connector, jobId, fence);
  const failure = 'code' in settlement ? settlement : { code: null, message: null, paths: [] };
  const { rowCount } = await session.query(
    `update provisioning set state = $4, code = $5, message = $6, paths = $7, attempts = attempts + 1,
       written = written or $8, settled_at = case when $4 = 'pending' then null else now() end
     where delta_id = $1 and entity_type_id = $2 and resource_id = $3 and state = 'pending'`,
    [
      deltaId,
      entityTypeId,
      resourceId,
      state,
      failure.code,
      failure.message,
      failure.paths,
      readBack !== null,
    ],
  );
  if (rowCount === 0) return;
  const of = { entityTypeId, resourceId };
  const isNew = operation === 'create' && !written;
  if (operation === 'delete' && state === 'applied') {
    await deleteResource(session, of);
  } else if (readBack !== null) {
    await (isNew ? insertResource : updateResource)(session, deltaId, of, readBack);
    await setReferences(session, deltaId, of, readBack);
  }
  await moveLinks(session, deltaId, links);
  const comesOrGoes = operation === 'delete' ? state === 'applied' : isNew && readBack !== null;
  if (comesOrGoes) await matchAsPlanned(session, deltaId, of);
  if (state === 'applied') {
    await applyAgreements(session, deltaId, `c.resource_id = ${resourceId}`);
  }
  if ('code' in settlement) {
    await session.query(
      `insert into reject (job_id, entity_type, file, key, "column", code, message)
       select $1, t.name, t.name, $3, $4, $5, $6 from entity_type t where t.id = $2`,
      [jobId, entityTypeId, key, failure.paths.join(', ') || null, failure.code, failure.message],
    );
  }
}

interface Place {
  readonly entityTypeId: number;
  readonly resourceId: bigint;
}

async function insertResource(
  session: PoolClient,
  deltaId: bigint,
  { entityTypeId, resourceId }: Place,
  { key, attributes }: ReadBack,
): Promise<void> {
  await session.query(
    `insert into resource (id, entity_type_id, key, attributes, source_digest, delta_id)
     values ($1, $2, $3, $4, null, $5)`,
    [resourceId, entityTypeId, key, JSON.stringify(attributes), deltaId],
  );
}

async function updateResource(
  session: PoolClient,
  deltaId: bigint,
  { entityTypeId, resourceId }: Place,
  { key, attributes }: ReadBack,
): Promise<void> {
  await session.query(
    `update resource set key = $3, attributes = $4, source_digest = null, delta_id = $5, changed_at = now()
     where entity_type_id = $1 and id = $2 and (attributes <> $4 or key <> $3)`,
    [entityTypeId, resourceId, key, JSON.stringify(attributes), deltaId],
  );
  // What was read has not changed, and yet nobody knows its record: the next import looks at it.
  await session.query(
    'update resource set source_digest = null where entity_type_id = $1 and id = $2 and source_digest is not null',
    [entityTypeId, resourceId],
  );
}

/** A person may have matched either of the two meanwhile: theirs stands, and the next reconciliation goes by it. */
async function matchAsPlanned(
  session: PoolClient,
  deltaId: bigint,
  { entityTypeId, resourceId }: Place,
): Promise<void> {
  const end = `(${entityTypeId}, ${resourceId})`;
  await session.query('savepoint matches');
  const isDone = await loadMatches(
    session,
    deltaId,
    `${end} in ((c.first_type_id, c.first_id), (c.second_type_id, c.second_id))`,
  ).catch((error: { code?: string }) => {
    if (error.code === taken) return false;
    throw error;
  });
  if (!isDone) await session.query('rollback to savepoint matches');
}

/** Whatever refers to it goes with it, as the connected system has it. */
async function deleteResource(
  session: PoolClient,
  { entityTypeId, resourceId }: Place,
): Promise<void> {
  for (const end of ['from', 'to']) {
    await session.query(
      `delete from link l using navigation_property n
       where n.${end}_entity_type_id = $1 and l.navigation_property_id = n.id and l.${end}_id = $2`,
      [entityTypeId, resourceId],
    );
  }
  await session.query('delete from resource where entity_type_id = $1 and id = $2', [
    entityTypeId,
    resourceId,
  ]);
}

/** A reference to a resource that the mirror does not have waits for it, as after an import. */
async function setReferences(
  session: PoolClient,
  deltaId: bigint,
  { resourceId }: Place,
  { key, references }: ReadBack,
): Promise<void> {
  for (const [navigationId, target] of references) {
    await session.query(
      `delete from link l using navigation_property n
       where n.id = $1 and l.navigation_property_id = $1 and l.from_id = $2 and not exists (
         select from resource t where t.entity_type_id = n.to_entity_type_id and t.id = l.to_id and t.key = $3)`,
      [navigationId, resourceId, target],
    );
    await session.query(
      'delete from pending_link where navigation_property_id = $1 and from_key = $2 and to_key is distinct from $3',
      [navigationId, key, target],
    );
    if (target === null) continue;
    const { rowCount } = await session.query(
      `with target as (
         select t.id from navigation_property n join resource t on t.entity_type_id = n.to_entity_type_id
         where n.id = $1 and t.key = $3),
       linked as (
         insert into link (navigation_property_id, from_id, to_id, delta_id)
         select $1, $2, id, $4 from target on conflict do nothing)
       select from target`,
      [navigationId, resourceId, target, deltaId],
    );
    if (rowCount !== 0) continue;
    await session.query(
      `insert into pending_link (navigation_property_id, from_key, to_key) values ($1, $2, $3) on conflict do nothing`,
      [navigationId, key, target],
    );
  }
}

/** Links of associations as they were planned; those whose other end is gone by now, went with it. */
async function moveLinks(
  session: PoolClient,
  deltaId: bigint,
  links: readonly string[],
): Promise<void> {
  if (links.length === 0) return;
  await session.query(
    `delete from link l using link_change c
     where c.delta_id = $1 and c.id = any($2::bigint[]) and l.navigation_property_id = c.navigation_property_id
       and l.from_id = c.from_id and l.to_id = case c.change when 'update' then c.previous_id else c.to_id end
       and c.change <> 'insert'`,
    [deltaId, links],
  );
  await session.query(
    `insert into link (navigation_property_id, from_id, to_id, delta_id)
     select c.navigation_property_id, c.from_id, c.to_id, c.delta_id
     from link_change c join navigation_property n on n.id = c.navigation_property_id
     join resource f on f.entity_type_id = n.from_entity_type_id and f.id = c.from_id
     join resource t on t.entity_type_id = n.to_entity_type_id and t.id = c.to_id
     where c.delta_id = $1 and c.id = any($2::bigint[]) and c.change <> 'delete'
     on conflict do nothing`,
    [deltaId, links],
  );
}

/** How the provisioning of a delta came out that an earlier attempt has ended; undefined when none has. */
export async function provisionedBefore(
  store: Store,
  jobId: string,
  digest: string,
): Promise<ProvisioningTally | undefined> {
  const { rows } = await store.pool.query<{ id: string }>(
    'select id from delta where job_id = $1 and digest = $2 and applied_at is not null',
    [jobId, digest],
  );
  return rows[0] && (await tallyProvisioning(store, BigInt(rows[0].id)));
}

/** Ends a provisioning of which nothing is left to do. @returns how it came out */
export async function endProvisioning(
  store: Store,
  jobId: string,
  deltaId: bigint,
): Promise<ProvisioningTally> {
  return await store.transaction('read committed', async (session) => {
    const tally = await tallyProvisioning({ pool: session }, deltaId);
    const { rowCount } = await session.query(
      `update delta set applied_at = now() where id = $1 and applied_at is null and not exists (
         select from provisioning where delta_id = $1 and state = 'pending')`,
      [deltaId],
    );
    if (rowCount === 1) {
      await session.query(
        `insert into audit_event (actor, action, subject, detail)
         select $1, 'delta-provisioned', $1, jsonb_build_object('delta', digest, 'counts', counts, 'writes', $3::jsonb)
         from delta where id = $2`,
        [jobId, deltaId, JSON.stringify(tally)],
      );
    }
    return tally;
  });
}
