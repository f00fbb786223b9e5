/** Applies a reviewed delta: one transaction, once, and only if the store is still what the delta was prepared against. */
import type { PoolClient } from 'pg';
import { LockstepError } from '../engine/errors.ts';
import { localAuthority } from '../engine/managed-type.ts';
import { keepBooks } from './bookkeeping.ts';
import type { Store } from './database.ts';
import type { PlannedRows } from './delta-digest.ts';
import { type BuiltLinks, buildLinksBeside } from './first-links.ts';
import { requireLease } from './lease-store.ts';
import { applyAgreements, areStillMatched } from './load-agreements.ts';
import { loadMatches } from './load-matches.ts';
import {
  auditEdit,
  forgetOrigins,
  moveKeys,
  moveKeysOfMatches,
  takeManagedTurn,
} from './managed-load.ts';
import { plannedAsReviewed, reviewedDelta } from './reviewed-delta.ts';

/** What to apply, and the right to do it. */
export interface LoadRequest {
  readonly jobId: string;
  readonly connector: string;
  /** The lease's fence number: a job that lost its connector loads nothing. Null for an edit, which holds none. */
  readonly fence: number | null;
  /** Digest of the delta that passed the gate. */
  readonly digest: string;
}

/** `applied`: now, or by an earlier attempt. `stale`: the store or the delta moved, and nothing was written. */
export type LoadOutcome = 'applied' | 'stale';

/** What the delta would insert is there already (unique_violation), or what it would be the first of (duplicate_table). */
const moved = new Set(['23505', '42P07']);

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
    return await store.transaction(
      'read committed',
      (session) => apply(store, session, request, signal),
      signal,
    );
  } catch (error) {
    if (error instanceof Stale || moved.has((error as { code?: string }).code ?? ''))
      return 'stale';
    throw error;
  }
}

async function apply(
  store: Store,
  session: PoolClient,
  request: LoadRequest,
  signal: AbortSignal | undefined,
): Promise<LoadOutcome> {
  await session.query(
    `set local lockstep.load = 'on';
     set local synchronous_commit = on`,
  );
  await session.query(`select pg_advisory_xact_lock(hashtextextended('load:' || $1, 0))`, [
    request.connector,
  ]);
  await requireRight(session, request);
  const delta = await reviewedDelta(session, request);
  if (delta === undefined) throw new Stale();
  if (delta.applied) return 'applied';
  const planned = await plannedAsReviewed(session, delta, request.digest);
  if (planned === undefined) throw new Stale();
  const isManaged = await takeManagedTurn(session, planned);
  const load = new Load(session, delta.id, planned);
  await load.deleteLinks();
  // Before the resources: what a reference referred to until now may be deleted.
  await load.updateLinks();
  await load.deleteResources();
  await load.updateResources();
  if (isManaged) await moveKeys(session, delta.id);
  const built = await buildLinksBeside(store, delta, () => load.insertResources(), signal);
  await load.insertLinks(built);
  await load.keepMatches();
  await load.keepAgreements();
  await load.keepBooks();
  if (isManaged) {
    await moveKeysOfMatches(session, delta.id);
    await forgetOrigins(session, delta.id);
    await auditEdit(session, request.jobId);
  }
  await session.query('update delta set applied_at = now() where id = $1', [delta.id]);
  await session.query(
    `insert into audit_event (actor, action, subject, detail)
     select $1, 'delta-applied', $1, jsonb_build_object('delta', digest, 'counts', counts) from delta where id = $2`,
    [request.jobId, delta.id],
  );
  await session.query(
    `insert into audit_event (actor, action, subject, detail)
     select id, 'rolled-back', rollback_of, jsonb_build_object('delta', $2::text)
     from job where id = $1 and rollback_of is not null`,
    [request.jobId, request.digest],
  );
  return 'applied';
}

/**
 * An edit holds no lease: edits take turns, and each names what it expects of the store. A job that has ended loads nothing.
 *
 * @throws LockstepError `LeaseLost`
 */
async function requireRight(
  session: PoolClient,
  { connector, jobId, fence }: LoadRequest,
): Promise<void> {
  if (fence !== null) return await requireLease(session, connector, jobId, fence);
  const { rowCount } = await session.query(
    'select from job where id = $1 and connector = $2 and ended_at is null for share',
    [jobId, localAuthority],
  );
  if (rowCount === 0) throw new LockstepError('LeaseLost', 'this is no edit that is under way');
}

/**
 * One delta on its way into the store. What is planned of an entity type or navigation property is applied by one
 * statement, which must touch exactly as many rows as the delta holds: else the store has moved.
 */
class Load {
  readonly #session: PoolClient;
  readonly #deltaId: bigint;
  readonly #planned: readonly PlannedRows[];

  constructor(session: PoolClient, deltaId: bigint, planned: readonly PlannedRows[]) {
    this.#session = session;
    this.#deltaId = deltaId;
    this.#planned = planned;
  }

  async deleteLinks(): Promise<void> {
    await this.#each('link_change', 'delete', (navigation) =>
      this.#run(
        `delete from link l using link_change c
         where ${this.#changesOf(navigation, 'link_change', 'delete')} and l.navigation_property_id = ${navigation}
           and l.from_id = c.from_id and l.to_id = c.to_id`,
      ),
    );
  }

  async updateLinks(): Promise<void> {
    await this.#each('link_change', 'update', (navigation) =>
      this.#run(
        `update link l set to_id = c.to_id, source_digest = c.source_digest, delta_id = c.delta_id
         from link_change c
         where ${this.#changesOf(navigation, 'link_change', 'update')} and l.navigation_property_id = ${navigation}
           and l.from_id = c.from_id and l.to_id = c.previous_id
           and not exists (select from link o where o.navigation_property_id = ${navigation}
                           and o.from_id = l.from_id and o.to_id = c.to_id)`,
      ),
    );
  }

  async deleteResources(): Promise<void> {
    const navigations = await this.#navigations();
    await this.#each('resource_change', 'delete', async (type) => {
      const deleted = await this.#run(
        `delete from resource r using resource_change c
         where ${this.#changesOf(type, 'resource_change', 'delete')} and r.entity_type_id = ${type}
           and r.id = c.resource_id and r.attributes = c.before`,
      );
      // A link that came to a deleted resource after the review would be left without its end.
      for (const { id, from, to } of navigations) {
        if (from === type) await this.#requireNoLink(type, id, 'from_id');
        if (to === type) await this.#requireNoLink(type, id, 'to_id');
      }
      return deleted;
    });
  }

  async updateResources(): Promise<void> {
    await this.#each('resource_change', 'update', (type) =>
      this.#run(
        `update resource r
         set attributes = c.after, source_digest = c.source_digest, delta_id = c.delta_id, changed_at = now()
         from resource_change c
         where ${this.#changesOf(type, 'resource_change', 'update')} and r.entity_type_id = ${type}
           and r.id = c.resource_id and r.attributes = c.before`,
      ),
    );
  }

  async insertResources(): Promise<void> {
    await this.#each('resource_change', 'insert', async (type) =>
      (await this.#isFirst(`resource_${type}`))
        ? await this.#call('load_first_resources', type)
        : await this.#run(
            `insert into resource (id, entity_type_id, key, attributes, source_digest, delta_id)
             select resource_id, entity_type_id, key, after, source_digest, delta_id
             from resource_change c where ${this.#changesOf(type, 'resource_change', 'insert')}`,
          ),
    );
  }

  async insertLinks(built: BuiltLinks): Promise<void> {
    const navigations = await this.#navigations();
    const first = new Set<number>();
    await this.#each('link_change', 'insert', async (navigation) => {
      if (await this.#isFirst(`link_${navigation}`)) {
        first.add(navigation);
        const links = built.get(navigation);
        if (links === undefined) return await this.#call('load_first_links', navigation);
        await this.#call('attach_built_links', navigation);
        return links;
      }
      return await this.#run(
        `insert into link (navigation_property_id, from_id, to_id, source_digest, delta_id)
         select navigation_property_id, from_id, to_id, source_digest, delta_id
         from link_change c where ${this.#changesOf(navigation, 'link_change', 'insert')}`,
      );
    });
    for (const { id, from, to } of navigations) {
      for (const change of ['insert', 'update'] as const) {
        // A first load has joined the ends already.
        if (this.#plans('link_change', change, id) && !first.has(id))
          await this.#requireEnds(id, change, from, to);
      }
    }
  }

  /** Once the resources that they pair are there. */
  async keepMatches(): Promise<void> {
    if (!this.#planned.some(({ table }) => table === 'match_change')) return;
    if (!(await loadMatches(this.#session, this.#deltaId))) throw new Stale();
  }

  /** What a mapping and its opposite said when both sides agreed. */
  async keepAgreements(): Promise<void> {
    if (!this.#planned.some(({ table }) => table === 'agreement_change')) return;
    if (!(await areStillMatched(this.#session, this.#deltaId))) throw new Stale();
    await applyAgreements(this.#session, this.#deltaId);
  }

  /** A resource whose digest was cleared since the review was edited since: it stays without, to be compared again. */
  async keepBooks(): Promise<void> {
    const written = this.#planned
      .filter(({ table }) => table === 'resource_change' || table === 'link_change')
      .map(({ table, scope }) => `${table === 'resource_change' ? 'r' : 'l'}${scope}`);
    await this.#session.query('delete from scope_source where scope = any($1)', [written]);
    const kinds = new Set(
      this.#planned.filter(({ table }) => table === 'bookkeeping').map(({ change }) => change),
    );
    await keepBooks(this.#session, this.#deltaId, kinds);
  }

  #plans(table: PlannedRows['table'], change: string, scope: number): boolean {
    return this.#planned.some(
      (rows) => rows.table === table && rows.change === change && rows.scope === scope,
    );
  }

  async #each(
    table: PlannedRows['table'],
    change: string,
    apply: (scope: number) => Promise<number>,
  ): Promise<void> {
    for (const planned of this.#planned) {
      if (planned.table !== table || planned.change !== change) continue;
      if ((await apply(planned.scope)) !== planned.count) throw new Stale();
    }
  }

  async #run(statement: string): Promise<number> {
    return (await this.#session.query(statement)).rowCount ?? 0;
  }

  /** SQL: the changes of one scope, of alias `c`. */
  #changesOf(scope: number, table: 'resource_change' | 'link_change', change: string): string {
    const column = table === 'link_change' ? 'navigation_property_id' : 'entity_type_id';
    return `c.delta_id = ${this.#deltaId} and c.${column} = ${scope} and c.change = '${change}'`;
  }

  /** True when nothing was ever loaded of a scope: its table is made from the delta. */
  async #isFirst(table: string): Promise<boolean> {
    const { rows } = await this.#session.query<{ first: boolean }>(
      'select to_regclass($1) is null as first',
      [table],
    );
    return rows[0]?.first === true;
  }

  async #call(procedure: string, scope: number): Promise<number> {
    const { rows } = await this.#session.query<{ loaded: string }>(
      `select ${procedure}($1, $2) as loaded`,
      [scope, this.#deltaId],
    );
    return Number(rows[0]?.loaded);
  }

  async #navigations(): Promise<{ id: number; from: number; to: number }[]> {
    const { rows } = await this.#session.query<{ id: number; from: number; to: number }>(
      'select id, from_entity_type_id as from, to_entity_type_id as to from navigation_property',
    );
    return rows;
  }

  async #requireNoLink(type: number, navigation: number, end: 'from_id' | 'to_id'): Promise<void> {
    const { rows } = await this.#session.query(
      `select from resource_change c join link l on l.navigation_property_id = ${navigation} and l.${end} = c.resource_id
       where ${this.#changesOf(type, 'resource_change', 'delete')} limit 1`,
    );
    if (rows.length > 0) throw new Stale();
  }

  async #requireEnds(navigation: number, change: string, from: number, to: number): Promise<void> {
    const { rows } = await this.#session.query(
      // Counted, not looked for: to find one the planner would look up link by link.
      `select from (
         select count(*) as ends from link_change c
         left join resource f on f.entity_type_id = ${from} and f.id = c.from_id
         left join resource t on t.entity_type_id = ${to} and t.id = c.to_id
         where ${this.#changesOf(navigation, 'link_change', change)}
           and (f.id is null or t.id is null)) missing
       where ends > 0`,
    );
    if (rows.length > 0) throw new Stale();
  }
}
