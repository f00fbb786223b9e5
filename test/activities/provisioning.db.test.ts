/** Provisioning against a real SCIM server: what is planned is there, the mirror says so, and an import right after finds nothing. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { crmConfiguration, enterprise } from '../fixtures/crm.ts';
import { planDelta } from '../support/planned-delta.ts';
import { type FaultyProxy, type Intercept, openProxy } from '../support/scim/faulty-proxy.ts';
import {
  type ScimmyContents,
  type ScimmyServer,
  startScimmyServer,
} from '../support/scim/scimmy-server.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

const contents: ScimmyContents = { users: [], groups: [] };
const pass: Intercept = (request, forward) => forward(request);
let server: ScimmyServer;
let proxy: FaultyProxy;
let bench: SyncBench;
let intercept = pass;

const user = (name: string) => ({
  id: `id-${name}`,
  userName: name,
  name: { givenName: name.toUpperCase() },
  active: true,
  emails: [{ value: `${name}@example.org`, type: 'work' }],
  meta: { created: new Date(0), lastModified: new Date(0) },
});

beforeAll(async () => {
  server = await startScimmyServer(contents);
  proxy = await openProxy(server.url.replace('/scim', ''), (...asked) => intercept(...asked));
  bench = await openSyncBench(crmConfiguration(`${proxy.url}/scim`), { CRM_TOKEN: 'right-token' });
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  intercept = pass;
  contents.users = ['ada', 'bob', 'cyd'].map(user);
  contents.groups = [
    { id: 'id-dev', displayName: 'dev', members: [{ value: 'id-ada' }, { value: 'id-bob' }] },
    { id: 'id-ops', displayName: 'ops', members: [{ value: 'id-cyd' }] },
  ];
  await bench.sync({}, 'crm');
});

const account = (key: string, after: Record<string, unknown> | null) => ({
  entityType: 'account',
  key,
  after,
});

async function stored(key: string) {
  const { resources } = await bench.contents();
  return resources['account']?.[key] as Record<string, unknown> | undefined;
}

/** An echo of our own writes is not a change. */
async function expectNoEcho() {
  const before = await bench.contents();
  const again = await bench.sync({}, 'crm');
  expect(again.changes).toEqual([]);
  expect(again.contents).toEqual(before);
}

test('creates, updates, deletes and memberships are done, read back, and no news to the next import', async () => {
  const job = await planDelta(bench, {
    resources: [
      account('eve', {
        userName: 'eve',
        mail: 'eve@example.org',
        active: true,
        hired: '2026-03-01',
      }),
      account('ada', { ...(await stored('ada')), givenName: 'Ada', mail: undefined }),
      account('cyd', null),
      { entityType: 'team', key: 'new', after: { name: 'new' } },
    ],
    links: [
      { scope: 'account.manager', from: 'eve', to: 'bob', change: 'insert' },
      { scope: 'member', from: 'dev', to: 'eve', change: 'insert' },
      { scope: 'member', from: 'dev', to: 'bob', change: 'delete' },
      { scope: 'member', from: 'ops', to: 'cyd', change: 'delete' },
      { scope: 'member', from: 'new', to: 'eve', change: 'insert' },
    ],
  });
  expect(await job.provision()).toEqual({
    outcome: 'applied',
    applied: 6,
    notApplied: 0,
    failed: 0,
  });
  expect(await job.end()).toBe('succeeded');
  const eve = contents.users.find(({ userName }) => userName === 'eve');
  expect(eve).toMatchObject({
    nickName: '01/03/2026',
    active: true,
    [enterprise]: { manager: { value: 'id-bob' } },
  });
  expect(contents.users.map(({ id }) => id).sort()).toEqual(['id-ada', 'id-bob', eve?.id].sort());
  expect(contents.users.find(({ id }) => id === 'id-ada')).toMatchObject({
    name: { givenName: 'Ada' },
  });
  const members = (id: string) =>
    (
      contents.groups.find((each) => each.id === id || each['displayName'] === id)?.['members'] as
        | { value: string }[]
        | undefined
    )?.map(({ value }) => value);
  expect(members('id-dev')).toEqual(['id-ada', eve?.id]);
  expect(members('id-ops') ?? []).toEqual([]);
  expect(members('new')).toEqual([eve?.id]);
  expect(await stored('eve')).toEqual({
    userName: 'eve',
    mail: 'eve@example.org',
    active: true,
    hired: '2026-03-01',
    greeting: 'Hello eve',
    id: eve?.id,
  });
  const { links } = await bench.contents();
  expect(links).toEqual({
    'account.manager': ['eve → bob'],
    member: ['dev → ada', 'dev → eve', 'new → eve'],
  });
  await expectNoEcho();
});
