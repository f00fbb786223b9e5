// A person's edits of managed resources and links, from what was put down to what is stored.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { directoryConfiguration } from '../fixtures/directory.ts';
import { makeEdit, prepareEdit, prepareEditRollback, shown } from '../support/edit-bench.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(directoryConfiguration());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(directoryConfiguration()));

const set = (key: string, values: Record<string, string | number | boolean | null>) =>
  ({ action: 'set', key, values }) as const;
const link = (key: string, property: string, other: string) =>
  ({ action: 'link', key, property, other }) as const;
const unlink = (key: string, property: string, other: string) =>
  ({ action: 'unlink', key, property, other }) as const;
const remove = (key: string) => ({ action: 'delete', key }) as const;

async function auditLines(job: string) {
  const { rows } = await bench.store.pool.query(
    'select actor, action, detail from audit_event where subject = $1 order by id',
    [job],
  );
  return rows;
}

describe('set', () => {
  test('creates the resource when there is none, the very first without asking', async () => {
    const edit = await makeEdit(
      bench,
      'user',
      set('jdoe', { mail: 'j@x', active: true, floor: 3 }),
    );
    expect(edit.summary).toMatchObject({ counts: { inserted: 1 }, breaches: [] });
    expect(await shown(bench, 'user', 'jdoe')).toEqual({
      key: 'jdoe',
      attributes: { userName: 'jdoe', mail: 'j@x', active: true, floor: 3 },
      links: {},
    });
  });

  test('changes what is named, leaves the rest, and clears what is null', async () => {
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x', active: true, floor: 3 }));
    const edit = await makeEdit(bench, 'user', set('jdoe', { floor: null, active: false }));
    expect(await edit.changes()).toEqual([
      {
        entityType: 'user',
        key: 'jdoe',
        change: 'update',
        before: { userName: 'jdoe', mail: 'j@x', active: true, floor: 3 },
        after: { userName: 'jdoe', mail: 'j@x', active: false },
      },
    ]);
    expect((await shown(bench, 'user', 'jdoe'))?.attributes).toEqual({
      userName: 'jdoe',
      mail: 'j@x',
      active: false,
    });
  });

  test('of what is so already is an empty delta', async () => {
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    const { summary } = await prepareEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    expect(summary.empty).toBe(true);
  });

  test('makes, moves and takes away a reference, each one link', async () => {
    await makeEdit(bench, 'department', set('RD', {}));
    await makeEdit(bench, 'department', set('HQ', {}));
    const made = await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x', department: 'RD' }));
    expect(made.summary.counts).toMatchObject({ inserted: 1, linksInserted: 1 });
    expect((await shown(bench, 'user', 'jdoe'))?.links).toEqual({ department: 'RD' });
    const moved = await makeEdit(bench, 'user', set('jdoe', { department: 'HQ' }));
    expect(moved.summary.counts).toMatchObject({ inserted: 0, updated: 0, linksUpdated: 1 });
    expect((await shown(bench, 'user', 'jdoe'))?.links).toEqual({ department: 'HQ' });
    const gone = await makeEdit(bench, 'user', set('jdoe', { department: null }));
    expect(gone.summary.counts).toMatchObject({ linksDeleted: 1 });
    expect((await shown(bench, 'user', 'jdoe'))?.links).toEqual({});
  });

  test('may refer to the resource itself that it creates', async () => {
    const configuration = directoryConfiguration({
      unit: {
        managed: true,
        key: 'code',
        properties: { code: {}, parent: { references: 'unit', required: true } },
      },
    });
    bench.configure(configuration);
    await makeEdit(bench, 'unit', set('root', { parent: 'root' }));
    expect((await shown(bench, 'unit', 'root'))?.links).toMatchObject({ parent: 'root' });
    await makeEdit(bench, 'unit', set('child', { parent: 'root' }));
    await expect(prepareEdit(bench, 'unit', remove('root'))).rejects.toMatchObject({
      type: 'ResourceInvalid',
      message: '2 unit refer to this unit by parent, which is required',
    });
  });

  test.each([
    ['without a required value', set('jdoe', { active: true }), 'mail is required'],
    ['that clears a required value', set('ada', { mail: null }), 'mail is required'],
    ['of another type', set('ada', { floor: 'secret' }), 'floor is not a whole number'],
    ['of a property nobody declared', set('ada', { shoe: 'secret' }), 'shoe is no scalar property'],
    ['of another key', set('ada', { userName: 'secret' }), 'a key does not change'],
    ['under a key that shows nothing', set('\u200b', { mail: 'secret' }), 'cannot be seen'],
  ])('%s is refused by name, without the value', async (_, edit, message) => {
    await makeEdit(bench, 'user', set('ada', { mail: 'a@x' }));
    const refused = await prepareEdit(bench, 'user', edit).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      ...{ type: 'ResourceInvalid', nonRetryable: true },
      message: expect.stringContaining(message),
    });
    expect((refused as Error).message).not.toContain('secret');
  });

  test('of a type that is not managed, or with a target that is not there, finds nothing', async () => {
    await expect(prepareEdit(bench, 'account', set('a', {}))).rejects.toMatchObject({
      type: 'NotFound',
    });
    const edit = set('jdoe', { mail: 'j@x', department: 'secret' });
    await expect(prepareEdit(bench, 'user', edit)).rejects.toMatchObject({
      type: 'NotFound',
      message: 'department refers to a department that does not exist',
    });
  });

  test('takes along what the configuration declares no longer', async () => {
    bench.configure(
      directoryConfiguration({
        role: { managed: true, key: 'name', properties: { name: {}, old: {}, note: {} } },
      }),
    );
    await makeEdit(bench, 'role', set('admin', { old: 'x' }));
    bench.configure(
      directoryConfiguration({
        role: { managed: true, key: 'name', properties: { name: {}, note: {} } },
      }),
    );
    await makeEdit(bench, 'role', set('admin', { note: 'y' }));
    expect((await shown(bench, 'role', 'admin'))?.attributes).toEqual({ name: 'admin', note: 'y' });
  });
});

describe('links', () => {
  beforeEach(async () => {
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    await makeEdit(bench, 'role', set('admin', {}));
    await makeEdit(bench, 'department', set('RD', {}));
  });

  test('are made and taken away from either end, each once', async () => {
    await makeEdit(bench, 'user', link('jdoe', 'roles', 'admin'));
    expect((await shown(bench, 'role', 'admin'))?.links).toEqual({ members: ['jdoe'] });
    const again = await prepareEdit(bench, 'role', link('admin', 'members', 'jdoe'));
    expect(again.summary.empty).toBe(true);
    const gone = await makeEdit(bench, 'role', unlink('admin', 'members', 'jdoe'));
    expect(await gone.changes()).toEqual([
      {
        ...{ association: 'assignment', property: 'members', change: 'delete' },
        ...{ from: 'admin', to: 'jdoe', previous: null },
      },
    ]);
    expect((await shown(bench, 'user', 'jdoe'))?.links).toEqual({});
    const nothing = await prepareEdit(bench, 'user', unlink('jdoe', 'roles', 'admin'));
    expect(nothing.summary.empty).toBe(true);
  });

  test('of a reference are made from its owner and from its target', async () => {
    await makeEdit(bench, 'department', link('RD', 'user.department', 'jdoe'));
    expect((await shown(bench, 'user', 'jdoe'))?.links).toEqual({ department: 'RD' });
    const other = await prepareEdit(bench, 'user', unlink('jdoe', 'department', 'HQ'));
    expect(other.summary.empty).toBe(true);
    await makeEdit(bench, 'user', unlink('jdoe', 'department', 'RD'));
    expect((await shown(bench, 'user', 'jdoe'))?.links).toEqual({});
  });

  test('never create a resource', async () => {
    const missing = [
      link('nobody', 'department', 'RD'),
      link('nobody', 'roles', 'admin'),
      link('jdoe', 'roles', 'nobody'),
      link('jdoe', 'shoes', 'admin'),
    ];
    for (const edit of missing) {
      await expect(prepareEdit(bench, 'user', edit)).rejects.toMatchObject({ type: 'NotFound' });
    }
  });

  test('go with a deleted resource, and count', async () => {
    await makeEdit(bench, 'user', link('jdoe', 'roles', 'admin'));
    await makeEdit(bench, 'user', link('jdoe', 'department', 'RD'));
    const edit = await makeEdit(bench, 'user', remove('jdoe'));
    expect(edit.summary.counts).toMatchObject({ deleted: 1, linksDeleted: 2 });
    expect(await shown(bench, 'user', 'jdoe')).toBeUndefined();
    expect((await shown(bench, 'role', 'admin'))?.links).toEqual({});
  });
});

describe('a protected resource', () => {
  beforeEach(async () => {
    await makeEdit(bench, 'user', set('root', { mail: 'r@x' }));
    await makeEdit(bench, 'role', set('admin', {}));
  });

  test.each([
    ['changed', set('root', { mail: 'other' })],
    ['deleted', remove('root')],
    ['linked', link('root', 'roles', 'admin')],
    ['unlinked', unlink('root', 'roles', 'admin')],
  ])('is not %s', async (_, edit) => {
    await expect(prepareEdit(bench, 'user', edit)).rejects.toMatchObject({
      type: 'ResourceProtected',
      message: expect.not.stringContaining('root'),
    });
  });

  test('is not reached from its other end either', async () => {
    await expect(
      prepareEdit(bench, 'role', link('admin', 'members', 'root')),
    ).rejects.toMatchObject({ type: 'ResourceProtected' });
  });
});

describe('authority', () => {
  const owned = (authority: string[]) => {
    const configuration = directoryConfiguration({
      person: { managed: true, key: 'id', properties: { id: {}, mail: { authority }, name: {} } },
    });
    return { ...configuration, connectors: { hr: { kind: 'csv', directory: './hr' } } } as const;
  };
  const origins = async () =>
    (await bench.store.pool.query('select origins from value_origin')).rows.map(
      (row) => row.origins,
    );
  const setByHr = () =>
    bench.store.pool.query(`update value_origin set origins = '{"mail": "hr"}'`);

  test('of people is noted with what they set, and forgotten with the resource', async () => {
    bench.configure(owned(['hr', 'local']));
    await makeEdit(bench, 'person', set('a', { mail: 'x', name: 'y' }));
    expect(await origins()).toEqual([{ mail: 'local' }]);
    await makeEdit(bench, 'person', set('a', { mail: 'z' }));
    expect(await origins()).toEqual([{ mail: 'local' }]);
    await makeEdit(bench, 'person', remove('a'));
    expect(await origins()).toEqual([]);
  });

  test('that does not name people keeps them from setting a value', async () => {
    bench.configure(owned(['hr']));
    await expect(prepareEdit(bench, 'person', set('a', { mail: 'x' }))).rejects.toMatchObject({
      type: 'AuthorityRefused',
      message: 'mail of person is not for people to set: its authority is hr',
    });
    await makeEdit(bench, 'person', set('a', { name: 'y' }));
  });

  test('of a connector that stands before people keeps its value', async () => {
    bench.configure(owned(['hr', 'local']));
    await makeEdit(bench, 'person', set('a', { mail: 'x' }));
    await setByHr();
    await expect(prepareEdit(bench, 'person', set('a', { mail: 'z' }))).rejects.toMatchObject({
      type: 'AuthorityRefused',
      message: 'mail of this person was set by hr, which stands before people (local)',
    });
    await makeEdit(bench, 'person', set('a', { name: 'y', mail: 'x' }));
    bench.configure(owned(['local', 'hr']));
    await makeEdit(bench, 'person', set('a', { mail: 'z' }));
    expect(await origins()).toEqual([{ mail: 'local' }]);
  });
});

describe('limits', () => {
  test('that a person’s one edit passes make it ask, and it is not loaded without a decision', async () => {
    const none = { thresholds: { maximumDeletedLines: 0 } };
    const { entityTypes, ...rest } = directoryConfiguration();
    const role = { ...entityTypes['role'], ...none } as (typeof entityTypes)['role'];
    bench.configure({ ...rest, entityTypes: { ...entityTypes, role } } as never);
    await makeEdit(bench, 'role', set('admin', {}));
    const edit = await prepareEdit(bench, 'role', remove('admin'));
    expect(edit.summary.breaches).toEqual([
      { threshold: 'maximumDeletedLines', scope: 'role', planned: 1, allowed: 0, base: 1 },
    ]);
    await expect(edit.load()).rejects.toThrow();
    expect(await shown(bench, 'role', 'admin')).toBeDefined();
  });

  test('guard the links that a deletion takes along', async () => {
    await makeEdit(bench, 'role', set('all', {}));
    for (let number = 0; number < 11; number++) {
      await makeEdit(bench, 'user', set(`u${number}`, { mail: 'x' }));
      await makeEdit(bench, 'role', link('all', 'members', `u${number}`));
    }
    const edit = await prepareEdit(bench, 'role', remove('all'));
    expect(edit.summary.breaches).toMatchObject([
      { threshold: 'maxLinkPercentageDeletedLines', scope: 'assignment', planned: 11, base: 11 },
    ]);
    await makeEdit(bench, 'role', unlink('all', 'members', 'u0'));
    expect((await edit.again()).summary.breaches).toEqual([]);
  });
});

describe('an edit', () => {
  test('is written down once: who, what and why, without the values', async () => {
    const edit = await makeEdit(bench, 'user', {
      ...set('jdoe', { mail: 'secret' }),
      reason: 'ticket 7',
    });
    expect(await edit.load()).toBe('applied');
    expect(await auditLines(edit.id)).toEqual([
      {
        actor: 'somebody@bench',
        action: 'resource-edited',
        detail: {
          ...{ entityType: 'user', edit: 'set', key: 'jdoe', properties: ['mail'] },
          ...{ reason: 'ticket 7', claimedBy: 'jane' },
        },
      },
      { actor: edit.id, action: 'delta-applied', detail: expect.anything() },
    ]);
    const job = await bench.store.prisma.job.findUniqueOrThrow({ where: { id: edit.id } });
    expect(job).toMatchObject({
      ...{ connector: 'local', task: 'edit', trigger: 'person', requestedBy: 'somebody@bench' },
      state: 'succeeded',
    });
  });

  test('that another one overtook is stale, and prepared again takes both in', async () => {
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    const slow = await prepareEdit(bench, 'user', set('jdoe', { floor: 5 }));
    await makeEdit(bench, 'user', set('jdoe', { active: true }));
    expect(await slow.load()).toBe('stale');
    expect(await (await slow.again()).load()).toBe('applied');
    expect((await shown(bench, 'user', 'jdoe'))?.attributes).toMatchObject({
      ...{ floor: 5, active: true },
    });
  });

  test('of another resource is not overtaken', async () => {
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    const one = await prepareEdit(bench, 'user', set('jdoe', { floor: 5 }));
    const other = await prepareEdit(bench, 'user', set('ada', { mail: 'a@x' }));
    expect(await Promise.all([one.load(), other.load()])).toEqual(['applied', 'applied']);
  });

  test('that links what another one deletes at the same time leaves no link without its end', async () => {
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    await makeEdit(bench, 'role', set('admin', {}));
    await makeEdit(bench, 'role', set('other', {}));
    await makeEdit(bench, 'role', link('other', 'members', 'jdoe'));
    const linked = await prepareEdit(bench, 'user', link('jdoe', 'roles', 'admin'));
    const deleted = await prepareEdit(bench, 'role', remove('admin'));
    const outcomes = await Promise.all([linked.load(), deleted.load()]);
    expect(outcomes.sort()).toEqual(['applied', 'stale']);
    const { rows } = await bench.store.pool.query(
      'select from link l where not exists (select from resource r where r.id = l.from_id)',
    );
    expect(rows).toEqual([]);
  });

  test('that has ended loads nothing, however late its worker wakes up', async () => {
    const edit = await prepareEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    await bench.run('endJob', { connector: 'local', state: 'aborted', error: null }, edit.id);
    await expect(edit.load()).rejects.toMatchObject({ type: 'LeaseLost' });
    expect(await shown(bench, 'user', 'jdoe')).toBeUndefined();
  });

  test('whose request is gone changes nothing', async () => {
    const edit = await prepareEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    await bench.store.pool.query('delete from edit_request');
    await expect(edit.again()).rejects.toMatchObject({ type: 'NotFound' });
  });
});

describe('the rollback of an edit', () => {
  test('gives back what was there: values, a reference, and a deleted resource with its links', async () => {
    await makeEdit(bench, 'department', set('RD', {}));
    await makeEdit(bench, 'department', set('HQ', {}));
    await makeEdit(bench, 'role', set('admin', {}));
    await makeEdit(bench, 'user', set('ada', { mail: 'a@x', department: 'HQ' }));
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x', department: 'RD' }));
    await makeEdit(bench, 'user', link('jdoe', 'roles', 'admin'));
    const before = await shown(bench, 'user', 'jdoe');
    const changed = await makeEdit(bench, 'user', set('jdoe', { mail: 'k@x', department: 'HQ' }));
    expect(await (await prepareEditRollback(bench, changed.id)).load()).toBe('applied');
    expect(await shown(bench, 'user', 'jdoe')).toEqual(before);
    const deleted = await makeEdit(bench, 'user', remove('jdoe'));
    const back = await prepareEditRollback(bench, deleted.id);
    // One user is stored, so that the percentage guards nothing; the first link of its scope asks.
    expect(back.summary.breaches).toMatchObject([{ scope: 'assignment', planned: 1, base: 0 }]);
  });

  test('asks where it empties a scope, as any delta that nobody has said line by line', async () => {
    const created = await makeEdit(bench, 'role', set('admin', {}));
    const back = await prepareEditRollback(bench, created.id);
    expect(back.summary).toMatchObject({
      counts: { deleted: 1 },
      breaches: [{ threshold: 'maxPercentageDeletedLines', scope: 'role' }],
    });
  });

  test('leaves what was edited again, and never touches what is protected', async () => {
    const created = await makeEdit(bench, 'user', set('root', { mail: 'r@x' }));
    await expect(prepareEditRollback(bench, created.id)).rejects.toMatchObject({
      type: 'ResourceProtected',
    });
    await makeEdit(bench, 'user', set('jdoe', { mail: 'j@x' }));
    const first = await makeEdit(bench, 'user', set('jdoe', { mail: 'k@x' }));
    await makeEdit(bench, 'user', set('jdoe', { floor: 1 }));
    const back = await prepareEditRollback(bench, first.id);
    expect(back.summary).toMatchObject({ counts: { updated: 0, rejected: 1 } });
  });

  test('forgets who had set what it gives back', async () => {
    const configuration = directoryConfiguration({
      note: { managed: true, key: 'id', properties: { id: {}, text: { authority: ['local'] } } },
    });
    bench.configure(configuration);
    await makeEdit(bench, 'note', set('n', { text: 'one' }));
    const changed = await makeEdit(bench, 'note', set('n', { text: 'two' }));
    await (await prepareEditRollback(bench, changed.id)).load();
    expect((await shown(bench, 'note', 'n'))?.attributes).toMatchObject({ text: 'one' });
    const { rows } = await bench.store.pool.query('select origins from value_origin');
    expect(rows).toEqual([{ origins: {} }]);
  });
});
