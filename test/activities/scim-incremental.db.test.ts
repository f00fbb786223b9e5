/** Incremental jobs of a SCIM service, scim2-server, into the store: what they bring, and what a complete one has to find. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { changed, type FaultyProxy, openProxy } from '../support/scim/faulty-proxy.ts';
import {
  hasScim2Server,
  type Scim2Server,
  startScim2Server,
} from '../support/scim/scim2-server.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

function configuration(endpoint: string): ConfigurationDocument {
  return {
    connectors: {
      crm: {
        kind: 'scim',
        endpoint,
        incremental: 'lastModified',
        // All that happens here would be within the usual one.
        overlap: '0s',
        overrides: { pageSize: 10 },
      },
    },
    entityTypes: {
      account: {
        connector: 'crm',
        source: 'User',
        key: 'userName',
        properties: {
          userName: { path: 'userName' },
          nick: { path: 'nickName' },
          manager: { path: `${enterprise}:manager.value`, references: 'account' },
        },
      },
      team: {
        connector: 'crm',
        source: 'Group',
        key: 'name',
        properties: { name: { path: 'displayName' } },
      },
    },
    associations: {
      member: {
        connector: 'crm',
        source: 'Group.members',
        from: { entityType: 'team', property: 'members' },
        to: { entityType: 'account', property: 'teams' },
      },
    },
  };
}

// Installed by `node local/setup.js --tests`.
describe.skipIf(!hasScim2Server)('an incremental job', { timeout: 120_000 }, () => {
  let server: Scim2Server;
  let proxy: FaultyProxy;
  let bench: SyncBench;
  let isBlind = false;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    server = await startScim2Server();
    proxy = await openProxy(server.url, async (request, forward) => {
      const headers = { ...request.headers, authorization: 'Bearer right-token' };
      const answer = await forward({ ...request, headers });
      return isBlind && request.url.searchParams.has('filter')
        ? changed(answer, (list) => ({ ...list, totalResults: 0, Resources: [] }))
        : answer;
    });
    bench = await openSyncBench(configuration(proxy.url));
    await join('u0');
    await join(...Array.from({ length: 29 }, (_, index) => `u${index + 1}`));
    for (const team of ['t0', 't1', 't2']) await found(team, `u${team[1]}`, 'u5');
  }, 120_000);
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const idOf = (name: string) => ids.get(name) ?? '';
  async function join(...userNames: string[]): Promise<void> {
    const manager = { value: idOf('u0') };
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise];
    const created = await server.create(
      '/Users',
      userNames.map((userName) => {
        const extension = userName === 'u0' ? {} : { [enterprise]: { manager } };
        return { schemas, userName, ...extension };
      }),
    );
    created.forEach((id, index) => {
      ids.set(userNames[index] ?? '', id);
    });
  }
  async function found(displayName: string, ...members: string[]): Promise<void> {
    const values = members.map((name) => ({ value: idOf(name), type: 'User' }));
    const [id = ''] = await server.create('/Groups', [{ displayName, members: values }]);
    ids.set(displayName, id);
  }
  const leave = async (name: string) => {
    await server.remove(name.startsWith('t') ? '/Groups' : '/Users', idOf(name));
    ids.delete(name);
  };
  const rename = (name: string, value: string) =>
    server.patch('/Users', idOf(name), { op: 'replace', path: 'nickName', value });
  const add = (team: string, name: string) =>
    server.patch('/Groups', idOf(team), {
      op: 'add',
      path: 'members',
      value: [{ value: idOf(name), type: 'User' }],
    });
  const take = (team: string, name: string) =>
    server.patch('/Groups', idOf(team), {
      op: 'remove',
      path: `members[value eq "${idOf(name)}"]`,
    });

  const sync = (mode: 'complete' | 'incremental') => bench.sync({}, 'crm', mode);
  const described = (changes: readonly object[]) =>
    changes
      .map((each) => {
        const { entityType, key, association, from, to, change } = each as Record<string, string>;
        return entityType
          ? `${change} ${entityType} ${key}`
          : `${change} ${association} ${from} → ${to}`;
      })
      .sort();

  test('brings what came and what changed, people, teams, managers and members', async () => {
    await sync('complete');
    await rename('u7', 'Seven');
    await join('v1');
    await found('t9', 'v1', 'u9');
    await add('t1', 'u8');
    const job = await sync('incremental');
    expect(described(job.changes)).toEqual([
      'insert account v1',
      'insert account.manager v1 → u0',
      'insert member t1 → u8',
      'insert member t9 → u9',
      'insert member t9 → v1',
      'insert team t9',
      'update account u7',
    ]);
    expect(job.rejects).toEqual([]);
    expect((await sync('complete')).changes).toEqual([]);
  });

  test('leaves to a complete one who has gone, and who has left a team', async () => {
    await leave('v1');
    await leave('t9');
    await take('t1', 'u8');
    expect(described((await sync('incremental')).changes)).toEqual([]);
    expect(described((await sync('complete')).changes)).toEqual([
      'delete account v1',
      'delete account.manager v1 → u0',
      'delete member t1 → u8',
      'delete member t9 → u9',
      'delete member t9 → v1',
      'delete team t9',
    ]);
  });

  test('after incremental jobs of any edits a complete one plans nothing but deletes', async () => {
    // A fixed sequence that looks random (Park and Miller).
    let state = 42;
    const below = (limit: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % limit;
    };
    const someone = () => `u${below(30)}`;
    for (let edit = 0; edit < 24; edit++) {
      const team = `t${below(3)}`;
      const edits = [
        () => rename(someone(), `edit ${edit}`),
        () => add(team, someone()),
        () => take(team, someone()),
        () => join(`w${edit}`),
      ];
      await edits[below(4)]?.();
      if (edit % 8 === 7) await sync('incremental');
    }
    await take('t2', 'u2');
    await sync('incremental');
    const kinds = (await sync('complete')).changes.map(({ change }) => change);
    expect(new Set(kinds)).toEqual(new Set(['delete']));
  });

  test('may find no member at all: the newest team has none', async () => {
    const second = () => Math.floor(Date.now() / 1000);
    const now = second();
    // Longer than a cursor goes back by itself, so that no other team comes along.
    await expect.poll(second, { timeout: 5000 }).toBeGreaterThan(now + 1);
    await found('t8');
    await sync('complete');
    const job = await sync('incremental');
    expect([job.changes, job.rejects]).toEqual([[], []]);
    await leave('t8');
    await sync('complete');
  });

  test('goes on from no cursor that a complete one no longer trusts', async () => {
    isBlind = true;
    await sync('complete');
    const { rows } = await bench.store.pool.query<{ value: string }>(
      `select value from cursor where entity_type = 'account'`,
    );
    expect(rows[0]?.value).toContain('"position":""');
    await rename('u3', 'unseen by the filter');
    expect(described((await sync('incremental')).changes)).toEqual(['update account u3']);
    isBlind = false;
  });
});
