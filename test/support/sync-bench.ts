/** Runs the real activities of a sync job in the order of the workflow, on a real store, without Temporal's server. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Log } from '../../activities/dependencies.ts';
import { createSyncActivities, type SyncActivities } from '../../activities/index.ts';
import { parseConfiguration, readConfiguration } from '../../config/configuration.ts';
import type { ConfigurationDocument } from '../../config/document.ts';
import type { Mode } from '../../engine/job.ts';
import type { Reject } from '../../engine/reject.ts';
import { openStore, type Store } from '../../store/database.ts';
import { type Change, listChanges } from '../../store/queries/changes.ts';
import { listRejects } from '../../store/queries/rejects.ts';
import { migratedDatabase } from './servers.ts';
import { type Contents, readContents } from './store-contents.ts';

/** File name → content; a Buffer where the bytes matter. */
export type Files = Readonly<Record<string, string | Buffer>>;

type InfoOf<Name extends keyof SyncActivities> = Awaited<ReturnType<SyncActivities[Name]>>;

type Summary = InfoOf<'prepareDelta'>;

/** A job whose delta is prepared and not loaded yet. */
export interface PreparedJob extends Summary {
  readonly id: string;
  readonly fence: number;
  /** Empty for a rollback. */
  readonly extraction: string;
  readonly rejects: readonly Reject[];
  readonly changes: readonly Change[];
  /** Writes down that somebody resumed this delta. */
  resume(): Promise<void>;
  load(changed?: { fence?: number; digest?: string }): Promise<'applied' | 'stale'>;
  /** Prepares the delta of the same job again. */
  again(): Promise<PreparedJob>;
  /** Gives the connector back. */
  end(): Promise<string>;
}

/** What is left of a job that was prepared, resumed where it breached a limit, loaded and ended. */
export interface FinishedJob extends PreparedJob {
  readonly state: string;
  readonly contents: Contents;
}

/** A store with one configuration, whose source files are given job by job. */
export interface SyncBench extends AsyncDisposable {
  readonly store: Store;
  readonly extractions: string;
  /** The jobs that `WorkflowRegister.isOpen` says are closed. */
  readonly closedJobs: Set<string>;
  /** What the activities logged. */
  readonly logged: { fields: object; message: string }[];
  configure(document: ConfigurationDocument): void;
  /** Puts the files of a connector in place of those it had. */
  write(files: Files, connector?: string): Promise<void>;
  prepare(files: Files, connector?: string, mode?: Mode): Promise<PreparedJob>;
  /** Begins a task alone, on a kept extraction, and prepares its delta. */
  prepareKept(
    task: 'prepare' | 'synchronize' | 'expressions',
    extraction?: string,
    of?: { readonly connector: string; readonly mode: Mode },
  ): Promise<PreparedJob>;
  sync(files: Files, connector?: string, mode?: Mode): Promise<FinishedJob>;
  /** Runs a job up to the gate, to its end: its delta is left for review. */
  simulate(files: Files, connector?: string): Promise<PreparedJob>;
  /** Prepares the inverse of a job. */
  prepareRollback(jobId: string, connector?: string): Promise<PreparedJob>;
  /** Takes a job back: prepared, resumed where it breaches a limit, loaded and ended. */
  rollBack(jobId: string, connector?: string): Promise<FinishedJob>;
  contents(): Promise<Contents>;
  /**
   * Empties the store (but for its audit log) and configures anew. Nothing was ever loaded then; or, with `keepTables`,
   * the resources and links of all types are gone.
   */
  reset(document: ConfigurationDocument, options?: { keepTables?: boolean }): Promise<void>;
  /** Runs one activity for a job of its own, or of the given id. */
  run<Name extends keyof SyncActivities>(
    name: Name,
    request: Parameters<SyncActivities[Name]>[0],
    jobId?: string,
  ): Promise<InfoOf<Name>>;
}

type AnyActivity = (request: unknown) => Promise<unknown>;

/** Runs activities as the workflow of a job would call them. */
function createRunner(activities: SyncActivities): SyncBench['run'] {
  return async (name, request, jobId = `job-${randomUUID()}`) => {
    const environment = new MockActivityEnvironment(
      { workflowExecution: { workflowId: jobId, runId: `run-of-${jobId}` } },
      { logger: silent },
    );
    const activity = activities[name] as AnyActivity;
    return (await environment.run<[unknown], unknown, AnyActivity>(activity, request)) as never;
  };
}

const nothing = () => {};
const silent = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};

/** Opens a bench on a database of its own. Each connector reads the directory of its name. */
export async function openSyncBench(
  document: ConfigurationDocument,
  environment: NodeJS.ProcessEnv = {},
): Promise<SyncBench> {
  const database = await migratedDatabase();
  const store = openStore(database.url, 'sync bench');
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
  const extractions = join(directory, 'extractions');
  const configurationFile = join(directory, 'lockstep.yaml');
  const closedJobs = new Set<string>();
  const logged: { fields: object; message: string }[] = [];
  let current = document;
  const note = (fields: object, message: string) => void logged.push({ fields, message });
  const log: Log = { info: note, warn: note, error: note };
  const activities = createSyncActivities({
    store,
    configurations: {
      read: async () => {
        await writeFile(configurationFile, JSON.stringify(current));
        return await readConfiguration(configurationFile, environment);
      },
      parse: (source) => parseConfiguration(source, environment),
    },
    workflows: {
      isOpen: async (id) => !closedJobs.has(id),
      starterOf: async () => ({ identity: 'somebody@bench', principal: null }),
      senderOf: async () => ({ identity: 'somebody@bench', principal: null }),
    },
    extractions,
    log,
  });

  const bench: SyncBench = {
    store,
    extractions,
    closedJobs,
    logged,
    configure(next) {
      current = next;
    },
    async write(files, connector = 'sab') {
      const target = join(directory, connector);
      await rm(target, { recursive: true, force: true });
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(target, name)), { recursive: true });
        await writeFile(join(target, name), content);
      }
    },
    run: createRunner(activities),
    async prepare(files, connector = 'sab', mode = 'complete') {
      await bench.write(files, connector);
      return await beginAndPrepare(bench, { connector, mode });
    },
    async simulate(files, connector = 'sab') {
      await bench.write(files, connector);
      const job = await beginAndPrepare(bench, { connector, simulate: true });
      await job.end();
      return job;
    },
    async prepareKept(task, wanted, { connector, mode } = { connector: 'sab', mode: 'complete' }) {
      const id = `job-${randomUUID()}`;
      const request = {
        connector,
        mode,
        task,
        extraction: wanted ?? null,
        simulate: false,
        trigger: 'person' as const,
        by: null,
        configurationFile: null,
      };
      const end = () => bench.run('endJob', { connector, state: 'failed', error: null }, id);
      try {
        const lease = await bench.run('beginJob', request, id);
        if (!lease.held || !lease.kept) throw new Error(`${connector} is held, or nothing is kept`);
        const { fence, kept } = lease;
        return await prepareAgain(bench, { id, connector, fence, ...kept });
      } catch (error) {
        await end();
        throw error;
      }
    },
    sync: async (files, connector, mode) =>
      await finish(bench, await bench.prepare(files, connector, mode)),
    prepareRollback: (jobId, connector = 'sab') =>
      beginAndPrepare(bench, { connector, rollbackOf: jobId }),
    rollBack: async (jobId, connector) =>
      await finish(bench, await bench.prepareRollback(jobId, connector)),
    contents: () => readContents(store),
    async reset(next, { keepTables = false } = {}) {
      current = next;
      await store.pool.query('select drop_first_changes(id) from delta');
      await store.pool.query(
        `truncate resource, link, pending_link, navigation_property, entity_type, lease, job, delta,
           resource_change, link_change, bookkeeping, scope_source, edit, cursor, edit_request, value_origin
           restart identity cascade`,
      );
      if (!keepTables) await dropPartitions(store);
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
      await database[Symbol.asyncDispose]();
    },
  };
  return bench;
}

async function dropPartitions({ pool }: Store): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent in ('resource'::regclass, 'link'::regclass)`,
  );
  if (rows.length > 0) await pool.query(`drop table ${rows.map(({ name }) => name).join(', ')}`);
}

interface JobPlace {
  readonly id: string;
  readonly connector: string;
  readonly fence: number;
  readonly extraction: string | null;
  readonly kept?: boolean;
  readonly rollbackOf?: string | null;
}

interface JobOptions {
  readonly connector: string;
  readonly mode?: Mode;
  readonly rollbackOf?: string | null;
  readonly simulate?: boolean;
}

async function beginAndPrepare(
  bench: SyncBench,
  { connector, mode = 'complete', rollbackOf = null, simulate = false }: JobOptions,
): Promise<PreparedJob> {
  const id = `job-${randomUUID()}`;
  const lease = await bench.run(
    'beginJob',
    {
      connector,
      mode,
      simulate,
      trigger: 'person',
      by: null,
      configurationFile: null,
      rollbackOf,
    },
    id,
  );
  if (!lease.held) throw new Error(`${connector} is held by ${lease.heldBy}`);
  try {
    const exported =
      rollbackOf === null ? await bench.run('exportSource', { connector, mode }, id) : undefined;
    const extraction = exported?.extraction ?? null;
    return await prepareAgain(bench, { id, connector, fence: lease.fence, extraction, rollbackOf });
  } catch (error) {
    await bench.run('endJob', { connector, state: 'failed', error: null }, id);
    throw error;
  }
}

async function finish(bench: SyncBench, job: PreparedJob): Promise<FinishedJob> {
  if (job.breaches.length > 0) await job.resume();
  const outcome = await job.load();
  if (outcome !== 'applied') throw new Error(`the delta is ${outcome}`);
  return { ...job, state: await job.end(), contents: await bench.contents() };
}

let decisions = 0;

async function prepareAgain(bench: SyncBench, place: JobPlace): Promise<PreparedJob> {
  const { id, connector, fence, extraction, kept = false, rollbackOf = null } = place;
  const { store } = bench;
  const summary =
    rollbackOf === null
      ? await bench.run('prepareDelta', { connector, extraction: extraction ?? '', kept }, id)
      : await bench.run('prepareRollback', { connector, rollbackOf }, id);
  return {
    ...summary,
    id,
    fence,
    extraction: extraction ?? '',
    rejects: await collect(listRejects(store, id)),
    changes: await collect(listChanges(store, id)),
    async resume() {
      decisions += 1;
      await bench.run(
        'settleDecision',
        {
          action: 'resume',
          via: 'signal',
          nth: decisions,
          claimedBy: 'somebody',
          reason: 'reviewed',
          delta: summary.digest,
          why: null,
          approvers: null,
        },
        id,
      );
    },
    load: (changed = {}) =>
      bench.run(
        'loadDelta',
        { connector, fence, extraction, kept, digest: summary.digest, ...changed },
        id,
      ),
    again: () => prepareAgain(bench, place),
    end: async () =>
      (await bench.run('endJob', { connector, state: 'succeeded', error: null }, id)).state,
  };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
