// Everything a file of end-to-end tests needs for itself: database, home, task queue, configuration, workers, jobs.

import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { Pool } from 'pg';
import { inject, vi } from 'vitest';
import type { JobState } from '../../engine/job.ts';
import { migrate } from '../../store/migrate.ts';
import { manualJobId, syncJobType } from '../../workflows/identifiers.ts';
import type { JobProgress, SyncJobRequest, SyncJobResult } from '../../workflows/messages.ts';
import { type JobFacts, readJob, readPeople } from './job-facts.ts';
import { type ConnectorOptions, type Person, peopleConfiguration, writePeople } from './people.ts';
import { migratedDatabase } from './servers.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

/** Where a stack's servers are; the shared ones unless a test has its own. */
export interface StackServers {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
}

export interface StackOptions {
  /** Connectors by name; each has a directory of its own. */
  readonly connectors: Readonly<Record<string, ConnectorOptions>>;
  /** Servers of its own, with a database that is not migrated yet. */
  readonly servers?: StackServers;
  /** A client of a Temporal of its own, whose worker the test runs itself. */
  readonly temporal?: Client;
}

/** Long enough for a killed worker's activity to time out (10 s) and be tried again on two busy cores. */
const patienceMs = 60_000;

/** Starts a stack: a database, a home and a task queue that no other test has. Workers are started by the test. */
export async function startJobStack(options: StackOptions): Promise<JobStack> {
  const database = options.servers ? undefined : await migratedDatabase();
  const servers = options.servers ?? {
    databaseUrl: database?.url ?? '',
    temporalAddress: options.temporal ? '' : inject('temporalAddress'),
  };
  if (options.servers) await migrate(servers.databaseUrl);
  const home = await mkdtemp(join(tmpdir(), 'lockstep-stack-'));
  await writeFile(join(home, 'lockstep.yaml'), peopleConfiguration(options.connectors));
  for (const name of Object.keys(options.connectors)) await mkdir(join(home, name));
  const stack = new JobStack(home);
  stack.disposables.defer(() => rm(home, { recursive: true, force: true }));
  if (database) stack.disposables.use(database);
  stack.disposables.defer(() => stack.disconnect());
  await stack.connect(servers, options.temporal);
  return stack;
}

/** A job that was started. */
export interface StartedJob {
  readonly id: string;
  readonly handle: WorkflowHandle;
  /** Its row in the store as it is now. */
  facts(): Promise<JobFacts>;
  /** Waits until the store shows one of these states. */
  waitFor(...states: JobState[]): Promise<JobFacts>;
  /** Sends a signal as a person at the command line would. */
  signal(name: string, ...input: unknown[]): Promise<void>;
  /** What the running workflow says of itself; needs a worker. */
  progress(): Promise<JobProgress>;
  /** Waits for the end of the workflow; its result, or what it failed with. */
  result(): Promise<SyncJobResult | Error>;
}

export class JobStack implements AsyncDisposable {
  readonly home: string;
  readonly taskQueue = `test-${randomUUID()}`;
  /** What is undone at the end, last first. */
  readonly disposables = new AsyncDisposableStack();
  readonly workers: WorkerProcess[] = [];
  servers!: StackServers;
  pool!: Pool;
  client!: Client;
  #connections = new AsyncDisposableStack();

  constructor(home: string) {
    this.home = home;
  }

  /** Connects the test itself; again, when servers came back under other addresses. */
  async connect(servers: StackServers, temporal?: Client): Promise<void> {
    await this.disconnect();
    this.servers = servers;
    this.client = temporal ?? (await this.#connectTemporal());
    const pool = new Pool({ connectionString: servers.databaseUrl, max: 10 });
    // A server that a test kills must not end the test.
    pool.on('error', () => {});
    this.#connections.defer(() => pool.end());
    this.pool = pool;
  }

  async #connectTemporal(): Promise<Client> {
    const connection = await Connection.connect({ address: this.servers.temporalAddress });
    this.#connections.defer(() => connection.close());
    return new Client({ connection, identity: 'jane@test' });
  }

  async disconnect(): Promise<void> {
    await this.#connections.disposeAsync();
    this.#connections = new AsyncDisposableStack();
  }

  /** Where a client or a worker finds this stack. */
  get environment(): Readonly<Record<string, string>> {
    return {
      DATABASE_URL: this.servers.databaseUrl,
      TEMPORAL_ADDRESS: this.servers.temporalAddress,
      LOCKSTEP_CONFIG: join(this.home, 'lockstep.yaml'),
      LOCKSTEP_HOME: this.home,
      LOCKSTEP_TASK_QUEUE: this.taskQueue,
    };
  }

  /** Starts one more worker and waits until it is ready. */
  async startWorker(environment: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
    const worker = await startWorkerProcess(this.home, `worker-${this.workers.length + 1}`, {
      ...this.environment,
      LOCKSTEP_WORKFLOW_BUNDLE: inject('workflowBundle'),
      ...environment,
    });
    this.workers.push(worker);
    return worker;
  }

  /** Where the files of a connector are. */
  directory(connector: string): string {
    return join(this.home, connector);
  }

  /** Makes the connected system hold exactly these people. */
  async writePeople(connector: string, people: readonly Person[]): Promise<void> {
    await writePeople(this.directory(connector), people);
  }

  /** The people that the store has of a connector. */
  async people(connector: string): Promise<Person[]> {
    return await readPeople(this.pool, connector);
  }

  /** The extractions of a connector on disk, unfinished ones too. */
  async extractions(connector: string): Promise<string[]> {
    return await readdir(join(this.home, 'extractions', connector)).catch(() => []);
  }

  /** True while an export of the connector has begun to write and has not finished. */
  async exportIsWriting(connector: string): Promise<boolean> {
    return (await this.extractions(connector)).some((name) => name.endsWith('~unfinished'));
  }

  /** Starts a job as our client does. */
  async start(
    connector: string,
    request: Partial<SyncJobRequest> = {},
    taskQueue = this.taskQueue,
  ): Promise<StartedJob> {
    const mode = request.mode ?? 'complete';
    const id = manualJobId(connector, mode, new Date(), randomUUID().slice(0, 8));
    const handle = await this.client.workflow.start(syncJobType, {
      workflowId: id,
      taskQueue,
      args: [{ connector, mode, ...request }],
      searchAttributes: { SyncConnector: [connector], SyncMode: [mode], SyncJobState: ['running'] },
    });
    return this.job(handle);
  }

  /** Follows a job that was started already. */
  job(handle: WorkflowHandle): StartedJob {
    const id = handle.workflowId;
    const facts = () => readJob(this.pool, id) as Promise<JobFacts>;
    return {
      id,
      handle,
      facts,
      signal: (name, ...input) => handle.signal(name, ...input),
      progress: () => handle.query<JobProgress>('progress'),
      result: () =>
        handle.result().catch((error: Error) => error) as Promise<SyncJobResult | Error>,
      waitFor: (...states) =>
        until(
          async () => {
            const now = await facts();
            return now && states.includes(now.state) ? now : undefined;
          },
          `${id} is ${states.join(' or ')}`,
        ),
    };
  }

  /** Follows a job by its workflow id. */
  jobById(id: string): StartedJob {
    return this.job(this.client.workflow.getHandle(id));
  }

  /** Runs a job to its end, resuming it whenever it asks. */
  async synchronise(connector: string): Promise<JobFacts> {
    const job = await this.start(connector);
    const blocked = await job.waitFor('blocked', 'succeeded', 'succeeded-with-rejects', 'failed');
    if (blocked.state === 'blocked') await job.signal('resume', { by: 'jane', reason: 'reviewed' });
    await job.result();
    return await job.facts();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker[Symbol.asyncDispose]()));
    await this.disposables.disposeAsync();
  }
}

/** Asks again and again until there is an answer; fails with what was waited for. */
export async function until<Answer>(
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  what: string,
  timeoutMs = patienceMs,
): Promise<Answer> {
  return await vi.waitFor(
    async () => {
      const answer = await ask();
      if (answer === undefined || answer === false) throw new Error(`waited in vain until ${what}`);
      return answer;
    },
    { timeout: timeoutMs, interval: 50 },
  );
}
