/** `node bench/reading.ts [size]`: how long people wait who look at a large store: one resource, a list, the changes of a job. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevStack } from '../client/dev-stack.ts';
import { connectLockstep, type Lockstep } from '../client/lockstep.ts';
import { cacheDirectory } from '../local/home.ts';
import { dataOf } from './data-cache.ts';
import { type SizeName, sizes } from './generate-data.ts';
import { environmentOf, run } from './lockstep.ts';
import { lockstepConfiguration, names } from './lockstep-configuration.ts';
import { describeMachine } from './machine.ts';
import { requireSame } from './row-digest.ts';
import { type Server, startServer, withClient } from './server.ts';
import { spreadHeader, spreadLine } from './spread.ts';

/** Each thing is looked at so often, at another place every time. */
const times = 15;
const page = 100;
/** So many pages of a job's changes are looked at, at most. */
const pages = 400;

/** What is looked for: keys of users and groups here and there, and values that one user has. */
interface Sample {
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly phones: readonly string[];
  readonly mails: readonly string[];
}

async function bench(size: SizeName, signal: AbortSignal): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'lockstep-reading-'));
  cleanup.defer(() => rm(home, { recursive: true, force: true }));
  const server = cleanup.use(await startServer(home, signal));
  const databaseUrl = await server.createDatabase('bench_reading');
  const data = await dataOf(size, cacheDirectory(process.env), signal);
  const directory = join(home, 'current');
  const configurationFile = join(home, 'lockstep.yaml');
  await writeFile(configurationFile, lockstepConfiguration(directory, ['phone']));
  const env = environmentOf({ databaseUrl }, configurationFile);
  const stack = await startDevStack({ env, home, log: () => {} });
  cleanup.defer(() => stack.stop());
  const note = (text: string) => console.error(text);
  const client = await connectLockstep({ environment: stack.environment, configurationFile, note });
  cleanup.defer(() => client.close());
  const jobs = new Map<string, string>();
  for (const [name, day] of [
    ['first load', 'day-0'],
    ['next day', 'day-1'],
  ] as const) {
    await rm(directory, { force: true });
    await symlink(data.days[day].directory, directory);
    const { job } = await run(client, signal);
    requireSame(job.job, 'state', job.state, 'succeeded');
    jobs.set(name, job.job);
  }
  await rest(server, databaseUrl);
  const sample = await sampleOf(databaseUrl, signal);
  const machine = describeMachine({ PostgreSQL: server.version });
  for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
  console.log(`${size}; milliseconds\n\n${spreadHeader.join('\n')}`);
  for (const [what, look] of Object.entries(looks(client, sample))) {
    const measured: number[] = [];
    for (let nth = 0; nth < times; nth++) {
      const started = performance.now();
      const found = await look(nth);
      measured.push(performance.now() - started);
      if (found === 0) throw new Error(`${what}: nothing found`);
    }
    console.log(spreadLine(what, measured));
  }
  for (const [name, job] of jobs) {
    const changes = client.changes(job, { limit: page * pages });
    console.log(
      spreadLine(`changes of the ${name}, each ${page} of them`, await eachPage(changes)),
    );
  }
}

async function rest(server: Server, databaseUrl: string): Promise<void> {
  await server.tidy(databaseUrl);
  await server.rest();
}

/** The same places every time. */
async function sampleOf(databaseUrl: string, signal: AbortSignal): Promise<Sample> {
  return await withClient(databaseUrl, signal, async (client) => {
    const values = async (column: string, view: string) => {
      const { rows } = await client.query<{ value: string }>(
        `select ${column} as value from views.${view} where ${column} is not null
         order by md5(${column}) limit ${times}`,
      );
      return rows.map(({ value }) => value);
    };
    return {
      users: await values('login', names.users),
      groups: await values('code', names.groups),
      phones: await values('phone', names.users),
      mails: await values('mail', names.users),
    };
  });
}

/** What people do, and how much each found. */
function looks(
  client: Lockstep,
  { users, groups, phones, mails }: Sample,
): Record<string, (nth: number) => Promise<number>> {
  const list = (filter: string[], after?: string) =>
    count(client.list(names.users, { filter, limit: page, after }));
  return {
    'show a user': async (nth) =>
      Object.keys(await client.show(names.users, at(users, nth))).length,
    'show a group': async (nth) =>
      Object.keys(await client.show(names.groups, at(groups, nth))).length,
    [`list, the first ${page} users`]: () => list([]),
    [`list, ${page} users from any key`]: (nth) => list([], at(users, nth)),
    'list, by key': (nth) => list([`login=${at(users, nth)}`]),
    'list, by a `searchable` value that one has': (nth) => list([`phone=${at(phones, nth)}`]),
    'list, by a value that many have': () => list(['active=true']),
    'list, by one that is not `searchable`': (nth) => list([`mail=${at(mails, nth)}`]),
    'list, by a link': (nth) => list([`groups=${at(groups, nth)}`]),
    'history of a user': async (nth) => (await client.history(names.users, at(users, nth))).length,
    jobs: async () => (await client.jobs()).length,
  };
}

function at(values: readonly string[], nth: number): string {
  return values[nth % values.length] as string;
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let counted = 0;
  for await (const _ of items) counted += 1;
  return counted;
}

/** How long each page took to come, one after another. */
async function eachPage(changes: AsyncIterable<unknown>): Promise<number[]> {
  const measured: number[] = [];
  let counted = 0;
  let started = performance.now();
  for await (const _ of changes) {
    counted += 1;
    if (counted % page !== 0) continue;
    measured.push(performance.now() - started);
    started = performance.now();
  }
  return measured;
}

const [size = '1m'] = process.argv.slice(2);
if (!(size in sizes)) throw new Error(`there is no size ${size}: ${Object.keys(sizes).join(', ')}`);
await bench(size as SizeName, new AbortController().signal);
