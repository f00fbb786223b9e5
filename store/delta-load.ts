/** Applies a reviewed delta: one transaction, once, and only if the store is still what the delta was prepared against. */
import type { PoolClient } from 'pg';
import { LockstepError } from '../engine/errors.ts';
import type { Store } from './database.ts';
import { digestOfDelta } from './delta-digest.ts';
import { requireLease } from './lease-store.ts';

/** What to apply, and the right to do it. */
export interface LoadRequest {
  readonly jobId: string;
  readonly connector: string;
  /** The lease's fence number: a job that lost its connector loads nothing. */
  readonly fence: number;
  /** Digest of the delta that passed the gate. */
  readonly digest: string;
}

/** `applied`: now, or by an earlier attempt. `stale`: the store or the delta moved, and nothing was written. */
export type LoadOutcome = 'applied' | 'stale';

/** Thrown inside the transaction to roll it back; never leaves this file. */
class Stale extends Error {}

/**
 * Applies the delta of a job.
 *
 * **Invariant:** the store is as before or as after. A retry after a crash finds the delta applied and does nothing.
 *
 * @param signal cancels the load, which is then as if it had never begun
 * @throws LockstepError `LeaseLost` when another job holds the connector, `InternalError` when the delta breached a
 * limit and nobody resumed it (the gate's second lock).
 */
export async function loadDelta(
  store: Store,
  request: LoadRequest,
  signal?: AbortSignal,
): Promise<LoadOutcome> {
  try {
    return await store.transaction('read committed', (session) => apply(session, request), signal);
  } catch (error) {
    // A resource or link that the delta would insert is there already.
    if (error instanceof Stale || (error as { code?: string }).code === '23505') return 'stale';
    throw error;
  }
}

async function apply(session: PoolClient, request: LoadRequest): Promise<LoadOutcome> {
  await session.query(
    `set local lockstep.load = 'on';
     set local synchronous_commit = on`,
  );
  await session.query(`select pg_advisory_xact_lock(hashtextextended('load:' || $1, 0))`, [
    request.connector,
  ]);
  await requireLease(session, request.connector, request.jobId, request.fence);
  const delta = await reviewedDelta(session, request);
  if (delta.applied) return 'applied';
  if ((await digestOfDelta(session, delta.id)) !== request.digest) throw new Stale();
  await applyDeletedLinks(session, delta.id);
  // Before the resources: what a reference referred to until now may be deleted.
  await applyUpdatedLinks(session, request.jobId, delta.id);
  await applyResources(session, request.jobId, delta.id);
  await applyInsertedLinks(session, request.jobId, delta.id);
  await applyBookkeeping(session, delta.id);
  await session.query('update delta set applied_at = now() where id = $1', [delta.id]);
  await session.query(
    `insert into audit_event (actor, action, subject, detail)
     select $1, 'delta-applied', $1, jsonb_build_object('delta', digest, 'counts', counts) from delta where id = $2`,
    [request.jobId, delta.id],
  );
  return 'applied';
}

/** The job's delta, if its digest is the one that passed and nothing stands between it and the store. */
async function reviewedDelta(
  session: PoolClient,
  { jobId, digest }: LoadRequest,
): Promise<{ id: bigint; applied: boolean }> {
  const { rows } = await session.query<{
    id: string;
    applied: boolean;
    breached: boolean;
    resumed: boolean;
  }>(
    `select d.id, d.applied_at is not null as applied, jsonb_array_length(d.breaches) > 0 as breached,
       exists (select from decision where job_id = $1 and delta = d.digest
               and action = 'resume' and effect = 'applied') as resumed
     from delta d where d.job_id = $1 and d.digest = $2 order by d.id desc limit 1 for update of d`,
    [jobId, digest],
  );
  const found = rows[0];
  if (!found) throw new Stale();
  if (found.breached && !found.resumed) {
    throw new LockstepError(
      'InternalError',
      'a delta that breaches a limit came to the load without a decision',
    );
  }
  return { id: BigInt(found.id), applied: found.applied };
}

/** Runs a statement that must touch exactly the rows that the delta holds of its kind, else the store has moved. */
async function exactly(
  session: PoolClient,
  planned: string,
  statement: string,
  values: unknown[],
): Promise<void> {
  const [{ rowCount }, { rows }] = [
    await session.query(statement, values),
    await session.query<{ count: string }>(
      `select count(*) as count from ${planned}`,
      values.slice(0, 1),
    ),
  ];
  if (rowCount !== Number(rows[0]?.count)) throw new Stale();
}

async function applyDeletedLinks(session: PoolClient, deltaId: bigint): Promise<void> {
  await exactly(
    session,
    `link_change where delta_id = $1 and change = 'delete'`,
    `delete from link l using link_change c
     where c.delta_id = $1 and c.change = 'delete' and l.navigation_property_id = c.navigation_property_id
       and l.from_id = c.from_id and l.to_id = c.to_id`,
    [deltaId],
  );
}

async function applyUpdatedLinks(
  session: PoolClient,
  jobId: string,
  deltaId: bigint,
): Promise<void> {
  await exactly(
    session,
    `link_change where delta_id = $1 and change = 'update'`,
    `update link l set to_id = c.to_id, source_digest = c.source_digest, changed_by = $2
     from link_change c
     where c.delta_id = $1 and c.change = 'update' and l.navigation_property_id = c.navigation_property_id
       and l.from_id = c.from_id and l.to_id = c.previous_id
       and not exists (select from link o where o.navigation_property_id = l.navigation_property_id
                       and o.from_id = l.from_id and o.to_id = c.to_id)`,
    [deltaId, jobId],
  );
}

async function applyResources(session: PoolClient, jobId: string, deltaId: bigint): Promise<void> {
  await exactly(
    session,
    `resource_change where delta_id = $1 and change = 'delete'`,
    `delete from resource r using resource_change c
     where c.delta_id = $1 and c.change = 'delete' and r.id = c.resource_id and r.attributes = c.before`,
    [deltaId],
  );
  // A link that came to a deleted resource after the review would be left without its end.
  const { rows } = await session.query(
    `with gone as (select resource_id as id, entity_type_id from resource_change
                   where delta_id = $1 and change = 'delete')
     (select from gone join navigation_property n on n.from_entity_type_id = gone.entity_type_id
      join link l on l.navigation_property_id = n.id and l.from_id = gone.id limit 1)
     union all
     (select from gone join navigation_property n on n.to_entity_type_id = gone.entity_type_id
      join link l on l.navigation_property_id = n.id and l.to_id = gone.id limit 1)`,
    [deltaId],
  );
  if (rows.length > 0) throw new Stale();
  await exactly(
    session,
    `resource_change where delta_id = $1 and change = 'update'`,
    `update resource r
     set attributes = c.after, source_digest = c.source_digest, changed_by = $2, changed_at = now()
     from resource_change c
     where c.delta_id = $1 and c.change = 'update' and r.id = c.resource_id and r.attributes = c.before`,
    [deltaId, jobId],
  );
  await exactly(
    session,
    `resource_change where delta_id = $1 and change = 'insert'`,
    `insert into resource (id, entity_type_id, key, attributes, source_digest, changed_by)
     select resource_id, entity_type_id, key, after, source_digest, $2
     from resource_change where delta_id = $1 and change = 'insert'`,
    [deltaId, jobId],
  );
}

async function applyInsertedLinks(
  session: PoolClient,
  jobId: string,
  deltaId: bigint,
): Promise<void> {
  const { rows } = await session.query(
    // Counted, not looked for: to find one the planner would look up link by link.
    `select from (
       select count(*) as ends from link_change c left join resource f on f.id = c.from_id
       left join resource t on t.id = c.to_id
       where c.delta_id = $1 and c.change <> 'delete' and (f.id is null or t.id is null)) missing
     where ends > 0`,
    [deltaId],
  );
  if (rows.length > 0) throw new Stale();
  await exactly(
    session,
    `link_change where delta_id = $1 and change = 'insert'`,
    `insert into link (navigation_property_id, from_id, to_id, source_digest, changed_by)
     select navigation_property_id, from_id, to_id, source_digest, $2
     from link_change where delta_id = $1 and change = 'insert'`,
    [deltaId, jobId],
  );
}

/** A resource whose digest was cleared since the review was edited since: it stays without, to be compared again. */
async function applyBookkeeping(session: PoolClient, deltaId: bigint): Promise<void> {
  const statements = [
    `delete from pending_link p using bookkeeping b
     where b.delta_id = $1 and b.kind = 'pending-remove' and p.navigation_property_id = b.navigation_property_id
       and p.from_key = b.from_key and p.to_key = b.to_key`,
    `insert into pending_link (navigation_property_id, from_key, to_key, source_digest)
     select distinct on (navigation_property_id, from_key, to_key)
       navigation_property_id, from_key, to_key, source_digest
     from bookkeeping where delta_id = $1 and kind = 'pending-add'
     on conflict (navigation_property_id, from_key, to_key) do update set source_digest = excluded.source_digest`,
    `update resource r set source_digest = b.source_digest from bookkeeping b
     where b.delta_id = $1 and b.kind in ('resource-digest', 'resource-digest-first') and r.id = b.resource_id
       and (b.kind = 'resource-digest-first' or r.source_digest is not null)`,
    `update link l set source_digest = b.source_digest from bookkeeping b
     where b.delta_id = $1 and b.kind = 'link-digest' and l.navigation_property_id = b.navigation_property_id
       and l.from_id = b.from_id and l.to_id = b.to_id`,
  ];
  for (const statement of statements) await session.query(statement, [deltaId]);
}
