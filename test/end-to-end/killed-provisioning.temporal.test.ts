// Kills a worker with SIGKILL while reconciliations wait for the answers to their writes: each write was done, none was
// recorded. Another worker goes on, does nothing twice and leaves nothing out.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JobStack, startJobStack, until } from '../support/job-stack.ts';
import { type FaultyProxy, openProxy } from '../support/scim/faulty-proxy.ts';
import { type ScimmyContents, startScimmyServer } from '../support/scim/scimmy-server.ts';
import { type Type, typingAt } from '../support/typed-commands.ts';

/** One target for each write that is the last one before the kill; the last target takes several in one request. */
const targets = [0, 1, 2, 3, 4] as const;
const bulkTarget = 4;

const contents: ScimmyContents = { users: [], groups: [] };
const disposables = new AsyncDisposableStack();
let stack: JobStack;
let type: Type;

/** Holds the answers of a target from its nth write on, once there is something to hold. */
class Holder {
  readonly #nth: number;
  #writes = 0;
  #held = Promise.withResolvers<void>();
  #released = Promise.withResolvers<void>();
  #holds = false;

  constructor(nth: number) {
    this.#nth = nth;
  }

  hold(): void {
    this.#writes = 0;
    this.#holds = true;
    this.#held = Promise.withResolvers();
    this.#released = Promise.withResolvers();
  }

  /** Resolves when a write was done of which nobody heard. */
  get isHolding(): Promise<void> {
    return this.#held.promise;
  }

  release(): void {
    this.#holds = false;
    this.#released.resolve();
  }

  async answered(): Promise<void> {
    if (!this.#holds || this.#writes++ < this.#nth) return;
    this.#held.resolve();
    await this.#released.promise;
  }
}

const holders = targets.map((target) => new Holder(target === bulkTarget ? 0 : target));

const property = (column: string) => ({ column });

function configurationFor(proxies: readonly FaultyProxy[]) {
  const each = <Value>(make: (target: number) => Value) =>
    Object.fromEntries(targets.map((target) => [`crm${target}`, make(target)]));
  return {
    connectors: {
      hr: { kind: 'csv', directory: './hr', schedules: { complete: 'never' } },
      ...each((target) => ({
        kind: 'scim',
        endpoint: `${proxies[target]?.url}/scim`,
        auth: { type: 'bearer', token: `\${CRM_TOKEN}` },
        schedules: { complete: 'never' },
        concurrency: 1,
        ...(target !== bulkTarget && { overrides: { bulk: false } }),
      })),
    },
    entityTypes: {
      person: {
        connector: 'hr',
        source: 'people.csv',
        key: 'id',
        properties: { id: property('id'), name: property('name') },
      },
      identity: { managed: true, key: 'id', properties: { id: {}, name: {} } },
      ...Object.fromEntries(
        targets.map((target) => [
          `account${target}`,
          {
            connector: `crm${target}`,
            source: 'User',
            key: 'userName',
            properties: { userName: { path: 'userName' }, title: { path: 'title' } },
          },
        ]),
      ),
    },
    mappings: {
      people: {
        source: 'person',
        target: 'identity',
        correlate: [{ source: 'id', target: 'id' }],
        operations: ['create', 'update', 'delete'],
        onSourceMissing: 'delete',
        follows: false,
        properties: { id: 'id', name: 'name' },
      },
      ...each((target) => ({
        source: 'identity',
        target: `account${target}`,
        correlate: [{ source: 'id', target: 'userName' }],
        operations: ['create', 'update', 'delete'],
        onSourceMissing: 'delete',
        follows: false,
        properties: { userName: { expression: `id & '-${target}'` }, title: 'name' },
      })),
    },
  };
}

async function writePeople(people: Readonly<Record<string, string>>): Promise<void> {
  const rows = Object.entries(people).map(([id, name]) => `${id},${name}`);
  await writeFile(join(stack.home, 'hr', 'people.csv'), ['id,name', ...rows, ''].join('\n'));
}

/** Runs a command, resumes its job whenever that asks, and gives it as it ended. */
async function toItsEnd(...command: string[]) {
  let { answer } = await type(...command);
  if (answer.state === 'blocked') ({ answer } = await type('resume', answer.job));
  expect(answer).toMatchObject({ state: 'succeeded', error: null });
  return answer;
}

async function takeOver(people: Readonly<Record<string, string>>): Promise<void> {
  await writePeople(people);
  await toItsEnd('run', 'hr');
  await toItsEnd('reconcile', 'people');
}

interface Mirrored {
  readonly key: string;
  readonly attributes: { readonly title: string };
}

/** What a target holds, and what its mirror says that it holds. */
async function heldBy(target: number) {
  const own = contents.users.filter(({ userName }) => String(userName).endsWith(`-${target}`));
  const inTarget = own.map(({ userName, title }) => `${userName} ${title}`).sort();
  const { answer } = await type<Mirrored[]>('list', `account${target}`);
  const mirrored = answer.map(({ key, attributes }) => `${key} ${attributes.title}`).sort();
  return { inTarget, mirrored };
}

/** Has all targets reconciled, and kills the worker when each has done a write of which it has not heard. */
async function killedInMidWrite(people: Readonly<Record<string, string>>): Promise<void> {
  for (const holder of holders) holder.hold();
  const jobs = await Promise.all(
    targets.map(
      async (target) => (await type('reconcile', `crm${target}`, '--no-wait')).answer.job,
    ),
  );
  for (const id of jobs) {
    const job = stack.jobById(id);
    const { state } = await job.waitFor('blocked', 'running');
    if (state === 'blocked') await job.signal('resume', { by: 'jane', reason: 'reviewed' });
    await until(async () => {
      const facts = await job.facts();
      if (facts.state === 'blocked') await job.signal('resume', { by: 'jane', reason: 'reviewed' });
      return facts.steps['provision'] === 'running';
    }, `${id} provisions`);
  }
  await Promise.all(holders.map((holder) => holder.isHolding));
  await stack.workers.at(-1)?.kill('SIGKILL');
  for (const holder of holders) holder.release();
  for (const target of targets) {
    const { inTarget, mirrored } = await heldBy(target);
    expect(inTarget).not.toEqual(mirrored);
  }
  await stack.startWorker({ CRM_TOKEN: 'right-token' });

  for (const id of jobs) {
    await stack.jobById(id).result();
    expect(await stack.jobById(id).facts()).toMatchObject({ state: 'succeeded', error: null });
  }
  for (const target of targets) {
    const wanted = Object.entries(people)
      .map(([id, name]) => `${id}-${target} ${name}`)
      .sort();
    expect(await heldBy(target)).toEqual({ inTarget: wanted, mirrored: wanted });
    const again = await toItsEnd('reconcile', `crm${target}`);
    expect(again.counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  }
}

beforeAll(async () => {
  const server = disposables.use(await startScimmyServer(contents));
  const proxies: FaultyProxy[] = [];
  for (const target of targets) {
    const proxy = await openProxy(server.url.replace('/scim', ''), async (request, forward) => {
      const answer = await forward(request);
      if (request.method !== 'GET') await holders[target]?.answered();
      return answer;
    });
    proxies.push(disposables.use(proxy));
  }
  stack = disposables.use(await startJobStack({ connectors: {} }));
  await mkdir(join(stack.home, 'hr'));
  await writeFile(join(stack.home, 'lockstep.yaml'), JSON.stringify(configurationFor(proxies)));
  type = typingAt(stack, { CRM_TOKEN: 'right-token' });
  await stack.startWorker({ CRM_TOKEN: 'right-token' });
});
afterAll(() => disposables.disposeAsync());

test('killed five times among creates, then five times among changes and deletes: each is done once', {
  timeout: 240_000,
}, async () => {
  const before = { ada: 'Ada', bob: 'Bob', cyd: 'Cyd', dan: 'Dan', eve: 'Eve' };
  await takeOver(before);
  await killedInMidWrite(before);

  const after = { ada: 'Ada L.', bob: 'Bob M.', fay: 'Fay', gus: 'Gus' };
  await takeOver(after);
  await killedInMidWrite(after);
});

test('cancelled in mid-write: what is under way ends and is recorded, nothing new begins, and the next one does the rest', {
  timeout: 120_000,
}, async () => {
  const people = { ada: 'Ada L.', bob: 'Bob M.', hal: 'Hal', ivy: 'Ivy', jim: 'Jim', kim: 'Kim' };
  await takeOver(people);
  const [target, holder] = [1, holders[1] as Holder] as const;
  holder.hold();
  const { answer } = await type('reconcile', `crm${target}`, '--no-wait');
  const job = stack.jobById(answer.job);
  await until(async () => {
    const { state, steps } = await job.facts();
    if (state === 'blocked') await job.signal('resume', { by: 'jane', reason: 'reviewed' });
    return steps['provision'] === 'running';
  }, 'it provisions');
  await holder.isHolding;
  await job.handle.cancel();
  const heartbeat = async () => {
    const { raw } = await job.handle.describe();
    const { seconds, nanos } = raw.pendingActivities?.[0]?.lastHeartbeatTime ?? {};
    return Number(seconds ?? 0) * 1000 + Number(nanos ?? 0) / 1e6;
  };
  // The answer to a heartbeat brings the news.
  const asked = Date.now();
  await until(async () => (await heartbeat()) > asked + 500, 'the worker has heard of it');
  holder.release();
  await job.result();
  expect(await job.facts()).toMatchObject({ state: 'aborted', ended: true });
  const { inTarget, mirrored } = await heldBy(target);
  expect(inTarget).toEqual(mirrored);
  const wanted = Object.entries(people).map(([id, name]) => `${id}-${target} ${name}`);
  expect(inTarget).not.toEqual(wanted);

  await toItsEnd('reconcile', `crm${target}`);
  expect(await heldBy(target)).toEqual({ inTarget: wanted, mirrored: wanted });
});
