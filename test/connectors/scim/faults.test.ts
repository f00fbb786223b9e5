/** Faults of network, service and credentials while lists are read, before either of two real servers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScimSettings } from '../../../engine/scim-settings.ts';
import {
  changed,
  type Intercept,
  openProxy,
  type ProxiedAnswer,
} from '../../support/scim/faulty-proxy.ts';
import { client, type OauthServer, startOauthServer } from '../../support/scim/oauth-server.ts';
import {
  exported,
  groups,
  memberships,
  refused,
  scimConnector,
  testClock,
  users,
} from '../../support/scim/scim-system.ts';
import { hasScim2Server, startScim2Server } from '../../support/scim/scim2-server.ts';
import { startScimmyServer } from '../../support/scim/scimmy-server.ts';

const numberOfUsers = 25;

/** A real server with users and a group of the first two. */
interface RealServer extends AsyncDisposable {
  readonly address: string;
  /** The path of its endpoint. */
  readonly path: string;
  /** Makes somebody join further behind in the list than the one of the id, or the one of the id leave. */
  join(name: string, after: string): Promise<void>;
  leave(id: string): Promise<void>;
}

const names = Array.from({ length: numberOfUsers }, (_, index) => `user${index}`);

async function scim2(): Promise<RealServer> {
  const server = await startScim2Server({ pagination: { cursor: false, maxPageSize: 10 } });
  const ids = await server.create(
    '/Users',
    names.map((userName) => ({ userName })),
  );
  const members = ids.slice(0, 2).map((value) => ({ value, type: 'User' }));
  await server.create('/Groups', [{ displayName: 'one', members }]);
  return {
    address: server.url,
    path: '/v2',
    // It sorts by id, and its ids are random.
    async join(userName, after) {
      for (;;) {
        const [id = ''] = await server.create('/Users', [{ userName }]);
        if (id > after) return;
        await server.remove('/Users', id);
      }
    },
    leave: (id) => server.remove('/Users', id),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function scimmy(): Promise<RealServer> {
  const meta = { created: new Date(0), lastModified: new Date(0) };
  const user = (userName: string) => ({ id: `id-${userName}`, userName, meta });
  const members = [{ value: 'id-user0' }, { value: 'id-user1' }];
  const contents = {
    users: names.map(user),
    groups: [{ id: 'g1', displayName: 'one', members, meta }],
  };
  const server = await startScimmyServer(contents);
  return {
    address: server.url.replace('/scim', ''),
    path: '/scim',
    join: async (name) => void contents.users.push(user(name)),
    leave: async (left) => {
      contents.users = contents.users.filter(({ id }) => id !== left);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

// The first is installed by `node local/setup.js --tests`.
describe.each([
  ...(hasScim2Server ? [['scim2-server', scim2] as const] : []),
  ['scimmy', scimmy] as const,
])('before %s', { timeout: 60_000 }, (_, start) => {
  let server: RealServer;
  let oauth: OauthServer;
  beforeAll(async () => {
    [server, oauth] = await Promise.all([start(), startOauthServer()]);
  }, 60_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await oauth?.[Symbol.asyncDispose]();
  });

  const small = { overrides: { pageSize: 10 } };
  const isUsers = ({ url }: { url: URL }) => url.pathname.endsWith('/Users');

  /** Opens a proxy that is faulty at the n-th page of users. */
  const openFaulty = (nth: number, fault: Intercept) => {
    let page = 0;
    return openProxy(server.address, (request, forward, number) =>
      isUsers(request) && ++page === nth ? fault(request, forward, number) : forward(request),
    );
  };

  async function readThrough(nth: number, fault: Intercept, more: Partial<ScimSettings> = {}) {
    const clock = testClock();
    await using proxy = await openFaulty(nth, fault);
    const settings = { ...small, ...more };
    const connector = scimConnector(`${proxy.url}${server.path}`, settings, clock);
    const [people = [], members = []] = await exported(connector, users(), memberships());
    expect(
      people
        .slice(1)
        .map(([, name]) => name)
        .sort(),
    ).toEqual([...names].sort());
    expect(members.slice(1)).toEqual([
      ['one', 'user0'],
      ['one', 'user1'],
    ]);
    return { asked: proxy.asked.filter((path) => path.includes('/Users')).length, ...clock };
  }

  /** Three pages and a look past the end. */
  const undisturbed = 4;

  const failing =
    (more: Partial<ProxiedAnswer>): Intercept =>
    async (request, forward) => ({
      ...(await forward(request)),
      ...more,
    });

  test('429 with Retry-After is waited for, in the middle of a list', async () => {
    const busy: Intercept = () => ({ status: 429, headers: { 'retry-after': '7' }, body: '' });
    const { asked, waits } = await readThrough(2, busy);
    expect([asked, waits]).toEqual([undisturbed + 1, [7000]]);
  });

  test.each<[string, Partial<ProxiedAnswer>]>([
    ['is reset before an answer', { resetAfter: 0 }],
    ['is reset in mid-page', { resetAfter: 300 }],
    ['is closed half-way, as if that were the end', { half: 'closed' }],
    ['is closed half-way of an answer without a length', { half: 'closed', isChunked: true }],
  ])('a connection that %s costs one more request, and nobody', async (_name, fault) => {
    const { asked } = await readThrough(2, failing(fault));
    expect(asked).toBe(undisturbed + 1);
  });

  test.each(['silent', 'dripping'] as const)(
    'an answer that stays %s is given up and asked for again',
    async (half) => {
      const { asked } = await readThrough(2, failing({ half }), { timeoutSeconds: 0.4 });
      expect(asked).toBeGreaterThan(undisturbed);
    },
  );

  test('an answer that is too large is not read, whether or not it says so', async () => {
    const body = ' '.repeat((64 << 20) + 1);
    for (const length of [{}, { isChunked: true }] as const) {
      await using proxy = await openFaulty(2, () => ({ status: 200, ...length, body }));
      expect(await refused(scimConnector(`${proxy.url}${server.path}`, small), users())).toBe(
        'SourceUnreadable [service]: the list of User answers with more than 64 MiB',
      );
    }
  });

  test('a token that ends in the middle of a list is renewed', async () => {
    let page = 0;
    await using proxy = await openProxy(server.address, async (request, forward) => {
      if (isUsers(request) && ++page === 2) await oauth.revokeAll();
      if (!(await oauth.accepts(request.headers['authorization']))) {
        return { status: 401, body: '{}' };
      }
      const headers = { ...request.headers, authorization: 'Bearer right-token' };
      return forward({ ...request, headers });
    });
    const auth = {
      type: 'oauth2-client-credentials',
      tokenEndpoint: oauth.tokenEndpoint,
      ...client,
      scope: 'scim.read',
      method: 'client_secret_basic',
    } as const;
    const connector = scimConnector(`${proxy.url}${server.path}`, { ...small, auth });
    expect((await exported(connector, users()))[0]).toHaveLength(numberOfUsers + 1);
    expect(oauth.asked).toHaveLength(2);
  });

  test('members that are given only to whoever names them are named', async () => {
    await using proxy = await openProxy(server.address, async (request, forward) => {
      const answer = await forward(request);
      const isNamed = request.url.searchParams.get('attributes')?.includes('members');
      if (isNamed || !request.url.pathname.endsWith('/Groups')) return answer;
      return changed(answer, (list) => ({
        ...list,
        Resources: list.Resources.map(({ members: _members, ...group }) => group),
      }));
    });
    const endpoint = `${proxy.url}${server.path}`;
    const [, members] = await exported(scimConnector(endpoint), groups(), memberships());
    expect(members).toHaveLength(3);
    const quirks = ['no-attribute-selection'] as const;
    expect(await refused(scimConnector(endpoint, { quirks }), memberships())).toContain(
      'SourceEmpty',
    );
  });

  // Last, for it leaves other people than there were.
  test.each<[string, (server: RealServer, ids: readonly string[]) => Promise<void>]>([
    ['joins', (real, ids) => real.join('newcomer', ids.at(-1) ?? '')],
    ['leaves, whom a page held,', (real, ids) => real.leave(ids[3] ?? '')],
    [
      'leaves while another one joins',
      async (real, ids) => {
        await real.leave(ids[4] ?? '');
        await real.join('another', ids.at(-1) ?? '');
      },
    ],
  ])('somebody who %s between two pages is noticed', async (_name, change) => {
    await using proxy = await openFaulty(1, async (request, forward) => {
      const answer = await forward(request);
      const { Resources } = JSON.parse(answer.body) as { Resources: { id: string }[] };
      await change(
        server,
        Resources.map(({ id }) => id),
      );
      return answer;
    });
    const connector = scimConnector(`${proxy.url}${server.path}`, small);
    expect(await refused(connector, users())).toContain(
      'SourceIncomplete [service]: the list of User changed while it was read',
    );
    // And the next attempt reads those who are there then.
    const [people = []] = await exported(connector, users());
    const ids = people.slice(1).map(([id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
