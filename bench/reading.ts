/** `node bench/reading.ts [size]`: how long people wait who look at a large store: one resource, a list, the changes of a job. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lockstep } from '../client/lockstep.ts';
import { cacheDirectory } from '../local/home.ts';
import { dataOf } from './data-cache.ts';
import { type SizeName, sizes } from './generate-data.ts';
import { startLockstep } from './lockstep.ts';
import { names } from './lockstep-configuration.ts';
import { describeMachine } from './machine.ts';
import { startServer, withClient } from './server.ts';
import { spreadHeader, spreadLine } from './spread.ts';

/** Each thing is looked at so often, at another place every time. */
const times = 15;
const page = 100;
/** So many pages of a job's changes are looked at, at most. */
const pages = 400;

/** Where people look: a user, by the key or by a value that only one has, and a group. */
interface Place {
  readonly login: string;
  readonly phone: string;
  readonly mail: string;
  readonly code: string;
}

async function bench(size: SizeName, signal: AbortSignal): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'lockstep-reading-'));
  cleanup.defer(() => rm(home, { recursive: true, force: true }));
  const server = cleanup.use(await startServer(home, signal));
  const databaseUrl = await server.createDatabase('bench_reading');
  const { days } = await dataOf(size, cacheDirectory(process.env), signal);
  const { client, load } = cleanup.use(
    await startLockstep({ databaseUrl, home, signal }, ['phone']),
  );
  const first = await load(days['day-0'].directory);
  const next = await load(days['day-1'].directory);
  await server.tidy(databaseUrl);
  await server.rest();
  const places = await placesOf(databaseUrl, signal);
  const machine = describeMachine({ PostgreSQL: server.version });
  for (const [name, value] of Object.entries(machine)) console.log(`${name}: ${value}`);
  console.log(`${size}; milliseconds\n\n${spreadHeader.join('\n')}`);
  for (const [what, look] of Object.entries(looks(client))) {
    const measured: number[] = [];
    for (const place of places) {
      const started = performance.now();
      const found = await look(place);
      measured.push(performance.now() - started);
      if (found.length === 0) throw new Error(`${what}: nothing found`);
    }
    console.log(spreadLine(what, measured));
  }
  for (const [name, { job }] of Object.entries({ 'first load': first, 'next day': next })) {
    const changes = client.changes(job.job, { limit: page * pages });
    console.log(
      spreadLine(`changes of the ${name}, each ${page} of them`, await eachPage(changes)),
    );
  }
}

/** The same ones every time. */
async function placesOf(databaseUrl: string, signal: AbortSignal): Promise<Place[]> {
  return await withClient(databaseUrl, signal, async (client) => {
    const { rows } = await client.query<Place>(
      `select login, phone, mail, code
       from (select *, row_number() over (order by md5(login)) as nth from views.${names.users}
             where phone is not null and mail is not null) u
       join (select *, row_number() over (order by md5(code)) as nth from views.${names.groups}) g using (nth)
       order by nth limit ${times}`,
    );
    return rows;
  });
}

/** What people do, and what each finds. */
function looks(client: Lockstep): Record<string, (place: Place) => Promise<readonly unknown[]>> {
  const list = (filter: string[], after?: string) =>
    collect(client.list(names.users, { filter, limit: page, after }));
  return {
    'show a user': async ({ login }) => [await client.show(names.users, login)],
    'show a group': async ({ code }) => [await client.show(names.groups, code)],
    [`list, the first ${page} users`]: () => list([]),
    [`list, ${page} users from any key`]: ({ login }) => list([], login),
    'list, by key': ({ login }) => list([`login=${login}`]),
    'list, by a `searchable` value that one has': ({ phone }) => list([`phone=${phone}`]),
    'list, by a value that many have': () => list(['active=true']),
    'list, by one that is not `searchable`': ({ mail }) => list([`mail=${mail}`]),
    'list, by a link': ({ code }) => list([`groups=${code}`]),
    'history of a user': ({ login }) => client.history(names.users, login),
    jobs: () => client.jobs(),
  };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
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
