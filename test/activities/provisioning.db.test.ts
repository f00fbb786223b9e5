/** Provisioning against a real SCIM server: what is planned is there, the mirror says so, and an import right after finds nothing. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enterprise } from '../fixtures/crm.ts';
import { accountPlan, type CrmBench, newAccount, openCrmBench } from '../support/crm-bench.ts';
import { planDelta, provisioned } from '../support/planned-delta.ts';

let crm: CrmBench;

beforeAll(async () => {
  crm = await openCrmBench();
});
afterAll(async () => {
  await crm?.[Symbol.asyncDispose]();
});
beforeEach(() => crm.begin());

/** An echo of our own writes is not a change. */
async function expectNoEcho() {
  const before = await crm.bench.contents();
  const again = await crm.bench.sync({}, 'crm');
  expect(again.changes).toEqual([]);
  expect(again.contents).toEqual(before);
}

test('creates, updates, deletes and memberships are done, read back, and no news to the next import', async () => {
  const { bench, contents } = crm;
  const eveIs = { userName: 'eve', mail: 'eve@example.org', active: true, hired: '2026-03-01' };
  const job = await planDelta(bench, {
    resources: [
      accountPlan('eve', eveIs),
      accountPlan('ada', { ...(await crm.account('ada')), givenName: 'Ada', mail: undefined }),
      accountPlan('cyd', null),
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
  const done = { outcome: 'applied', applied: 6, notApplied: 0, failed: 0 };
  expect(await job.provision()).toEqual(done);
  expect(await job.provision()).toEqual(done);
  expect(await job.end()).toBe('succeeded');
  const eve = contents.users.find(({ userName }) => userName === 'eve');
  expect(eve).toMatchObject({
    nickName: '01/03/2026',
    active: true,
    [enterprise]: { manager: { value: 'id-bob' } },
  });
  expect(contents.users.map(({ id }) => id).sort()).toEqual(['id-ada', 'id-bob', eve?.id].sort());
  const ada = contents.users.find(({ id }) => id === 'id-ada');
  expect(ada).toMatchObject({ name: { givenName: 'Ada' } });
  expect(crm.members('dev')).toEqual(['id-ada', eve?.id]);
  expect(crm.members('ops')).toEqual([]);
  expect(crm.members('new')).toEqual([eve?.id]);
  expect(await crm.account('eve')).toEqual({ ...eveIs, greeting: 'Hello eve', id: eve?.id });
  expect((await bench.contents()).links).toEqual({
    'account.manager': ['eve → bob'],
    member: ['dev → ada', 'dev → eve', 'new → eve'],
  });
  await expectNoEcho();
});

test('members are added and removed one by one; the list of a group is never replaced', async () => {
  const job = await planDelta(crm.bench, {
    links: [
      { scope: 'member', from: 'dev', to: 'cyd', change: 'insert' },
      { scope: 'member', from: 'dev', to: 'ada', change: 'delete' },
    ],
  });
  const before = crm.proxy.bodies.length;
  expect(await job.provision()).toMatchObject({ applied: 1 });
  await job.end();
  expect(crm.writes()).toEqual(['PATCH /scim/Groups/id-dev']);
  expect(JSON.parse(crm.proxy.bodies.slice(before).join())).toMatchObject({
    Operations: [
      { op: 'remove', path: 'members[value eq "id-ada"]' },
      { op: 'add', path: 'members', value: [{ value: 'id-cyd' }] },
    ],
  });
  await expectNoEcho();
});

test('two that refer to each other are created, and linked then', async () => {
  const job = await planDelta(crm.bench, {
    resources: ['eve', 'fay'].map(newAccount),
    links: [
      { scope: 'account.manager', from: 'eve', to: 'fay', change: 'insert' },
      { scope: 'account.manager', from: 'fay', to: 'eve', change: 'insert' },
      { scope: 'account.manager', from: 'ada', to: 'eve', change: 'insert' },
    ],
  });
  expect(await job.provision()).toMatchObject({ applied: 3 });
  await job.end();
  expect((await crm.bench.contents()).links['account.manager']).toEqual([
    'ada → eve',
    'eve → fay',
    'fay → eve',
  ]);
  await expectNoEcho();
});

test('a reference moves and goes, and is read back by the key of the resource it is to', async () => {
  const plan = (link: object) =>
    planDelta(crm.bench, {
      links: [{ scope: 'account.manager', from: 'ada', change: 'insert', to: 'bob', ...link }],
    });
  // This server cannot change a part of an extension by PATCH; without it, all of the resource is put back.
  crm.intercept((request, forward) =>
    request.method === 'PATCH' ? { status: 501, body: '' } : forward(request),
  );
  const managerOfAda = () => {
    const ada = crm.contents.users.find(({ id }) => id === 'id-ada');
    return (ada?.[enterprise] as { manager?: { value?: string } } | undefined)?.manager?.value;
  };
  for (const [link, manager] of [
    [{}, 'id-bob'],
    [{ change: 'update', previous: 'bob', to: 'cyd' }, 'id-cyd'],
    [{ change: 'delete', to: 'cyd' }, undefined],
  ] as const) {
    const job = await plan(link);
    expect(await job.provision()).toMatchObject({ applied: 1 });
    await job.end();
    expect(managerOfAda()).toBe(manager);
    await expectNoEcho();
  }
});

test('a key may change; a value that its format cannot hold is refused before it is sent', async () => {
  const job = await planDelta(crm.bench, {
    resources: [
      accountPlan('ada', {
        ...(await crm.account('ada')),
        userName: 'ada2',
        greeting: 'Hello ada',
      }),
      accountPlan('bob', { ...(await crm.account('bob')), hired: 'soon' }),
      accountPlan('cyd', { ...(await crm.account('cyd')), greeting: 'Hi' }),
    ],
  });
  expect(await job.provision()).toMatchObject({ applied: 1, failed: 2 });
  expect(await job.end()).toBe('succeeded-with-rejects');
  expect(await provisioned(crm.bench, job)).toEqual({
    ada: 'update applied',
    bob: 'update failed TargetRefused nickName',
    cyd: 'update failed TargetRefused greeting',
  });
  expect(await crm.account('ada2')).toMatchObject({ id: 'id-ada', greeting: 'Hello ada2' });
  expect(crm.writes()).toEqual(['PATCH /scim/Users/id-ada']);
  await expectNoEcho();
});

test('nothing is written for the sake of somebody it was parted from since it was planned', async () => {
  const job = await planDelta(crm.bench, {
    resources: [accountPlan('ada', { ...(await crm.account('ada')), givenName: 'Ada' })],
    more: async (session, deltaId) => {
      await session.query(
        `insert into agreement_change (delta_id, mapping, resource_id, source_id, target_id, values)
         select $1, 'userToAccount', resource_id, 1, resource_id, '{"givenName": "Ada"}'
         from resource_change where delta_id = $1`,
        [deltaId],
      );
    },
  });
  expect(await job.provision()).toMatchObject({ outcome: 'stale', applied: 0 });
  await job.end();
  expect(crm.writes()).toEqual([]);
});

test('matches and agreements come with the write that brings them about', async () => {
  const { bench } = crm;
  const job = await planDelta(bench, {
    resources: [newAccount('eve'), newAccount('fay')],
    more: async (session, deltaId) => {
      await session.query(
        "select load_first_resources(id, 0) from entity_type where name = 'user'",
      );
      await session.query(
        `with users as (
           insert into resource (entity_type_id, key, attributes)
           select id, named, '{}' from entity_type, unnest('{eve,fay}'::text[]) named where name = 'user'
           returning id, entity_type_id, key)
         insert into match_change (delta_id, change, first_type_id, second_type_id, first_id, second_id, first_key, second_key, after)
         select $1, 'insert', least(u.entity_type_id, c.entity_type_id), greatest(u.entity_type_id, c.entity_type_id),
           case when u.entity_type_id < c.entity_type_id then u.id else c.resource_id end,
           case when u.entity_type_id < c.entity_type_id then c.resource_id else u.id end,
           u.key, u.key, '{"state": "confirmed", "mapping": "userToAccount"}'
         from users u join resource_change c on c.delta_id = $1 and c.key = u.key`,
        [deltaId],
      );
      await session.query(
        `insert into agreement_change (delta_id, mapping, resource_id, source_id, target_id, values)
         select $1, 'userToAccount', resource_id, 1, resource_id, '{"userName": "eve"}'
         from resource_change where delta_id = $1`,
        [deltaId],
      );
    },
  });
  crm.intercept(async (request, forward) =>
    request.method === 'POST' && request.body?.includes('fay')
      ? { status: 400, body: '{"detail": "no fay"}' }
      : forward(request),
  );
  expect(await job.provision()).toMatchObject({ applied: 1, failed: 1 });
  await job.end();
  const matches = await bench.store.prisma.match.findMany();
  expect(matches.map(({ firstKey, state }) => [firstKey, state])).toEqual([['eve', 'confirmed']]);
  const agreed = await bench.store.prisma.agreedValues.findMany();
  expect(agreed.map(({ values }) => values)).toEqual([{ userName: 'eve' }]);
});
