/** A local stack: the servers that are not given, migrated, scheduled and with a worker; started and stopped as one. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError } from '../engine/errors.ts';
import { type DevState, readDevState, writeDevState } from '../local/dev-state.ts';
import { startPostgres } from '../local/postgres.ts';
import { findTemporal } from '../local/temporal-binary.ts';
import { startTemporal } from '../local/temporal-server.ts';
import { searchAttributes } from '../workflows/identifiers.ts';
import { type DevWorker, startDevWorker } from './dev-worker.ts';
import { applySchedules, type ScheduleChanges } from './schedules.ts';
import { environmentOf, findTemporalServer, namesTemporal, writeProfile } from './servers.ts';
import { Session } from './session.ts';
import { runScript } from './worker-process.ts';

/** What to start and where. */
export interface DevStackOptions {
  /** What is not given here (`DATABASE_URL`, `TEMPORAL_*`) is started. The worker gets it too. */
  readonly env: NodeJS.ProcessEnv;
  /** Holds all state: data, logs, `dev.json`. Absolute. */
  readonly home: string;
  /** Path of `lockstep.yaml`, over `LOCKSTEP_CONFIG`. */
  readonly configurationFile?: string | undefined;
  /** Takes a line about each step. */
  readonly log: (text: string) => void;
}

/** A stack that is ready to work. */
export interface DevStack {
  /** Addresses and pids, as in `dev.json`. */
  readonly state: DevState;
  readonly worker: DevWorker;
  readonly schedules: ScheduleChanges;
  /** The environment in which other processes find this stack. */
  readonly environment: NodeJS.ProcessEnv;
  /** Stops all that was started, in order. Data stays. */
  stop(): Promise<void>;
}

interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Starts a stack and resolves when a worker polls.
 *
 * @throws LockstepError `ConfigurationInvalid` before anything is started; `UsageInvalid` when one runs in this home.
 */
export async function startDevStack(options: DevStackOptions): Promise<DevStack> {
  const { home } = options;
  const running = await readDevState(home);
  if (running) throw runsAlready(home, running);
  const env = { ...options.env, LOCKSTEP_HOME: home };
  const session = new Session({ environment: env, configurationFile: options.configurationFile });
  await session.configuration();
  const started: Stoppable[] = [];
  const stop = async () => {
    await rm(join(home, 'dev.json'), { force: true });
    for (const part of started.splice(0).reverse()) await part.stop();
    // A worker that was just started again may have written it once more.
    await rm(join(home, 'dev.json'), { force: true });
  };
  try {
    return await startAll(options, session.environment, started, stop);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    await session.close();
  }
}

async function startAll(
  { home, configurationFile, log }: DevStackOptions,
  env: NodeJS.ProcessEnv,
  started: Stoppable[],
  stop: () => Promise<void>,
): Promise<DevStack> {
  const servers = await startServers(home, env, started, log);
  const environment = environmentOf(env, servers);
  await migrate(environment, log);
  const session = new Session({ environment, configurationFile });
  const schedules = await applySchedules(session).finally(() => session.close());
  let state: DevState = { ...servers, pids: { dev: process.pid, ...servers.pids } };
  const worker = await startDevWorker({
    home,
    environment,
    log,
    onReady: async (pid) => {
      state = { ...state, pids: { ...state.pids, worker: pid } };
      await writeDevState(home, state);
    },
  });
  started.push(worker);
  log(`Worker          pid ${worker.pid}, log ${join(home, 'worker.log')}`);
  return {
    get state() {
      return state;
    },
    worker,
    schedules,
    environment,
    stop,
  };
}

type Servers = Pick<DevState, 'databaseUrl' | 'temporalAddress' | 'temporalUi'> & {
  readonly pids: { readonly postgres?: number; readonly temporal?: number };
};

/** Starts both at once; what came up is in `started` also when the other did not. */
async function startServers(
  home: string,
  env: NodeJS.ProcessEnv,
  started: Stoppable[],
  log: (text: string) => void,
): Promise<Servers> {
  const [database, temporal] = await Promise.allSettled([
    databaseOf(home, env, started),
    temporalOf(home, env, started),
  ]);
  if (database.status === 'rejected') throw database.reason;
  if (temporal.status === 'rejected') throw temporal.reason;
  const { host, pathname } = new URL(database.value.databaseUrl);
  log(`PostgreSQL      ${host}${pathname}${database.value.pid ? '' : ' (given)'}`);
  log(`Temporal        ${temporal.value.temporalAddress}${temporal.value.pid ? '' : ' (given)'}`);
  if (temporal.value.temporalUi) log(`Temporal UI     ${temporal.value.temporalUi}`);
  return {
    databaseUrl: database.value.databaseUrl,
    temporalAddress: temporal.value.temporalAddress,
    ...(temporal.value.temporalUi && { temporalUi: temporal.value.temporalUi }),
    pids: {
      ...(database.value.pid && { postgres: database.value.pid }),
      ...(temporal.value.pid && { temporal: temporal.value.pid }),
    },
  };
}

async function databaseOf(
  home: string,
  env: NodeJS.ProcessEnv,
  started: Stoppable[],
): Promise<{ databaseUrl: string; pid?: number }> {
  if (env['DATABASE_URL']) return { databaseUrl: env['DATABASE_URL'] };
  const postgres = await startPostgres({ dataDirectory: join(home, 'postgres'), port: 5432 });
  started.push(postgres);
  return { databaseUrl: postgres.databaseUrl, pid: postgres.pid };
}

async function temporalOf(
  home: string,
  env: NodeJS.ProcessEnv,
  started: Stoppable[],
): Promise<{ temporalAddress: string; temporalUi?: string | undefined; pid?: number }> {
  if (namesTemporal(env)) {
    const { connectionOptions } = await findTemporalServer(env);
    return { temporalAddress: connectionOptions.address ?? 'localhost:7233' };
  }
  const binary = findTemporal(env);
  if (binary === undefined) {
    throw new LockstepError('TemporalUnavailable', 'The `temporal` program was not found', {
      hint: 'Run `npm run setup`, which says why, or set TEMPORAL_ADDRESS to a server of your own.',
    });
  }
  const temporal = await startTemporal({
    binary,
    databaseFile: join(home, 'temporal.db'),
    port: 7233,
    uiPort: 8233,
    searchAttributes,
  });
  started.push(temporal);
  await writeProfile(home, temporal.address);
  return { temporalAddress: temporal.address, temporalUi: temporal.uiUrl, pid: temporal.pid };
}

async function migrate(environment: NodeJS.ProcessEnv, log: (text: string) => void): Promise<void> {
  let output = '';
  const code = await runScript('migrate', environment, (text) => {
    output += text;
  });
  if (code !== 0) {
    throw new LockstepError(
      'StoreUnavailable',
      `The database could not be migrated:\n${output.trim()}`,
    );
  }
  for (const line of output.trim().split('\n').filter(Boolean)) log(`Migration       ${line}`);
}

function runsAlready(home: string, { pids, temporalUi }: DevState): LockstepError {
  const pages = temporalUi === undefined ? '' : ` Its pages are at ${temporalUi}.`;
  return new LockstepError(
    'UsageInvalid',
    `lockstep dev runs already in ${home} (pid ${pids.dev})`,
    {
      hint: `Use it as it is, stop it with Ctrl-C, or choose another LOCKSTEP_HOME.${pages}`,
    },
  );
}
