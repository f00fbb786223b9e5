// Tests of the embedded PostgreSQL: what it is like, and that it survives what kills it.

import { mkdtemp, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { beforeEach, expect, inject, test } from 'vitest';
import { type RunningPostgres, startPostgres } from '../../local/postgres.ts';
import { isRunning } from '../../local/running-process.ts';

let dataDirectory: string;
let server: RunningPostgres;

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-postgres-'));
  dataDirectory = join(directory, 'postgres');
  server = await startPostgres({ dataDirectory });
  return async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  };
});

async function query(databaseUrl: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.map(
      (row) => Object.values(row)[0],
    );
  } finally {
    await client.end();
  }
}

test('it is durable, sorts alike everywhere and knows Unicode', async () => {
  const { databaseUrl } = server;
  expect(await query(databaseUrl, 'SHOW fsync')).toEqual(['on']);
  expect(await query(databaseUrl, 'SHOW synchronous_commit')).toEqual(['on']);
  expect(await query(databaseUrl, 'SHOW server_encoding')).toEqual(['UTF8']);
  expect(await query(databaseUrl, `SELECT lower('ÉLODIE')`)).toEqual(['élodie']);
  const words = `SELECT * FROM unnest(ARRAY['b', 'É', 'a', 'B']) AS word ORDER BY word`;
  expect(await query(databaseUrl, words)).toEqual(['B', 'a', 'b', 'É']);
});

test('only the password opens it, and only we may read the password', async () => {
  const wrong = server.databaseUrl.replace(/:[0-9a-f]+@/, ':guessed@');
  await expect(query(wrong, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  const { mode } = await stat(`${dataDirectory}.password`);
  expect(mode & 0o777).toBe(0o600);
});

test('after a kill -9 of the server it starts on the same directory, with what was committed', async () => {
  await query(server.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
  // A session that is open when the server dies keeps its shared memory for a moment.
  const session = new Client({ connectionString: server.databaseUrl });
  session.on('error', () => {});
  await session.connect();
  process.kill(server.pid, 'SIGKILL');
  await server.exited;

  server = await startPostgres({ dataDirectory });
  expect(await query(server.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
});

test('a lock file whose pid is another program by now does not stop it', async () => {
  await server.stop();
  const lines = [process.ppid, dataDirectory, 1, server.port, '', '127.0.0.1', '', 'ready', ''];
  await writeFile(join(dataDirectory, 'postmaster.pid'), lines.join('\n'));
  server = await startPostgres({ dataDirectory });
  expect(await query(server.databaseUrl, 'SELECT 1')).toEqual([1]);
});

test('a second server on the same directory is refused while the first has its owner', async () => {
  await expect(startPostgres({ dataDirectory })).rejects.toThrow(/in use by process/);
  expect(isRunning(server.pid)).toBe(true);
});

test('a lost password file is replaced by a new password; the data stay', async () => {
  const before = server.databaseUrl;
  await query(before, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await server.stop();
  await rm(`${dataDirectory}.password`);
  server = await startPostgres({ dataDirectory, port: server.port });
  expect(server.databaseUrl).not.toBe(before);
  expect(await query(server.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
});

test('a preferred port that is taken is left to its owner', async () => {
  await server.stop();
  const taken = Number(new URL(inject('databaseUrl')).port);
  server = await startPostgres({ dataDirectory, port: taken, tuning: { work_mem: '8MB' } });
  expect(server.port).not.toBe(taken);
  expect(await query(server.databaseUrl, 'SHOW work_mem')).toEqual(['8MB']);
});

test.runIf(process.getuid?.() === 0)(
  'as root below a closed folder the data lie elsewhere, and are found again',
  async () => {
    const closed = await mkdtemp(join(tmpdir(), 'lockstep-closed-'));
    const home = { dataDirectory: join(closed, 'home', 'postgres') };
    const first = await startPostgres(home);
    const elsewhere = await readlink(home.dataDirectory);
    try {
      await query(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await first.stop();
      const second = await startPostgres(home);
      expect(await query(second.databaseUrl, 'SELECT answer FROM kept')).toEqual([42]);
      await second.stop();
      expect((await stat(closed)).mode & 0o777).toBe(0o700);
    } finally {
      await rm(elsewhere, { recursive: true });
      await rm(closed, { recursive: true });
    }
  },
);
