// The PostgreSQL server of a local run: real binaries from npm, on 127.0.0.1, with a password.

import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError, escapeIdentifier } from 'pg';
import {
  ChildProcessError,
  type RunningChild,
  startChild,
  stopLeftBehind,
} from './child-process.ts';
import { freePort } from './port.ts';
import { type Cluster, openCluster, SUPERUSER } from './postgres-cluster.ts';

const DATABASE = 'lockstep';
const INVALID_CATALOG_NAME = '3D000';
const CANNOT_CONNECT_NOW = '57P03';

/** Durable as any PostgreSQL (fsync and synchronous_commit stay on), with room for bulk loads. */
const TUNING: Readonly<Record<string, string>> = {
  shared_buffers: '256MB',
  work_mem: '64MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  // Nothing replicates from it, so a load into a new table need not go through the log.
  wal_level: 'minimal',
  max_wal_senders: '0',
  random_page_cost: '1.1',
  // Compiling a plan costs more than our statements take.
  jit: 'off',
  // The detail of an error quotes rows; the log is no place for identity data.
  log_error_verbosity: 'terse',
  fsync: 'on',
  synchronous_commit: 'on',
};

/** What to start. */
export interface PostgresOptions {
  /**
   * Holds the data; created when missing. Log, password and pid file lie beside it. As root it may
   * become a link, see `makeReachable`.
   */
  readonly dataDirectory: string;
  /** A wish: a free one is taken where it is not free, or none is given. */
  readonly port?: number | undefined;
  /** Server settings, over the defaults for a development machine. */
  readonly tuning?: Readonly<Record<string, string>>;
}

/** A PostgreSQL server that accepts connections. */
export interface RunningPostgres extends RunningChild {
  /** Holds the password; the database is `lockstep`, and the user may do anything. */
  readonly databaseUrl: string;
  readonly port: number;
}

/**
 * Starts PostgreSQL and waits until the database `lockstep` accepts connections. What a SIGKILL left
 * (a server without its owner, a stale lock, an unfinished recovery) is cleared up first.
 *
 * @throws ChildProcessError with the end of its log; Error when a live process uses the directory.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { dataDirectory } = options;
  // The server's command line names the place behind a link.
  const directory = existsSync(dataDirectory) ? realpathSync(dataDirectory) : dataDirectory;
  await stopLeftBehind(pidFileOf(options), directory);
  const cluster = await openCluster(dataDirectory);
  const { port, child } = await launch(options, cluster);
  try {
    await createDatabase(cluster, port);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { ...child, port, databaseUrl: urlOf(cluster, port, DATABASE) };
}

async function launch(
  options: PostgresOptions,
  cluster: Cluster,
): Promise<{ port: number; child: RunningChild }> {
  const deadline = Date.now() + 10_000;
  let port = await freePort(options.port);
  while (true) {
    try {
      return { port, child: await launchOn(port, options, cluster) };
    } catch (error) {
      if (!(error instanceof ChildProcessError) || Date.now() > deadline) throw error;
      // Somebody took the port between our question and the server's start.
      if (error.log.includes('could not bind')) port = await freePort();
      // The sessions of a killed server take a moment to notice and to end.
      else if (error.log.includes('pre-existing shared memory block')) await sleep(100);
      else throw error;
    }
  }
}

function launchOn(port: number, options: PostgresOptions, cluster: Cluster): Promise<RunningChild> {
  const settings = {
    ...TUNING,
    ...options.tuning,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  };
  return startChild({
    name: 'PostgreSQL',
    command: join(cluster.binaries, 'postgres'),
    args: [
      ...['-D', cluster.directory, '-p', `${port}`],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    logFile: `${options.dataDirectory}.log`,
    pidFile: pidFileOf(options),
    ...cluster.account,
    // Replaying the log after a crash may take as long as writing it did.
    readyTimeoutMs: 180_000,
    isReady: () => accepts(cluster, port),
    // Fast shutdown: sessions are ended, what is committed is kept. SIGTERM would wait for them.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 60_000,
  });
}

async function accepts(cluster: Cluster, port: number): Promise<boolean> {
  try {
    await query(cluster, port, 'postgres', 'SELECT 1');
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code !== CANNOT_CONNECT_NOW) throw error;
    return false;
  }
}

async function createDatabase(cluster: Cluster, port: number): Promise<void> {
  try {
    await query(cluster, port, DATABASE, 'SELECT 1');
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== INVALID_CATALOG_NAME) throw error;
    await query(cluster, port, 'postgres', `CREATE DATABASE ${escapeIdentifier(DATABASE)}`);
  }
}

async function query(cluster: Cluster, port: number, database: string, sql: string): Promise<void> {
  const client = new Client({
    connectionString: urlOf(cluster, port, database),
    connectionTimeoutMillis: 2000,
  });
  // The server may end while we wait for it; the query's own error says so.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end().catch(() => {});
  }
}

function urlOf(cluster: Cluster, port: number, database: string): string {
  return `postgresql://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/${database}`;
}

function pidFileOf(options: PostgresOptions): string {
  return `${options.dataDirectory}.pid`;
}
