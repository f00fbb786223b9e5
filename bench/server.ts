/** The one PostgreSQL server of a benchmark, with a database for every tool and run. */
import { addAbortListener } from 'node:events';
import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startPostgres } from '../local/postgres.ts';

/** Room for the largest size; jit is off and fsync is on already. */
export const tuning = { shared_buffers: '1GB', max_wal_size: '8GB' } as const;

export interface Server extends AsyncDisposable {
  readonly version: string;
  /** Creates an empty database; one of that name is dropped first. @returns its URL, which holds a password. */
  createDatabase(name: string): Promise<string>;
  dropDatabase(name: string): Promise<void>;
  /** Vacuums and analyses as autovacuum would in the hours between two runs, so that it does not while others are measured. */
  tidy(databaseUrl: string): Promise<void>;
  /** Reads a database through: some systems take memory away from files that nobody has looked at for a minute. */
  warm(databaseUrl: string): Promise<void>;
  /** Resolves when nothing is left to write and no autovacuum worker is at work, on whatever database. */
  rest(): Promise<void>;
}

/** Starts the server in a directory, which may be removed once it is disposed of. */
export async function startServer(home: string, signal: AbortSignal): Promise<Server> {
  const dataDirectory = join(home, 'postgres');
  const postgres = await startPostgres({ dataDirectory, tuning });
  const run = (url: string, statements: readonly string[]) =>
    withClient(url, signal, async (client) => {
      for (const statement of statements) await client.query(statement);
    });
  const drop = (name: string) => `drop database if exists ${name} with (force)`;
  return {
    version: await withClient(postgres.databaseUrl, signal, versionOf),
    async createDatabase(name) {
      await run(postgres.databaseUrl, [drop(name), `create database ${name}`]);
      return Object.assign(new URL(postgres.databaseUrl), { pathname: `/${name}` }).href;
    },
    dropDatabase: (name) => run(postgres.databaseUrl, [drop(name)]),
    tidy: (databaseUrl) => run(databaseUrl, ['vacuum (analyze)']),
    warm: (databaseUrl) =>
      run(databaseUrl, [
        'create extension if not exists pg_prewarm',
        // Into the memory of the system, not PostgreSQL's own.
        `select pg_prewarm(oid, 'read') from pg_class where relkind in ('r', 'i', 't') and relpersistence <> 't'`,
      ]),
    async rest() {
      await run(postgres.databaseUrl, ['checkpoint']);
      await withClient(postgres.databaseUrl, signal, untilIdle);
    },
    async [Symbol.asyncDispose]() {
      await postgres.stop();
      // As root the data may lie elsewhere, behind a link.
      await rm(await realpath(dataDirectory), { recursive: true, force: true });
    },
  };
}

async function versionOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  return rows[0]?.server_version ?? '';
}

async function untilIdle(client: pg.Client): Promise<void> {
  const workers = `select from pg_stat_activity where backend_type = 'autovacuum worker'`;
  while ((await client.query(workers)).rowCount !== 0) await sleep(100);
}

/** Works on a connection of its own, which is cut when the signal aborts. */
export async function withClient<Result>(
  databaseUrl: string,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const client = new pg.Client({ connectionString: databaseUrl });
  // The error of the statement says it as well.
  client.on('error', () => {});
  using _ = addAbortListener(signal, () => void client.end());
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}
