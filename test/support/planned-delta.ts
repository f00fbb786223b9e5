/** Deltas for a connected system, planned change by change: what a mapping would have made, without a mapping. */
import { randomUUID } from 'node:crypto';
import type { ProvisionOutcome } from '../../activities/provision-delta.ts';
import type { Session } from '../../store/database.ts';
import { digestOf, plannedBookkeeping, plannedChanges } from '../../store/delta-digest.ts';
import { discardDeltas, openDelta } from '../../store/delta-store.ts';
import type { SyncBench } from './sync-bench.ts';

/** What a resource is to become; `after` null: it is to go. What it is now is looked up. */
export interface ResourcePlan {
  readonly entityType: string;
  readonly key: string;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** A link that comes or goes, by the keys of its ends. */
export interface LinkPlan {
  readonly scope: string;
  readonly from: string;
  readonly to: string;
  readonly change: 'insert' | 'update' | 'delete';
  /** Of an update: the key of the target before. */
  readonly previous?: string;
}

export interface PlannedDeltaOptions {
  readonly resources?: readonly ResourcePlan[];
  readonly links?: readonly LinkPlan[];
  readonly connector?: string;
  readonly breaches?: readonly object[];
  readonly trigger?: 'person' | 'schedule';
  /** Writes what else belongs to the delta, before it is digested. */
  readonly more?: (session: Session, deltaId: bigint) => Promise<void>;
}

/** A job whose delta is planned and not provisioned yet. */
export interface ProvisioningJob {
  readonly id: string;
  readonly fence: number;
  readonly digest: string;
  readonly deltaId: bigint;
  provision(changed?: { fence?: number; digest?: string }): Promise<ProvisionOutcome>;
  end(): Promise<string>;
}

/** Begins a job and plans its delta. */
export async function planDelta(
  bench: SyncBench,
  { connector = 'crm', trigger = 'person', ...delta }: PlannedDeltaOptions,
): Promise<ProvisioningJob> {
  const id = `job-${randomUUID()}`;
  const lease = await bench.run(
    'beginJob',
    {
      connector,
      mode: 'complete',
      simulate: false,
      trigger,
      by: null,
      configurationFile: null,
      rollbackOf: null,
    },
    id,
  );
  if (!lease.held) throw new Error(`${connector} is held by ${lease.heldBy}`);
  const { fence } = lease;
  const { deltaId, digest } = await bench.store.transaction('read committed', (session) =>
    writeDelta(session, id, delta),
  );
  return {
    id,
    fence,
    digest,
    deltaId,
    provision: (changed = {}) =>
      bench.run('provisionDelta', { connector, fence, digest, ...changed }, id),
    end: async () =>
      (await bench.run('endJob', { connector, state: 'succeeded', error: null }, id)).state,
  };
}

async function writeDelta(
  session: Session,
  jobId: string,
  { resources = [], links = [], breaches = [], more = async () => {} }: PlannedDeltaOptions,
): Promise<{ deltaId: bigint; digest: string }> {
  await discardDeltas(session, jobId);
  const deltaId = await openDelta(session, jobId, null);
  for (const { entityType, key, after } of resources) {
    const { rowCount } = await session.query(
      `insert into resource_change (delta_id, resource_id, entity_type_id, key, change, before, after, source_digest)
       select $1, coalesce(r.id, nextval('resource_id_seq')), t.id, $3,
         case when $4::jsonb is null then 'delete' when r.id is null then 'insert' else 'update' end,
         r.attributes, $4::jsonb, md5(coalesce($4::jsonb::text, r.attributes::text))::uuid
       from entity_type t left join resource r on r.entity_type_id = t.id and r.key = $3 where t.name = $2`,
      [deltaId, entityType, key, after && JSON.stringify(after)],
    );
    if (rowCount !== 1) throw new Error(`there is no ${entityType}`);
  }
  const end = (type: string, key: string) =>
    `coalesce((select id from resource where entity_type_id = ${type} and key = ${key}),
      (select resource_id from resource_change where delta_id = $1 and entity_type_id = ${type} and key = ${key}))`;
  for (const { scope, from, to, change, previous = null } of links) {
    await session.query(
      `insert into link_change (delta_id, navigation_property_id, change, from_key, to_key, previous_key, from_id, to_id, previous_id)
       select $1, n.id, $3, $4, $5, $6, ${end('n.from_entity_type_id', '$4')}, ${end('n.to_entity_type_id', '$5')},
         case when $6::text is not null then ${end('n.to_entity_type_id', '$6')} end
       from navigation_property n where n.scope = $2`,
      [deltaId, scope, change, from, to, previous],
    );
  }
  await more(session, deltaId);
  const planned = [
    ...(await plannedChanges(session, deltaId)),
    ...(await plannedBookkeeping(session, deltaId)),
  ];
  const digest = digestOf(deltaId, planned);
  await session.query('update delta set digest = $2, breaches = $3 where id = $1', [
    deltaId,
    digest,
    JSON.stringify(breaches),
  ]);
  return { deltaId, digest };
}

/** What became of every resource of a delta, by key. */
export async function provisioned(
  { store }: SyncBench,
  { deltaId }: ProvisioningJob,
): Promise<Record<string, string>> {
  const rows = await store.prisma.provisioning.findMany({ where: { deltaId } });
  const told = rows.map(({ key, operation, state, code, paths }) => [
    key,
    [operation, state, code, ...paths].filter((part) => part !== null).join(' '),
  ]);
  return Object.fromEntries(told);
}
