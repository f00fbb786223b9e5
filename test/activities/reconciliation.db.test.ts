// Reconciliations in both directions, from what both sides hold to what is planned and loaded.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { bothDirections } from '../fixtures/both-directions.ts';
import { openReconcileBench, type ReconcileBench } from '../support/reconcile-bench.ts';

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await openReconcileBench(bothDirections());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(bothDirections()));

const [inbound, outbound] = ['accountToUser', 'userToAccount'];

async function agreeOn(mail: string | undefined) {
  const rest = mail === undefined ? {} : { mail };
  await bench.put('account', 'ann', { userName: 'ann', ...rest });
  await bench.reconcile(inbound);
}

async function idle() {
  for (const mapping of [inbound, outbound, 'teamToRole', 'roleToTeam']) {
    const { summary } = await bench.reconcile(mapping);
    expect(summary.empty, mapping).toBe(true);
  }
}

test('the first import creates what is not there, with matches, and then nothing is left to do', async () => {
  await bench.put('account', 'ann', {
    userName: 'ann',
    givenName: 'Ann',
    mail: 'a@x',
    active: true,
  });
  await bench.put('account', 'bob', { userName: 'bob' });
  const { summary } = await bench.reconcile(inbound);
  expect(summary).toMatchObject({ counts: { inserted: 2, read: 2 }, situations: { absent: 2 } });
  expect(await bench.all('user')).toEqual({
    ann: { userName: 'ann', givenName: 'Ann', mail: 'a@x', active: true },
    bob: { userName: 'bob' },
  });
  expect(await bench.matches()).toHaveLength(2);
  await idle();
});

test('a hundred accounts of a hundred people are linked instead of duplicated', async () => {
  for (let nth = 0; nth < 100; nth += 1) {
    await bench.put('user', `p${nth}`, { userName: `p${nth}`, givenName: 'x' });
    await bench.put('account', `P${nth}`, { userName: `P${nth}`, givenName: 'x' });
  }
  const { summary } = await bench.reconcile(inbound);
  expect(summary).toMatchObject({ counts: { inserted: 0 }, situations: { found: 100 } });
  expect(await bench.matches()).toHaveLength(100);
});

describe('one property, of which was agreed, is wanted and is there', () => {
  beforeEach(() => agreeOn('old'));

  test('a change of the source goes to the target', async () => {
    await bench.put('account', 'ann', { userName: 'ann', mail: 'new' });
    await bench.reconcile(inbound);
    expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', mail: 'new' } });
    await idle();
  });

  test('a value that is gone at the source goes at the target', async () => {
    await bench.put('account', 'ann', { userName: 'ann' });
    await bench.reconcile(inbound);
    expect(await bench.all('user')).toEqual({ ann: { userName: 'ann' } });
    await idle();
  });

  test('a change of the target is left to the opposite mapping, which carries it over', async () => {
    await bench.put('user', 'ann', { userName: 'ann', mail: 'ours' });
    expect((await bench.reconcile(inbound)).summary.empty).toBe(true);
    const { summary, rejects } = await bench.reconcile(outbound);
    expect(summary.counts).toMatchObject({ updated: 1 });
    expect(rejects).toEqual([]);
    expect(await bench.all('account')).toEqual({ ann: { userName: 'ann', mail: 'ours' } });
    await idle();
  });

  test('where both have changed it, what is managed by us prevails, and both are told', async () => {
    await bench.put('user', 'ann', { userName: 'ann', mail: 'ours' });
    await bench.put('account', 'ann', { userName: 'ann', mail: 'theirs' });
    const first = await bench.reconcile(inbound);
    expect(first.rejects).toMatchObject([{ key: 'ann', column: 'mail', code: 'Conflict' }]);
    expect(first.summary.counts).toMatchObject({ updated: 0, rejected: 1 });
    const second = await bench.reconcile(outbound);
    expect(second.rejects).toMatchObject([{ key: 'ann', column: 'mail', code: 'Conflict' }]);
    expect(await bench.all('account')).toEqual({ ann: { userName: 'ann', mail: 'ours' } });
    await idle();
  });

  test('where both have changed it to the same, nothing happens', async () => {
    await bench.put('user', 'ann', { userName: 'ann', mail: 'same' });
    await bench.put('account', 'ann', { userName: 'ann', mail: 'same' });
    const { summary, rejects } = await bench.reconcile(inbound);
    expect([summary.counts.updated, rejects]).toEqual([0, []]);
    await idle();
  });
});

test('without an opposite mapping a change of the target is drift, and put right', async () => {
  const { [outbound]: _, ...mappings } = bothDirections().mappings ?? {};
  await bench.reset({ ...bothDirections(), mappings });
  await agreeOn('old');
  await bench.put('user', 'ann', { userName: 'ann', mail: 'ours' });
  expect((await bench.reconcile(inbound)).summary.counts).toMatchObject({ updated: 1 });
  expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', mail: 'old' } });
});

describe('authority', () => {
  const withAuthority = (authority: string[]) => bothDirections({ mail: { authority } });

  test('a connector does not overwrite what somebody before it has set; theirs is put right', async () => {
    await bench.reset(withAuthority(['local', 'crm']));
    await agreeOn('old');
    await bench.put('user', 'ann', { userName: 'ann', mail: 'ours' });
    await bench.bench.store.pool.query(`update value_origin set origins = '{"mail": "local"}'`);
    await bench.reconcile(outbound);
    await bench.put('account', 'ann', { userName: 'ann', mail: 'theirs' });
    const { rejects, summary } = await bench.reconcile(inbound);
    expect(rejects).toMatchObject([{ key: 'ann', column: 'mail', code: 'AuthorityRefused' }]);
    expect(summary.counts.updated).toBe(0);
    await bench.reconcile(outbound);
    expect(await bench.all('account')).toEqual({ ann: { userName: 'ann', mail: 'ours' } });
    await idle();
  });

  test('where both have changed it, a connector that stands first prevails', async () => {
    await bench.reset(withAuthority(['crm', 'local']));
    await agreeOn('old');
    await bench.put('user', 'ann', { userName: 'ann', mail: 'ours' });
    await bench.bench.store.pool.query(`update value_origin set origins = '{"mail": "local"}'`);
    await bench.put('account', 'ann', { userName: 'ann', mail: 'theirs' });
    await bench.reconcile(outbound);
    expect(await bench.all('account')).toEqual({ ann: { userName: 'ann', mail: 'theirs' } });
    await bench.reconcile(inbound);
    expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', mail: 'theirs' } });
    await idle();
  });
});

describe('what must not be written', () => {
  test('an unconfirmed match writes nothing', async () => {
    await bench.reset(bothDirections({}, { onMatch: 'link-but-do-not-confirm' }));
    await bench.put('user', 'ann', { userName: 'ann', mail: 'ours' });
    await bench.put('account', 'ann', { userName: 'ann', mail: 'theirs' });
    for (const mapping of [inbound, inbound, outbound]) await bench.reconcile(mapping);
    expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', mail: 'ours' } });
    expect(await bench.all('account')).toEqual({ ann: { userName: 'ann', mail: 'theirs' } });
    expect(await bench.matches()).toMatchObject([{ state: 'unconfirmed' }]);
  });

  test('a protected target is neither changed nor created, and told', async () => {
    await bench.put('user', 'root', { userName: 'root', mail: 'ours' });
    await bench.put('account', 'root', { userName: 'root', mail: 'theirs' });
    const { rejects } = await bench.reconcile(inbound);
    expect(rejects).toMatchObject([{ key: 'root', code: 'ResourceProtected' }]);
    expect(await bench.all('user')).toEqual({ root: { userName: 'root', mail: 'ours' } });
  });

  test('a target that has the key already is not overwritten', async () => {
    const document = bothDirections({}, { correlate: [{ source: 'mail', target: 'mail' }] });
    await bench.reset(document);
    await bench.put('user', 'ann', { userName: 'ann', mail: 'a@x' });
    await bench.put('account', 'ann', { userName: 'ann', mail: 'b@x' });
    const { rejects, summary } = await bench.reconcile(inbound);
    expect(rejects).toMatchObject([{ key: 'ann', code: 'KeyDuplicate' }]);
    expect(summary.counts.inserted).toBe(0);
    expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', mail: 'a@x' } });
  });

  test('a source whose expression fails, or gives no value of the type, is told by name', async () => {
    await bench.reset(
      bothDirections(
        {},
        { properties: { userName: 'userName', active: { expression: '"maybe"' } } },
      ),
    );
    await bench.put('account', 'ann', { userName: 'ann' });
    const { rejects, summary } = await bench.reconcile(inbound);
    expect(rejects).toMatchObject([{ key: 'ann', column: 'active', code: 'ValueInvalid' }]);
    expect(summary.counts.inserted).toBe(0);
  });
});

test('a rule that is new or changed is a delta like any other', async () => {
  await agreeOn('old');
  const changed: ConfigurationDocument = bothDirections(
    {},
    {
      properties: {
        userName: 'userName',
        mail: { expression: '$uppercase(emails[type="work"].value)' },
      },
    },
  );
  bench.bench.configure(changed);
  const { summary } = await bench.reconcile(inbound);
  expect(summary.counts).toMatchObject({ updated: 1 });
  expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', mail: 'OLD' } });
});

describe('a source that is gone', () => {
  test.each([
    ['keep', { ann: { userName: 'ann', active: true } }, 1],
    ['disable', { ann: { userName: 'ann', active: false } }, 1],
    ['unmatch', { ann: { userName: 'ann', active: true } }, 0],
    ['delete', {}, 0],
  ] as const)('%s', async (onSourceMissing, users, matches) => {
    await bench.reset(bothDirections({}, { onSourceMissing }));
    await bench.put('account', 'ann', { userName: 'ann', active: true });
    await bench.reconcile(inbound);
    await bench.put('account', 'ann', null);
    await bench.reconcile(inbound);
    expect(await bench.all('user')).toEqual(users);
    expect(await bench.matches()).toHaveLength(matches);
    expect((await bench.reconcile(inbound)).summary.empty).toBe(true);
  });

  test('is granted the days of grace, counted from when it was first missed', async () => {
    await bench.reset(bothDirections({}, { onSourceMissing: 'delete', gracePeriod: '7d' }));
    await bench.put('account', 'ann', { userName: 'ann' });
    await bench.reconcile(inbound);
    await bench.put('account', 'ann', null);
    await bench.reconcile(inbound);
    expect(await bench.all('user')).toHaveProperty('ann');
    const age = (days: number) =>
      bench.bench.store.pool.query(
        `update match set first_missing_since = first_missing_since - make_interval(days => $1),
           second_missing_since = second_missing_since - make_interval(days => $1)`,
        [days],
      );
    await age(6);
    expect((await bench.reconcile(inbound)).summary.empty).toBe(true);
    await age(1);
    expect((await bench.reconcile(inbound)).summary.counts.deleted).toBe(1);
    expect(await bench.all('user')).toEqual({});
  });

  test('comes back: what was disabled is enabled again', async () => {
    await bench.reset(bothDirections({}, { onSourceMissing: 'disable' }));
    await bench.put('account', 'ann', { userName: 'ann', active: true });
    await bench.reconcile(inbound);
    await bench.put('account', 'ann', null);
    await bench.reconcile(inbound);
    await bench.put('account', 'ann', { userName: 'ann', active: true });
    await bench.reconcile(inbound);
    expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', active: true } });
    await idle();
  });
});

test('a source that does not qualify is ignored, and an expression sees the nested resource', async () => {
  await bench.reset(bothDirections({}, { where: 'name.givenName = "Ann"' }));
  await bench.put('account', 'ann', { userName: 'ann', givenName: 'Ann' });
  await bench.put('account', 'bob', { userName: 'bob', givenName: 'Bob' });
  const { summary } = await bench.reconcile(inbound);
  expect(summary.situations).toMatchObject({ unqualified: 1, absent: 1 });
  expect(Object.keys(await bench.all('user'))).toEqual(['ann']);
});

describe('limits', () => {
  const six = async (prefix: string) => {
    for (let nth = 0; nth < 6; nth += 1)
      await bench.put('account', `${prefix}${nth}`, { userName: `${prefix}${nth}` });
  };
  const crowd = async () => {
    for (let nth = 0; nth < 100; nth += 1)
      await bench.put('user', `u${nth}`, { userName: `u${nth}` });
  };

  test.each([
    [6, []],
    [5, [{ threshold: 'maximumCreates', scope: 'user', planned: 6, allowed: 5, base: 100 }]],
    [0, [{ threshold: 'maximumCreates', scope: 'user', planned: 6, allowed: 0, base: 100 }]],
    [undefined, []],
  ])('maximumCreates %s of six creations', async (maximumCreates, breaches) => {
    await bench.reset(
      bothDirections({}, { ...(maximumCreates !== undefined && { maximumCreates }) }),
    );
    await crowd();
    await six('a');
    const job = await bench.prepare(inbound);
    expect(job.summary.breaches).toEqual(breaches);
    expect(Object.keys(await bench.all('user'))).toHaveLength(100);
    if (breaches.length > 0) await expect(job.load()).rejects.toThrow();
    await job.end();
    expect(Object.keys(await bench.all('user'))).toHaveLength(100);
  });

  test.each([
    [6, ['maxPercentageDeletedLines']],
    [5, ['maximumDeletes', 'maxPercentageDeletedLines']],
    [undefined, ['maxPercentageDeletedLines']],
  ])(
    'maximumDeletes %s of six deletions, which are all: the percentage guards too',
    async (maximumDeletes, names) => {
      await bench.reset(
        bothDirections(
          {},
          {
            onSourceMissing: 'delete',
            ...(maximumDeletes !== undefined && { maximumDeletes }),
          },
        ),
      );
      await six('a');
      await bench.reconcile(inbound);
      for (let nth = 0; nth < 6; nth += 1) await bench.put('account', `a${nth}`, null);
      const job = await bench.prepare(inbound);
      expect(job.summary.breaches.map(({ threshold }) => threshold).sort()).toEqual(names.sort());
      await expect(job.load()).rejects.toThrow();
      await job.end();
      expect(Object.keys(await bench.all('user'))).toHaveLength(6);
    },
  );
});

describe('links', () => {
  beforeEach(async () => {
    for (const key of ['ann', 'bob']) await bench.put('account', key, { userName: key });
    await bench.put('team', 'T', { name: 'T' });
    await bench.link('member', 'T', 'ann');
    await bench.reconcile(inbound);
    await bench.reconcile('teamToRole');
  });

  test('come with the resources that they are of', async () => {
    expect(await bench.links('assignment')).toEqual(['T → ann']);
    await idle();
  });

  test('that come or go at the source come or go at the target', async () => {
    await bench.link('member', 'T', 'bob');
    await bench.reconcile('teamToRole');
    expect(await bench.links('assignment')).toEqual(['T → ann', 'T → bob']);
    await bench.unlink('member', 'T', 'ann');
    await bench.reconcile('teamToRole');
    expect(await bench.links('assignment')).toEqual(['T → bob']);
    await idle();
  });

  test('that come or go at the target are carried over by the opposite mapping', async () => {
    await bench.link('assignment', 'T', 'bob');
    await bench.unlink('assignment', 'T', 'ann');
    expect((await bench.reconcile('teamToRole')).summary.empty).toBe(true);
    const { summary } = await bench.reconcile('roleToTeam');
    expect(summary.counts).toMatchObject({ linksInserted: 1, linksDeleted: 1 });
    expect(await bench.links('member')).toEqual(['T → bob']);
    await idle();
  });

  test('are agreed on anew by two that somebody has parted and that find each other again', async () => {
    const { pool } = bench.bench.store;
    const { rows } = await pool.query<{ id: string }>(
      `select id from match where 'T' in (first_key, second_key)`,
    );
    const request = { action: 'unmatch', match: rows[0]?.id, remember: false, reason: null };
    const id = `local.match.${randomUUID()}`;
    await pool.query(`insert into edit_request (id, entity_type, request) values ($1, '', $2)`, [
      id,
      JSON.stringify(request),
    ]);
    await bench.bench.run('settleMatch', { configurationFile: null }, id);
    // While they had nothing to do with one another, this was nobody's wish for the team.
    await bench.unlink('assignment', 'T', 'ann');
    await bench.reconcile('teamToRole');
    expect(await bench.links('assignment')).toEqual(['T → ann']);
    await idle();
  });

  test('to somebody without a confirmed counterpart are left out, and told', async () => {
    await bench.put('account', 'new', { userName: 'new' });
    await bench.link('member', 'T', 'new');
    const { rejects } = await bench.reconcile('teamToRole');
    expect(rejects).toMatchObject([{ key: 'T', column: 'members', code: 'CounterpartUnknown' }]);
    await bench.reconcile(inbound);
    await bench.reconcile('teamToRole');
    expect(await bench.links('assignment')).toEqual(['T → ann', 'T → new']);
  });
});

test('a changed key of a managed target is a rename, and its match knows it', async () => {
  const document = bothDirections({}, { correlate: [{ source: 'mail', target: 'mail' }] });
  await bench.reset(document);
  await bench.put('user', 'old', { userName: 'old', mail: 'a@x' });
  await bench.put('account', 'new', { userName: 'new', mail: 'a@x' });
  await bench.reconcile(inbound);
  expect(await bench.all('user')).toEqual({ new: { userName: 'new', mail: 'a@x' } });
  const [match] = await bench.matches();
  expect([match?.first, match?.second]).toEqual(['new', 'new']);
  await idle();
});

test('a delta is stale when the target has moved, and prepared again it is not', async () => {
  await agreeOn('old');
  await bench.put('account', 'ann', { userName: 'ann', mail: 'new' });
  const job = await bench.prepare(inbound);
  await bench.put('user', 'ann', { userName: 'ann', mail: 'old', givenName: 'Ann' });
  expect(await job.load()).toBe('stale');
  expect(await (await job.again()).load()).toBe('applied');
  await job.end();
  expect(await bench.all('user')).toMatchObject({ ann: { mail: 'new', givenName: 'Ann' } });
});

test('a delta is stale when a person has ended the match meanwhile', async () => {
  await agreeOn('old');
  await bench.put('account', 'ann', { userName: 'ann', mail: 'new' });
  const job = await bench.prepare(inbound);
  await bench.bench.store.pool.query('delete from match');
  expect(await job.load()).toBe('stale');
  await job.end();
  expect(await bench.all('user')).toEqual({ ann: { userName: 'ann', mail: 'old' } });
});

test('a reference comes, moves and goes in both directions as one link', async () => {
  const base = bothDirections({ manager: { references: 'user' } });
  const { accountToUser, userToAccount } = base.mappings ?? {};
  const account = base.entityTypes['account'];
  const path = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value';
  const withManager = (mapping: typeof accountToUser) => ({
    ...mapping,
    properties: { ...mapping?.properties, manager: 'manager' },
  });
  await bench.reset({
    ...base,
    entityTypes: {
      ...base.entityTypes,
      account: {
        ...account,
        properties: { ...account?.properties, manager: { path, references: 'account' } },
      },
    },
    mappings: {
      ...base.mappings,
      accountToUser: withManager(accountToUser),
      userToAccount: withManager(userToAccount),
    },
  } as ConfigurationDocument);
  for (const key of ['ann', 'bob', 'cyd']) await bench.put('account', key, { userName: key });
  await bench.link('account.manager', 'ann', 'bob');
  const first = await bench.reconcile(inbound);
  expect(first.summary.counts).toMatchObject({ inserted: 3, linksInserted: 1 });
  expect(await bench.links('user.manager')).toEqual(['ann → bob']);
  await bench.unlink('account.manager', 'ann', 'bob');
  await bench.link('account.manager', 'ann', 'cyd');
  const moved = await bench.reconcile(inbound);
  expect(moved.summary.counts).toMatchObject({
    linksUpdated: 1,
    linksInserted: 0,
    linksDeleted: 0,
  });
  expect(await bench.links('user.manager')).toEqual(['ann → cyd']);
  await idle();
  await bench.unlink('user.manager', 'ann', 'cyd');
  await bench.link('user.manager', 'ann', 'bob');
  await bench.reconcile(inbound);
  await bench.reconcile(outbound);
  expect(await bench.links('account.manager')).toEqual(['ann → bob']);
  await idle();
  await bench.unlink('account.manager', 'ann', 'bob');
  await bench.reconcile(inbound);
  expect(await bench.links('user.manager')).toEqual([]);
  await idle();
});

test('a simulation tells the same and keeps nothing', async () => {
  await bench.put('account', 'ann', { userName: 'ann' });
  const job = await bench.prepare(inbound, { simulate: true });
  expect(job.summary).toMatchObject({ counts: { inserted: 1 }, situations: { absent: 1 } });
  await job.end();
  const { rows } = await bench.bench.store.pool.query('select from situation');
  expect(rows).toEqual([]);
});

test('what was found out is listed, but for what is confirmed', async () => {
  await agreeOn('old');
  await bench.put('user', 'local', { userName: 'local' });
  await bench.reconcile(inbound);
  const { rows } = await bench.bench.store.pool.query(
    'select side, key, situation, reaction from situation where mapping = $1',
    [inbound],
  );
  expect(rows).toEqual([
    { side: 'target', key: 'local', situation: 'unassigned', reaction: 'ignore' },
  ]);
});
