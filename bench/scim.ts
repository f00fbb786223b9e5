/**
 * `node bench/scim.ts`: Lockstep reading and writing a real SCIM service, scim2-server, in requests, seconds and memory.
 *
 * Needs `node local/setup.js --tests`. The table goes to stdout, progress to stderr.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDevStack } from '../client/dev-stack.ts';
import { connectLockstep, type Lockstep } from '../client/lockstep.ts';
import type { JobDocument, Mode } from '../engine/job.ts';
import { openProxy } from '../test/support/scim/faulty-proxy.ts';
import { hasScim2Server, startScim2Server } from '../test/support/scim/scim2-server.ts';
import { describeMachine, loadAverage } from './machine.ts';
import { peakMemory } from './peak-memory.ts';
import { groupsOf, type PopulationSize, scimConfiguration, usersOf } from './scim-population.ts';
import { pushChanges } from './scim-push.ts';

const token = 'bench-token';

/** A user and a group that are made last. */
const newest = 2;

interface Settings extends PopulationSize {
  /** How many resources the service puts in a page at most. */
  readonly page: number;
}

function settingsOf(argv: readonly string[]): Settings {
  const defaults = { users: 10_000, groups: 200, members: 100, page: 1000 };
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: 'string' as const, default: `${value}` },
    ]),
  );
  const { values } = parseArgs({ args: [...argv], options });
  const number = (name: keyof Settings) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number`);
    return value;
  };
  return {
    users: number('users'),
    groups: number('groups'),
    members: number('members'),
    page: number('page'),
  };
}

/** Pages of users and of groups, and what tells what the service is: the fewest requests that can read it all. */
function fewestRequests({ users, groups, page }: Settings): number {
  const discovery = ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas'];
  return discovery.length + Math.ceil(users / page) + Math.ceil(groups / page);
}

async function measure(settings: Settings): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'lockstep-scim-bench-'));
  cleanup.defer(() => rm(home, { recursive: true, force: true }));
  const pagination = { cursor: false, maxPageSize: settings.page };
  const service = cleanup.use(await startScim2Server({ token, pagination }));
  console.error(`creating ${settings.users} users and ${settings.groups} groups`);
  const ids = await service.create('/Users', usersOf(settings));
  await service.create('/Groups', groupsOf(settings, ids));
  // The newest come again in every incremental job: all of the others would be, too, so soon after they were made.
  await sleep(3000);
  await service.create('/Users', [{ userName: 'newest' }]);
  await service.create('/Groups', [{ displayName: 'newest' }]);
  // It only counts: what it adds to each request is in the seconds.
  const proxy = cleanup.use(await openProxy(service.url));
  const configurationFile = join(home, 'lockstep.yaml');
  await writeFile(configurationFile, scimConfiguration(`${proxy.url}/v2`));
  const others = Object.entries(process.env).filter(
    ([name]) => !/^(TEMPORAL|LOCKSTEP|DATABASE)_/.test(name),
  );
  const env = {
    ...Object.fromEntries(others),
    LOCKSTEP_CONFIG: configurationFile,
    SCIM_BENCH_TOKEN: token,
  };
  const stack = await startDevStack({ env, home, log: () => {} });
  cleanup.defer(() => stack.stop());
  const note = (text: string) => console.error(text);
  const environment = { ...stack.environment, SCIM_BENCH_TOKEN: token };
  const client = await connectLockstep({ environment, configurationFile, note });
  cleanup.defer(() => client.close());

  const machine = describeMachine({});
  for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
  console.log(
    `${settings.users} users, ${settings.groups} groups of ${settings.members}, pages of ${settings.page}; the fewest possible requests are ${fewestRequests(settings)}\n`,
  );
  console.log('| | requests | of them lists | s | the worker’s peak so far, MiB | load |');
  console.log('|---|--:|--:|--:|--:|--:|');
  const phases = [
    ['first import', 'complete'],
    ['unchanged re-import', 'complete'],
    ['unchanged, incremental', 'incremental'],
  ] as const;
  for (const [name, mode] of phases) {
    const before = proxy.asked.length;
    const { seconds, job } = await run(client, mode);
    const asked = proxy.asked.slice(before);
    const lists = asked.filter((path) => /\/(Users|Groups)\?/.test(path));
    const peak = await peakMemory(stack.worker.pid);
    requireCounts(name, job, settings);
    console.log(
      `| ${name} | ${asked.length} | ${lists.length} | ${seconds.toFixed(1)} | ${peak} | ${loadAverage()} |`,
    );
  }
  console.log(
    '\n| pushed | changes | requests | fewest | s | the worker’s peak so far, MiB | load |',
  );
  console.log('|---|---|---|--:|--:|--:|--:|');
  const { requests } = proxy;
  for await (const push of pushChanges({ client, home, size: settings, requests })) {
    const kinds = Object.entries(push.requests).map(([kind, count]) => `${count} ${kind}`);
    const peak = await peakMemory(stack.worker.pid);
    console.log(
      `| ${push.name} | ${push.changes} | ${kinds.join(', ') || 'none'} | ${push.fewest} | ${push.seconds.toFixed(1)} | ${peak} | ${loadAverage()} |`,
    );
  }
}

/** Runs the connector and, when it asks, resumes it; the time of the two together. */
async function run(client: Lockstep, mode: Mode): Promise<{ seconds: number; job: JobDocument }> {
  const started = performance.now();
  let job = await client.run('crm', { mode });
  if (job.state === 'blocked') job = await client.resume(job.job, { reason: 'benchmark' });
  return { seconds: (performance.now() - started) / 1000, job };
}

/** A figure of a run that did something else is none. */
function requireCounts(phase: string, job: JobDocument, settings: Settings): void {
  const { users, groups, members } = settings;
  const isFirst = phase === 'first import';
  const wanted = {
    inserted: isFirst ? users + groups + newest : 0,
    linksInserted: isFirst ? groups * members : 0,
    updated: 0,
    deleted: 0,
    rejected: 0,
  };
  const found = Object.fromEntries(
    Object.keys(wanted).map((name) => [name, job.counts[name as keyof typeof wanted]]),
  );
  if (job.state !== 'succeeded' || JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(
      `${phase}: ${job.state} ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
    );
  }
}

if (!hasScim2Server) throw new Error('scim2-server is missing: node local/setup.js --tests');
await measure(settingsOf(process.argv.slice(2)));
