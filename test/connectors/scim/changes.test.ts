/** What changed, by meta.lastModified, of scim2-server, a real server in another process: nothing is missed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ScimSettings } from '../../../engine/scim-settings.ts';
import type { Source } from '../../../engine/source.ts';
import { changed, type Intercept, openProxy } from '../../support/scim/faulty-proxy.ts';
import {
  FollowedExport,
  groups,
  memberships,
  resources,
  scimConnector,
  testClock,
  users,
} from '../../support/scim/scim-system.ts';
import {
  hasScim2Server,
  type Scim2Server,
  startScim2Server,
} from '../../support/scim/scim2-server.ts';

const incremental = { overlapSeconds: 0 };

/** Later than whatever the server stamps, and standing still. */
const clock = () => testClock(Date.now() + 3_600_000);

// Installed by `node local/setup.js --tests`.
describe.skipIf(!hasScim2Server)('what changed', { timeout: 60_000 }, () => {
  let server: Scim2Server;
  let ids: Record<string, string>;

  beforeAll(async () => {
    server = await startScim2Server({ pagination: { cursor: false, maxPageSize: 10 } });
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  let generation = 0;
  /** Other people for each test: names are unique, and stamps are the server's. */
  beforeEach(async () => {
    for (const [name, id] of Object.entries(ids ?? {})) {
      await server.remove(name.startsWith('team') ? '/Groups' : '/Users', id);
    }
    ids = {};
    generation += 1;
    const names = Array.from({ length: 25 }, (_, index) => `u${index}`);
    const created = await server.create(
      '/Users',
      names.map((name) => ({ userName: `${name}.${generation}`, nickName: 'as it was' })),
    );
    names.forEach((name, index) => {
      ids[name] = created[index] ?? '';
    });
    const members = ['u0', 'u1'].map((name) => ({ value: ids[name], type: 'User' }));
    const teams = await server.create('/Groups', [
      { displayName: 'one', members },
      { displayName: 'two' },
    ]);
    [ids['team one'], ids['team two']] = teams as [string, string];
  }, 60_000);

  const nextSecond = () => sleep(1_010 - (Date.now() % 1000));
  /** The cursor is in the second of the newest then, which are read every time, and the others are not. */
  const addNewest = async () => {
    await nextSecond();
    const [user] = await server.create('/Users', [{ userName: `newest.${generation}` }]);
    const [team] = await server.create('/Groups', [{ displayName: 'newest' }]);
    Object.assign(ids, { newest: user, 'team newest': team });
  };
  const nick = (name: string, value: string) =>
    server.patch('/Users', ids[name] ?? '', { op: 'replace', path: 'nickName', value });
  const rename = (team: string, value: string) =>
    server.patch('/Groups', ids[team] ?? '', { op: 'replace', path: 'displayName', value });
  const join = (team: string, ...members: object[]) =>
    server.patch('/Groups', ids[team] ?? '', { op: 'add', path: 'members', value: members });

  const settings = (more: Partial<ScimSettings> = {}) => ({ incremental, ...more });
  const following = (url: string, sources: Source[], more: Partial<ScimSettings> = {}) =>
    new FollowedExport(scimConnector(url, settings(more), clock()), ...sources);
  const nicks = (rows: readonly (readonly string[])[] = []) =>
    rows
      .map(([, userName, nickName]) => `${userName?.split('.')[0]} ${nickName}`)
      .filter((each) => each !== 'newest ')
      .sort();

  test('is all that is asked for, page by page, proved complete as any list', async () => {
    await addNewest();
    await using proxy = await openProxy(server.url);
    const people = following(proxy.url, [users('nickName')]);
    const first = await people.next('complete');
    expect(first['User']).toMatchObject({ since: undefined });
    expect(first['User']?.rows).toHaveLength(26);
    for (let index = 0; index < 12; index++) await nick(`u${index}`, 'new');
    const before = proxy.asked.length;
    const { User } = await people.next('incremental');
    expect(nicks(User?.rows)).toEqual(
      Array.from({ length: 12 }, (_, index) => `u${index} new`).sort(),
    );
    expect(User?.since).toBeDefined();
    // What it is and can, two pages of what changed, and a look past the end.
    const asked = proxy.asked.slice(before);
    expect(asked).toHaveLength(3 + 2 + 1);
    expect(asked.filter((path) => path.includes('meta.lastModified%20ge%20'))).toHaveLength(3);
  });

  test('is not missed in the very second of the cursor, though no overlap is kept', async () => {
    const people = following(server.url, [users('nickName')]);
    let tried = 0;
    for (let inSameSecond = false; !inSameSecond; tried++) {
      await nick('u3', `first ${tried}`);
      await people.next(tried === 0 ? 'complete' : 'incremental');
      const { meta } = await nick('u4', `second ${tried}`);
      const stamp = (meta as { lastModified: string }).lastModified;
      inSameSecond = stamp.slice(0, 19) === people.positions['User']?.slice(0, 19);
      const { User } = await people.next('incremental');
      expect(nicks(User?.rows)).toContain(`u4 second ${tried}`);
    }
  });

  test('while pages are read is noticed, or comes with the next export', async () => {
    await addNewest();
    let during: (() => Promise<unknown>) | undefined;
    await using proxy = await openProxy(server.url, async (request, forward) => {
      const answer = await forward(request);
      const change = request.url.searchParams.has('filter') ? during : undefined;
      if (change) during = undefined;
      await change?.();
      return answer;
    });
    const people = following(proxy.url, [users('nickName')]);
    await people.next('complete');
    for (let index = 0; index < 12; index++) await nick(`u${index}`, 'new');
    // Somebody else: there is one more than was told.
    during = () => nick('u20', 'newer');
    await expect(people.next('incremental')).rejects.toMatchObject({ code: 'SourceIncomplete' });
    const { User } = await people.next('incremental');
    expect(nicks(User?.rows)).toContain('u20 newer');
    // Somebody who has been read already.
    const first = [...(User?.rows ?? [])].sort(([one = ''], [other = '']) =>
      one < other ? -1 : 1,
    );
    const [id = '', userName = ''] = first[0] ?? [];
    during = () => server.patch('/Users', id, { op: 'replace', path: 'nickName', value: 'newest' });
    const told = [await people.next('incremental'), await people.next('incremental')];
    const values = told.flatMap(({ User: each }) => each?.rows ?? []);
    expect(values).toContainEqual([id, userName, 'newest']);
  });

  test.each<[string, number | undefined]>([
    ['by the clock of the service', 30_000],
    ['by the time it took, where the service does not tell the time', undefined],
  ])('is read again from where a long export began, %s', async (_, earlierMs) => {
    const { meta } = await nick('u7', 'last');
    const stamp = Date.parse((meta as { lastModified: string }).lastModified);
    const slow = clock();
    await using proxy = await openProxy(server.url, async (request, forward) => {
      if (request.url.pathname.endsWith('/Users')) slow.advance(60_000);
      const date = earlierMs === undefined ? '' : new Date(stamp - earlierMs).toUTCString();
      return { ...(await forward(request)), headers: { date } };
    });
    const connector = scimConnector(proxy.url, settings(), slow);
    const people = new FollowedExport(connector, users('nickName'));
    await people.next('complete');
    // Three pages and the look past the end took four minutes.
    const began =
      earlierMs === undefined ? stamp - 240_000 : Math.floor((stamp - earlierMs) / 1000) * 1000;
    expect(people.positions['User']).toBe(new Date(began).toISOString());
  });

  test('of groups comes with their members, whose keys are looked up', async () => {
    await addNewest();
    await using proxy = await openProxy(server.url);
    const sources = [users('nickName'), groups(), memberships()];
    const all = following(proxy.url, sources);
    await all.next('complete');
    await join('team two', { value: ids['u9'], type: 'User' });
    const before = proxy.asked.length;
    const { User, Group, 'Group.members': members } = await all.next('incremental');
    expect(Group?.rows.map(([, name]) => name).sort()).toEqual(['newest', 'two']);
    expect(members?.rows).toEqual([['two', `u9.${generation}`]]);
    expect(nicks(User?.rows)).toEqual([]);
    const singles = proxy.asked
      .slice(before)
      .filter((path) => path.includes(`/Users/${ids['u9']}`));
    expect(singles).toHaveLength(1);
  });

  test('of groups within groups is told apart though nothing says of what type a member is', async () => {
    await addNewest();
    await using proxy = await openProxy(server.url, async (request, forward) => {
      const answer = await forward(request);
      if (!request.url.pathname.endsWith('/Groups')) return answer;
      return changed(answer, (list) => ({
        ...list,
        Resources: list.Resources.map((group) => ({
          ...group,
          members: ((group['members'] ?? []) as { value: string }[]).map(({ value }) => ({
            value,
          })),
        })),
      }));
    });
    const teams = following(proxy.url, [groups(), memberships()]);
    await teams.next('complete');
    await join('team two', { value: ids['u9'] }, { value: ids['team one'] });
    const { 'Group.members': members } = await teams.next('incremental');
    expect(members?.rows).toEqual([['two', `u9.${generation}`]]);
  });

  test('of a large group has all users read for their keys, rather than each on its own', async () => {
    await addNewest();
    const many = await server.create(
      '/Users',
      Array.from({ length: 51 }, (_, index) => ({ userName: `m${index}.${generation}` })),
    );
    many.forEach((id, index) => {
      ids[`m${index}`] = id;
    });
    await using proxy = await openProxy(server.url);
    const teams = following(proxy.url, [groups(), memberships()]);
    await teams.next('complete');
    await join('team one', ...many.map((value) => ({ value, type: 'User' })));
    const before = proxy.asked.length;
    const { 'Group.members': members } = await teams.next('incremental');
    expect(members?.rows).toHaveLength(53);
    expect(members?.since).toBeDefined();
    expect(proxy.asked.slice(before).some((path) => /Users\/\w/.test(path))).toBe(false);
  });

  test('brings whoever shares the key with what changed, so that neither is taken for the other', async () => {
    await addNewest();
    const teams = following(server.url, [groups()]);
    await teams.next('complete');
    await rename('team two', 'one');
    const { Group } = await teams.next('incremental');
    expect(Group?.rows.map(([, name]) => name).sort()).toEqual(['newest', 'one', 'one']);
  });

  test('is not told of groups whose members change in silence: they are read completely', async () => {
    const quirks = ['membership-keeps-last-modified'] as const;
    const teams = following(server.url, [groups(), memberships()], { quirks });
    await teams.next('complete');
    const { Group, 'Group.members': members } = await teams.next('incremental');
    expect([Group?.rows.length, Group?.since, members?.since]).toEqual([2, undefined, undefined]);
  });

  test('is read by cursor as well', async () => {
    await using other = await startScim2Server({ pagination: { cursor: true, maxPageSize: 2 } });
    const created = await other.create(
      '/Users',
      ['a', 'b', 'c', 'd', 'e'].map((userName) => ({ userName })),
    );
    await nextSecond();
    const change = (id = '') =>
      other.patch('/Users', id, { op: 'replace', path: 'nickName', value: 'new' });
    await change(created[0]);
    const people = following(other.url, [users('nickName')]);
    await people.next('complete');
    await change(created[1]);
    await change(created[2]);
    const { User } = await people.next('incremental');
    expect(nicks(User?.rows)).toEqual(['a new', 'b new', 'c new']);
  });

  describe('is not believed, and everything read,', () => {
    /** Incremental exports behind a proxy that is faulty from the given export on. */
    async function withFault(fault: Intercept, from: 'at once' | 'later') {
      let isFaulty = from === 'at once';
      await using proxy = await openProxy(server.url, (request, forward, number) =>
        isFaulty && request.url.pathname.endsWith('/Users')
          ? fault(request, forward, number)
          : forward(request),
      );
      const people = following(proxy.url, [users('nickName')]);
      await people.next('complete');
      isFaulty = true;
      await nick('u3', 'new');
      const { User } = await people.next('incremental');
      expect(nicks(User?.rows)).toContain('u3 new');
      return { rows: User?.rows.length, isWhole: User?.since === undefined };
    }
    const filtered = (request: { url: URL }) => request.url.searchParams.has('filter');

    test.each<[string, Intercept]>([
      [
        'finds nothing',
        async (request, forward) =>
          filtered(request)
            ? changed(await forward(request), (list) => ({
                ...list,
                totalResults: 0,
                Resources: [],
              }))
            : forward(request),
      ],
      [
        'is refused',
        (request, forward) =>
          filtered(request)
            ? { status: 400, body: '{"scimType":"invalidFilter"}' }
            : forward(request),
      ],
      [
        'is forbidden',
        (request, forward) => (filtered(request) ? { status: 403, body: '{}' } : forward(request)),
      ],
    ])('where the filter %s', async (_, fault) => {
      expect(await withFault(fault, 'at once')).toEqual({ rows: 25, isWhole: true });
      expect(await withFault(fault, 'later')).toEqual({ rows: 25, isWhole: true });
    });

    test.each<[string, string | undefined]>([
      ['has no stamp', undefined],
      ['has one without a zone', '2026-01-01T00:00:00'],
    ])('where somebody %s', async (_, lastModified) => {
      const fault: Intercept = async (request, forward) =>
        changed(await forward(request), (list) => ({
          ...list,
          Resources: list.Resources.map((user) =>
            user.id === ids['u8'] ? { ...user, meta: { lastModified } } : user,
          ),
        }));
      expect(await withFault(fault, 'at once')).toEqual({ rows: 25, isWhole: true });
    });

    test('where it begins in another service, or with other paths', async () => {
      await using proxy = await openProxy(server.url);
      const people = following(proxy.url, [users('nickName')]);
      await people.next('complete');
      const other = scimConnector(server.url, settings(), clock());
      expect((await people.next('incremental', other))['User']?.since).toBeUndefined();
    });
  });

  test('may be more than changed where the filter is not heeded, which does no harm', async () => {
    await using proxy = await openProxy(server.url, (request, forward) => {
      const url = new URL(request.url);
      url.searchParams.delete('filter');
      return forward({ ...request, url });
    });
    const people = following(proxy.url, [users('nickName')]);
    await people.next('complete');
    await nick('u3', 'new');
    const { User } = await people.next('incremental');
    expect(User?.rows).toHaveLength(25);
  });

  test('is not pulled forward by a stamp of the far future', async () => {
    await using proxy = await openProxy(server.url, async (request, forward) => {
      const url = new URL(request.url);
      const filter = url.searchParams.get('filter');
      if (filter) url.searchParams.set('filter', `${filter} or id eq "${ids['u8']}"`);
      const answer = await forward({ ...request, url });
      if (!request.url.pathname.endsWith('/Users')) return answer;
      const lastModified = '9999-12-31T00:00:00Z';
      return changed(answer, (list) => ({
        ...list,
        Resources: list.Resources.map((user) =>
          user.id === ids['u8'] ? { ...user, meta: { lastModified } } : user,
        ),
      }));
    });
    const people = following(proxy.url, [users('nickName')]);
    await people.next('complete');
    expect(people.positions['User']?.slice(0, 4)).toBe(`${new Date().getFullYear()}`);
    await nick('u3', 'new');
    expect(nicks((await people.next('incremental'))['User']?.rows)).toContain('u3 new');
  });

  test('cannot be told of a key that is chosen by a filter, or is no path', async () => {
    const byMail = resources('User', ['emails[type eq "work"].value', 'userName']);
    const { keys: _, ...options } = users().options;
    for (const source of [byMail, { name: 'User', options }]) {
      const people = following(server.url, [source]);
      await people.next('complete');
      expect(people.positions).toEqual({});
    }
  });

  test('is not asked for where the service says that it does not filter, unless that is overridden', async () => {
    await using proxy = await openProxy(server.url, async (request, forward) => {
      const answer = await forward(request);
      return request.url.pathname.endsWith('/ServiceProviderConfig')
        ? changed(answer, (config) => ({ ...config, filter: { supported: false } }))
        : answer;
    });
    for (const [overrides, cursors] of [
      [{}, 0],
      [{ filter: true }, 1],
    ] as const) {
      const people = following(proxy.url, [users()], { overrides });
      await people.next('complete');
      expect(Object.keys(people.positions)).toHaveLength(cursors);
    }
  });
});
