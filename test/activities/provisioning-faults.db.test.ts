/** Provisioning when something fails: writes that do not take, refusals, losses on the way, and deltas that may not be written. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listChanges } from '../../store/queries/changes.ts';
import { accountPlan, type CrmBench, newAccount, openCrmBench } from '../support/crm-bench.ts';
import { type PlannedDeltaOptions, planDelta, provisioned } from '../support/planned-delta.ts';
import type { Intercept } from '../support/scim/faulty-proxy.ts';

let crm: CrmBench;

beforeAll(async () => {
  crm = await openCrmBench();
});
afterAll(async () => {
  await crm?.[Symbol.asyncDispose]();
});
beforeEach(() => crm.begin());

const plan = (options: PlannedDeltaOptions) => planDelta(crm.bench, options);

const renamed = async (key: string) =>
  accountPlan(key, { ...(await crm.account(key)), givenName: 'Other' });

/** Says yes to every PATCH, and does nothing. */
const swallows: Intercept = (request, forward) =>
  request.method === 'PATCH'
    ? forward({ method: 'GET', url: request.url, headers: request.headers })
    : forward(request);

test('a write that did not take is no success: the mirror holds what was read back, and an import finds nothing', async () => {
  const job = await plan({
    resources: [await renamed('ada')],
    links: [{ scope: 'member', from: 'dev', to: 'cyd', change: 'insert' }],
  });
  crm.intercept(swallows);
  const before = await crm.bench.contents();
  expect(await job.provision()).toMatchObject({ applied: 0, notApplied: 2, failed: 0 });
  expect(await job.end()).toBe('succeeded-with-rejects');
  expect(await provisioned(crm.bench, job)).toEqual({
    ada: 'update not-applied NotApplied name.givenName',
    dev: 'update not-applied NotApplied members',
  });
  expect(await crm.bench.contents()).toEqual(before);
  expect((await crm.bench.sync({}, 'crm')).changes).toEqual([]);
  const changes = [];
  for await (const change of listChanges(crm.bench.store, job.id)) changes.push(change);
  expect(changes[0]).toMatchObject({
    key: 'ada',
    status: { state: 'not-applied', code: 'NotApplied', paths: ['name.givenName'] },
  });
  await expect(crm.bench.prepareRollback(job.id, 'crm')).rejects.toMatchObject({
    type: 'NothingToRollBack',
  });
  const rejects = await crm.bench.store.prisma.reject.findMany({ where: { jobId: job.id } });
  expect(
    rejects.map(({ entityType, key, code, column }) => [entityType, key, code, column]).sort(),
  ).toEqual([
    ['account', 'ada', 'NotApplied', 'name.givenName'],
    ['team', 'dev', 'NotApplied', 'members'],
  ]);
});

test('of members of which some took, the mirror gets those', async () => {
  const job = await plan({
    links: [
      { scope: 'member', from: 'ops', to: 'ada', change: 'insert' },
      { scope: 'member', from: 'ops', to: 'bob', change: 'insert' },
    ],
  });
  crm.intercept((request, forward) => {
    const body = request.body?.replace('{"value":"id-ada"},', '');
    return forward({ ...request, ...(body !== undefined && { body }) });
  });
  expect(await job.provision()).toMatchObject({ notApplied: 1 });
  await job.end();
  expect((await crm.bench.contents()).links['member']).toEqual([
    'dev → ada',
    'dev → bob',
    'ops → bob',
    'ops → cyd',
  ]);
  crm.intercept();
  expect((await crm.bench.sync({}, 'crm')).changes).toEqual([]);
});

test('a member that could not be created is left out, and the rest of the group is written', async () => {
  const job = await plan({
    resources: [newAccount('eve')],
    links: ['eve', 'cyd'].map((to) => ({ scope: 'member', from: 'dev', to, change: 'insert' })),
  });
  crm.intercept((request, forward) =>
    request.method === 'POST' ? { status: 400, body: '{"detail":"no"}' } : forward(request),
  );
  expect(await job.provision()).toEqual({
    outcome: 'applied',
    applied: 0,
    notApplied: 1,
    failed: 1,
  });
  await job.end();
  expect(crm.members('dev')).toEqual(['id-ada', 'id-bob', 'id-cyd']);
  expect(await provisioned(crm.bench, job)).toEqual({
    eve: 'create failed TargetRefused',
    dev: 'update not-applied NotApplied members',
  });
});

test('what was refused is not asked again by itself, but on a person’s word or when it differs', async () => {
  const gus = { userName: 'gus' };
  const attempt = async (trigger: 'person' | 'schedule', after: Record<string, unknown> = gus) => {
    const before = crm.writes().length;
    const job = await plan({
      trigger,
      resources: [accountPlan('gus', after), await renamed('ada')],
    });
    const { failed } = await job.provision();
    await job.end();
    expect(await provisioned(crm.bench, job)).toMatchObject({ ada: 'update applied' });
    const asked = crm
      .writes()
      .slice(before)
      .filter((write) => write.startsWith('POST')).length;
    return { failed, asked };
  };
  crm.intercept((request, forward) =>
    request.method === 'POST' ? { status: 400, body: '{"detail":"no"}' } : forward(request),
  );
  expect(await attempt('schedule')).toEqual({ failed: 1, asked: 1 });
  expect(await attempt('schedule')).toEqual({ failed: 1, asked: 0 });
  expect(await attempt('schedule', { ...gus, active: true })).toEqual({ failed: 1, asked: 1 });
  expect(await attempt('person', { ...gus, active: true })).toEqual({ failed: 1, asked: 1 });
});

test('answers that are lost, and pauses that are asked for, leave one of everything', async () => {
  let posts = 0;
  let patches = 0;
  crm.intercept(async (request, forward) => {
    if (request.method === 'POST') {
      posts += 1;
      const answer = await forward(request);
      return posts === 1 ? { ...answer, resetAfter: 0 } : answer;
    }
    if (request.method !== 'PATCH') return forward(request);
    patches += 1;
    return patches <= 2
      ? { status: 429, headers: { 'retry-after': '0' }, body: '' }
      : forward(request);
  });
  const job = await plan({
    resources: [newAccount('eve'), newAccount('fay'), await renamed('ada')],
  });
  expect(await job.provision()).toMatchObject({ applied: 3, failed: 0 });
  await job.end();
  expect(crm.contents.users.map(({ userName }) => userName).sort()).toEqual([
    'ada',
    'bob',
    'cyd',
    'eve',
    'fay',
  ]);
  crm.intercept();
  expect((await crm.bench.sync({}, 'crm')).changes).toEqual([]);
});

test('a system that is out of reach is waited for: what is settled stays, and another attempt does the rest', async () => {
  const names = Array.from({ length: 12 }, (_, nth) => `new${nth}`);
  const job = await plan({ resources: names.map(newAccount) });
  let posts = 0;
  crm.intercept((request, forward) => {
    if (request.method === 'POST') posts += 1;
    return posts > 5 ? { status: 401, body: '' } : forward(request);
  });
  await expect(job.provision()).rejects.toMatchObject({ type: 'SourceAuthenticationFailed' });
  const states = Object.values(await provisioned(crm.bench, job));
  expect(states.filter((state) => state === 'create applied')).toHaveLength(5);
  expect(states.filter((state) => state === 'create pending')).toHaveLength(7);
  crm.intercept();
  expect(await job.provision()).toMatchObject({ applied: 12, failed: 0 });
  await job.end();
  expect(crm.writes().filter((write) => write.startsWith('POST')).length).toBeGreaterThanOrEqual(
    12,
  );
  expect(crm.contents.users).toHaveLength(3 + 12);
  expect((await crm.bench.sync({}, 'crm')).changes).toEqual([]);
});

test.each<[string, (job: string) => Promise<unknown>]>([
  [
    'an account was edited',
    () =>
      edit(`update resource set attributes = attributes || '{"givenName": "X"}' where key = 'ada'`),
  ],
  [
    'an account of that key has come',
    () =>
      edit(
        `insert into resource (entity_type_id, key, attributes) select id, 'eve', '{}' from entity_type where name = 'account'`,
      ),
  ],
  [
    'a membership is there already',
    () =>
      edit(`insert into link (navigation_property_id, from_id, to_id)
    select n.id, f.id, t.id from navigation_property n join resource f on f.entity_type_id = n.from_entity_type_id and f.key = 'dev'
    join resource t on t.entity_type_id = n.to_entity_type_id and t.key = 'cyd' where n.scope = 'member'`),
  ],
  [
    'a membership is gone',
    () =>
      edit(
        `delete from link l using navigation_property n where n.id = l.navigation_property_id and n.scope = 'member'`,
      ),
  ],
])('nothing is written when the mirror has moved: %s', async (_, move) => {
  const job = await plan({
    resources: [newAccount('eve'), await renamed('ada')],
    links: [
      { scope: 'member', from: 'dev', to: 'cyd', change: 'insert' },
      { scope: 'member', from: 'ops', to: 'cyd', change: 'delete' },
    ],
  });
  await move(job.id);
  expect(await job.provision()).toEqual({ outcome: 'stale', applied: 0, notApplied: 0, failed: 0 });
  expect(crm.writes()).toEqual([]);
  await job.end();
});

const edit = (statement: string) => crm.bench.store.pool.query(statement);

test('nothing is written of a delta that is not the reviewed one, that nobody resumed, or by a job that lost its connector', async () => {
  const job = await plan({
    resources: [newAccount('eve')],
    breaches: [{ threshold: 'maximumInsertedLines' }],
  });
  await expect(job.provision()).rejects.toMatchObject({ type: 'InternalError' });
  await expect(job.provision({ fence: job.fence - 1 })).rejects.toMatchObject({
    type: 'LeaseLost',
  });
  expect(await job.provision({ digest: 'another' })).toMatchObject({ outcome: 'stale' });
  expect(crm.writes()).toEqual([]);
  await job.end();
});
