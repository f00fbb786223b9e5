// Starts the servers that the chosen test projects need, each once, and stops them at the end.

import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { runScript } from '../../client/worker-process.ts';
import { type RunningPostgres, startPostgres } from '../../local/postgres.ts';
import { findTemporal, findTestServer } from '../../local/temporal-binary.ts';
import { type RunningTemporal, startTemporal } from '../../local/temporal-server.ts';

interface Servers {
  readonly directory: Promise<string>;
  postgres?: Promise<RunningPostgres>;
  template?: Promise<string>;
  temporal?: Promise<RunningTemporal>;
  workflowBundle?: Promise<string>;
}

/** Vitest loads this file once for each project; what is started is shared between them. */
const shared = globalThis as typeof globalThis & { lockstepTestServers?: Servers };

/** Runs before the first test of a project; a project without tests to run does not come here. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.lockstepTestServers ??= { directory: openDirectory() };
  const servers = shared.lockstepTestServers;
  try {
    servers.postgres ??= startTestPostgres(servers);
    if (project.name !== 'db') servers.workflowBundle ??= bundleOnce(servers);
    servers.template ??= migrateOnce(await servers.postgres);
    project.provide('databaseUrl', (await servers.postgres).databaseUrl);
    project.provide('migratedTemplate', await servers.template);
    if (project.name !== 'db')
      project.provide('workflowBundle', (await servers.workflowBundle) ?? '');
    if (project.name === 'time-skipping') {
      project.provide('testServerBinary', findTestServer(process.env));
    }
    if (project.name === 'temporal') {
      servers.temporal ??= startTestTemporal(servers);
      project.provide('temporalAddress', (await servers.temporal).address);
      project.provide('temporalBinary', requireTemporal());
      project.provide('temporalLog', `${join(await servers.directory, 'temporal.db')}.log`);
    }
  } catch (error) {
    // Vitest does not tear down what did not come up.
    await stop();
    throw error;
  }
  return stop;
}

const memory = '/dev/shm';
const enoughBytes = 6e9;

/** In memory where there is plenty: each test makes and drops hundreds of files, and file systems take their time over that. */
async function openDirectory(): Promise<string> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  const parent = bavail * bsize >= enoughBytes ? memory : tmpdir();
  return await mkdtemp(join(parent, 'lockstep-test-'));
}

async function startTestPostgres({ directory }: Servers): Promise<RunningPostgres> {
  // These data do not outlive the run, so they need not reach the disk.
  const tuning = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  return startPostgres({ dataDirectory: join(await directory, 'postgres'), tuning });
}

/** Every store of the tests is a copy of this database: migrating each of them costs more than most tests. */
async function migrateOnce({ databaseUrl }: RunningPostgres): Promise<string> {
  const name = 'migrated';
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).href;
  let output = '';
  const code = await runScript('migrate', { ...process.env, DATABASE_URL: url }, (text) => {
    output += text;
  });
  if (code !== 0) throw new Error(output);
  return name;
}

async function startTestTemporal({ directory }: Servers): Promise<RunningTemporal> {
  return startTemporal({
    binary: requireTemporal(),
    databaseFile: join(await directory, 'temporal.db'),
    headless: true,
    searchAttributes: {
      SyncJobState: 'Keyword',
      SyncConnector: 'Keyword',
      SyncMode: 'Keyword',
      SyncTask: 'Keyword',
      SyncBreaches: 'KeywordList',
    },
  });
}

/** Every worker of the tests takes this bundle: building it costs more than all else at a worker's start. */
async function bundleOnce({ directory }: Servers): Promise<string> {
  // Not loaded where only a database is tested.
  const { bundleWorkflows } = await import('../../worker/workflow-bundle.ts');
  const file = join(await directory, 'workflow-bundle.js');
  await writeFile(file, await bundleWorkflows());
  return file;
}

function requireTemporal(): string {
  const binary = findTemporal(process.env);
  if (binary) return binary;
  throw new Error('The "temporal" program was not found: run "npm run setup", which says why');
}

/** Called once by each project; the first call does it all. */
async function stop(): Promise<void> {
  const servers = shared.lockstepTestServers;
  if (!servers) return;
  delete shared.lockstepTestServers;
  const started = await Promise.allSettled([servers.postgres, servers.temporal]);
  const running = started.map((result) =>
    result.status === 'fulfilled' ? result.value : undefined,
  );
  await Promise.all(running.map((server) => server?.stop()));
  await rm(await servers.directory, { recursive: true, force: true });
}
