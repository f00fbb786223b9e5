/** Reconciliations run by the real activities on the store of a bench; connected systems are filled row by row. */
import { randomUUID } from 'node:crypto';
import type { PreparedReconciliation } from '../../activities/prepare-reconciliation.ts';
import type { ConfigurationDocument } from '../../config/document.ts';
import type { Reject } from '../../engine/reject.ts';
import { listRejects } from '../../store/queries/rejects.ts';
import { openSyncBench, type SyncBench } from './sync-bench.ts';

type Attributes = Readonly<Record<string, unknown>>;

/** A reconciliation whose delta is prepared. */
export interface PreparedReconcile {
  readonly id: string;
  readonly summary: PreparedReconciliation;
  readonly rejects: readonly Reject[];
  /** Applies the delta: what is planned for a connected system goes to its mirror, as if it had taken every word. */
  load(): Promise<'applied' | 'stale'>;
  again(): Promise<PreparedReconcile>;
  end(): Promise<void>;
}

export interface ReconcileBench extends AsyncDisposable {
  readonly bench: SyncBench;
  prepare(mapping: string, options?: { simulate?: boolean }): Promise<PreparedReconcile>;
  /** Prepares, resumes whatever asks, loads and ends. */
  reconcile(mapping: string): Promise<PreparedReconcile>;
  /** Puts a resource into the store, or what it holds in place of what it held; null takes it away with its links. */
  put(entityType: string, key: string, attributes: Attributes | null): Promise<void>;
  link(scope: string, from: string, to: string): Promise<void>;
  unlink(scope: string, from: string, to: string): Promise<void>;
  /** Key → attributes. */
  all(entityType: string): Promise<Record<string, Attributes>>;
  /** `from → to`, in order. */
  links(scope: string): Promise<string[]>;
  matches(): Promise<{ first: string; second: string; state: string }[]>;
  /** Empties the store and configures anew. */
  reset(document: ConfigurationDocument): Promise<void>;
}

export async function openReconcileBench(document: ConfigurationDocument): Promise<ReconcileBench> {
  const bench = await openSyncBench(document, { CRM_TOKEN: 'secret' });
  const { pool } = bench.store;
  let current = document;
  const self: ReconcileBench = {
    bench,
    async prepare(mapping, { simulate = false } = {}) {
      const connector = connectorOf(current, mapping);
      const id = `job-${randomUUID()}`;
      const lease = await bench.run('beginJob', { ...begin, connector, simulate }, id);
      if (!lease.held) throw new Error(`${connector} is held by ${lease.heldBy}`);
      return await prepareAgain(bench, { id, connector, mapping, fence: lease.fence });
    },
    async reconcile(mapping) {
      const job = await self.prepare(mapping);
      if (job.summary.breaches.length > 0) await resume(bench, job);
      if (!job.summary.empty && (await job.load()) !== 'applied') throw new Error('stale');
      await pool.query(
        `update resource r set key = r.attributes ->> t.key from entity_type t
         where t.id = r.entity_type_id and r.key <> r.attributes ->> t.key`,
      );
      await job.end();
      return job;
    },
    async put(entityType, key, attributes) {
      if (attributes === null) {
        await pool.query(
          `with gone as (delete from resource r using entity_type t
             where t.name = $1 and r.entity_type_id = t.id and r.key = $2 returning r.id)
           delete from link l using gone where gone.id in (l.from_id, l.to_id)`,
          [entityType, key],
        );
        return;
      }
      await pool.query(
        `select load_first_resources(id, 0) from entity_type where name = $1 and to_regclass('resource_' || id) is null`,
        [entityType],
      );
      await pool.query(
        `insert into resource (entity_type_id, key, attributes) select id, $2, $3 from entity_type where name = $1
         on conflict (entity_type_id, key) do update set attributes = excluded.attributes`,
        [entityType, key, JSON.stringify(attributes)],
      );
    },
    async link(scope, from, to) {
      await pool.query(
        `select load_first_links(id, 0) from navigation_property where scope = $1 and to_regclass('link_' || id) is null`,
        [scope],
      );
      const { rowCount } = await pool.query(
        `insert into link (navigation_property_id, from_id, to_id) ${linkOf}`,
        [scope, from, to],
      );
      if (rowCount !== 1) throw new Error(`no ${from} or ${to}`);
    },
    async unlink(scope, from, to) {
      await pool.query(
        `delete from link where (navigation_property_id, from_id, to_id) in (${linkOf})`,
        [scope, from, to],
      );
    },
    async all(entityType) {
      const { rows } = await pool.query<{ key: string; attributes: Attributes }>(
        `select r.key, r.attributes from resource r join entity_type t on t.id = r.entity_type_id
         where t.name = $1 order by r.key`,
        [entityType],
      );
      return Object.fromEntries(rows.map(({ key, attributes }) => [key, attributes]));
    },
    async links(scope) {
      const { rows } = await pool.query<{ link: string }>(
        `select f.key || ' → ' || t.key as link from link l
         join navigation_property n on n.id = l.navigation_property_id
         join resource f on f.entity_type_id = n.from_entity_type_id and f.id = l.from_id
         join resource t on t.entity_type_id = n.to_entity_type_id and t.id = l.to_id
         where n.scope = $1 order by 1`,
        [scope],
      );
      return rows.map(({ link }) => link);
    },
    async matches() {
      const { rows } = await pool.query(
        `select first_key as first, second_key as second, state from match order by 1, 2`,
      );
      return rows;
    },
    async reset(next) {
      current = next;
      await pool.query(
        `truncate match, non_match, match_change, agreed_values, agreed_link, agreement_change, situation, reject cascade`,
      );
      await bench.reset(next);
      // The model is applied by whatever job comes first.
      const id = `job-${randomUUID()}`;
      const connector = Object.keys(next.connectors)[0] as string;
      await bench.run('beginJob', { ...begin, connector, simulate: false }, id);
      await bench.run('endJob', { connector, state: 'succeeded', error: null }, id);
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
  await self.reset(document);
  return self;
}

const begin = {
  mode: 'complete',
  trigger: 'person',
  by: null,
  configurationFile: null,
  rollbackOf: null,
} as const;

const linkOf = `select n.id, f.id, t.id from navigation_property n
  join resource f on f.entity_type_id = n.from_entity_type_id and f.key = $2
  join resource t on t.entity_type_id = n.to_entity_type_id and t.key = $3 where n.scope = $1`;

function connectorOf({ mappings, entityTypes }: ConfigurationDocument, name: string): string {
  const mapping = mappings?.[name];
  for (const type of [mapping?.target, mapping?.source]) {
    const document = entityTypes[type ?? ''];
    if (document && !document.managed) return document.connector;
  }
  throw new Error(`no mapping ${name}`);
}

interface Place {
  readonly id: string;
  readonly connector: string;
  readonly mapping: string;
  readonly fence: number;
}

async function prepareAgain(bench: SyncBench, place: Place): Promise<PreparedReconcile> {
  const { id, connector, mapping, fence } = place;
  let summary: PreparedReconciliation;
  try {
    summary = await bench.run('prepareReconciliation', { mapping, connector }, id);
  } catch (error) {
    await bench.run('endJob', { connector, state: 'failed', error: null }, id);
    throw error;
  }
  const rejects: Reject[] = [];
  for await (const reject of listRejects(bench.store, id)) rejects.push(reject);
  const { digest } = summary;
  return {
    ...{ id, summary, rejects },
    load: () => bench.run('loadDelta', { connector, fence, extraction: null, digest }, id),
    again: () => prepareAgain(bench, place),
    async end() {
      await bench.run('endJob', { connector, state: 'succeeded', error: null }, id);
    },
  };
}

let decisions = 0;

async function resume(bench: SyncBench, { id, summary }: PreparedReconcile): Promise<void> {
  decisions += 1;
  const decision = { action: 'resume', via: 'signal', nth: decisions } as const;
  const by = { claimedBy: 'somebody', reason: 'reviewed', why: null, approvers: null };
  await bench.run('settleDecision', { ...decision, ...by, delta: summary.digest }, id);
}
