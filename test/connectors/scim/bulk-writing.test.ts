/** Many writes in one request, on two real servers: how few requests they are, and what becomes of those that fail. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ResourceWrite } from '../../../connectors/writer.ts';
import {
  type FaultyProxy,
  type Forward,
  type Intercept,
  openProxy,
  type ProxiedAnswer,
  type ProxiedRequest,
} from '../../support/scim/faulty-proxy.ts';
import { type RealServer, realServers } from '../../support/scim/real-servers.ts';
import {
  create,
  givenUp,
  members,
  remove,
  update,
  type WritingOptions,
  written as writtenSingly,
} from '../../support/scim/scim-writing.ts';

const headers = { authorization: 'Bearer right-token' };

interface Held {
  readonly id: string;
  readonly userName: string;
  readonly title?: string;
  readonly members?: readonly { readonly value: string }[];
}

describe.each(realServers)('$name', { timeout: 60_000 }, ({ open }) => {
  let server: RealServer;
  let proxy: FaultyProxy | undefined;

  beforeAll(async () => {
    server = await open();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());
  afterEach(async () => {
    await proxy?.[Symbol.asyncDispose]();
    proxy = undefined;
    for (const place of ['Users', 'Groups']) {
      for (const { id } of await held(place)) {
        const address = `${server.origin}${server.base}/${place}/${id}`;
        await fetch(address, { method: 'DELETE', headers });
      }
    }
  });

  /** All that the server holds, page by page. */
  async function held(place: string): Promise<Held[]> {
    const all: Held[] = [];
    for (;;) {
      const query = `startIndex=${all.length + 1}&count=100`;
      const answer = await fetch(`${server.origin}${server.base}/${place}?${query}`, { headers });
      const { Resources = [], totalResults } = (await answer.json()) as {
        Resources?: Held[];
        totalResults: number;
      };
      all.push(...Resources);
      if (all.length >= totalResults) return all;
    }
  }

  const toBulk =
    (bulk: Intercept): Intercept =>
    (request, forward, number) =>
      request.url.pathname.endsWith('/Bulk') ? bulk(request, forward, number) : forward(request);

  /** Writes through a proxy of its own, together unless `overrides` say otherwise. */
  async function written(
    writes: readonly ResourceWrite[],
    intercept?: Intercept,
    options: WritingOptions = {},
  ) {
    await proxy?.[Symbol.asyncDispose]();
    proxy = await openProxy(server.origin, intercept);
    const overrides = { bulk: undefined, ...options.settings?.overrides };
    const settings = { ...options.settings, overrides };
    return await writtenSingly(`${proxy.url}${server.base}`, writes, { ...options, settings });
  }

  /** The service with another offer of Bulk than its own. */
  const offering =
    (bulk: object): Intercept =>
    async (request, forward) => {
      const answer = await forward(request);
      if (!request.url.pathname.endsWith('/ServiceProviderConfig')) return answer;
      const configuration = JSON.parse(answer.body) as Record<string, unknown>;
      return { ...answer, body: JSON.stringify({ ...configuration, bulk }) };
    };

  /** Requests that are not about what the service is, each with how often it was sent. */
  const asked = () => {
    const own = (proxy?.requests ?? [])
      .filter((each) => !/ServiceProviderConfig|ResourceTypes|Schemas/.test(each))
      .map((each) => each.replace(`${server.base}/`, '').replace(/\/[^/ ]+$/, '/…'));
    const groups = [...Map.groupBy(own, (each) => each)];
    return Object.fromEntries(groups.map(([each, all]) => [each, all.length]));
  };

  const users = (count: number) =>
    Array.from({ length: count }, (_, nth) =>
      create('User', { userName: `u${nth}`, active: true }),
    );

  async function created(count: number): Promise<string[]> {
    const outcomes = await written(users(count));
    return outcomes.map((outcome) => ('id' in outcome ? (outcome.id ?? '') : ''));
  }

  const states = (outcomes: readonly { state: string }[]) => [
    ...new Set(outcomes.map(({ state }) => state)),
  ];

  test('creates, changes and deletes: a request for a hundred, and two that read them back', async () => {
    const outcomes = await written(users(120));
    expect(states(outcomes)).toEqual(['applied']);
    expect(asked()).toEqual({ 'POST Bulk': 2, 'GET Users': 3 });
    expect(await held('Users')).toHaveLength(120);
    const ids = outcomes.map((outcome) => ('id' in outcome ? outcome.id : null) as string);
    expect(new Set(ids).size).toBe(120);
    expect(outcomes[7]).toMatchObject({ cells: new Map([['userName', 'u7']]) });

    const changes = ids.map((id, nth) => update('User', id, { title: `T${nth}` }));
    expect(states(await written(changes))).toEqual(['applied']);
    expect(asked()).toEqual({ 'POST Bulk': 2, 'GET Users': 3 });
    expect((await held('Users')).map(({ title }) => title).sort()).toEqual(
      ids.map((_, nth) => `T${nth}`).sort(),
    );

    expect(states(await written(ids.map((id) => remove('User', id))))).toEqual(['applied']);
    expect(asked()).toEqual({ 'POST Bulk': 2 });
    expect(await held('Users')).toEqual([]);
  });

  test('two writes are two requests', async () => {
    expect(states(await written(users(2)))).toEqual(['applied']);
    expect(asked()).toEqual({ 'POST Users': 2 });
  });

  test('members come and go, each by its value', async () => {
    const ids = await created(4);
    const groups = ['a', 'b', 'c'].map((name) =>
      create('Group', { displayName: name }, members(ids.slice(0, 2))),
    );
    const outcomes = await written(groups);
    expect(states(outcomes)).toEqual(['applied']);
    // Nobody but a look-up keeps a group from being there twice.
    expect(asked()['POST Bulk']).toBeUndefined();
    const changes = outcomes.map((outcome) =>
      update(
        'Group',
        'id' in outcome ? outcome.id : null,
        {},
        members([ids[2] as string], [ids[0] as string]),
      ),
    );
    const readBack = { Group: ['displayName', 'members'] };
    expect(states(await written(changes, undefined, { readBack }))).toEqual(['applied']);
    expect(asked()['POST Bulk']).toBe(1);
    for (const group of await held('Groups')) {
      expect(group.members?.map(({ value }) => value).sort()).toEqual([ids[1], ids[2]].sort());
    }
  });

  test('what is refused is told one by one, and stops no other', async () => {
    const [taken = '', gone = ''] = await created(2);
    await fetch(`${server.origin}${server.base}/Users/${gone}`, { method: 'DELETE', headers });
    const outcomes = await written([
      create('User', { userName: 'new', title: 'Dr' }),
      // There already: taken over.
      create('User', { userName: 'u0', title: 'Dr' }),
      update('User', gone, { title: 'Dr' }),
      remove('User', gone),
      create('User', { userName: 'other', title: 'Dr' }),
    ]);
    expect(outcomes).toMatchObject([
      { state: 'applied' },
      { state: 'applied', id: taken },
      { state: 'failed', code: 'TargetChanged' },
      { state: 'applied', id: null },
      { state: 'applied' },
    ]);
    expect(asked()['POST Bulk']).toBe(1);
    expect(
      (await held('Users')).map(({ userName, title }) => `${userName} ${title}`).sort(),
    ).toEqual(['new Dr', 'other Dr', 'u0 Dr']);
  });

  describe('when the answer is lost', () => {
    const lost = async (request: ProxiedRequest, forward: Forward): Promise<ProxiedAnswer> => ({
      ...(await forward(request)),
      resetAfter: 0,
    });

    test('what was created is found, and created once', async () => {
      const outcomes = await written(users(5), toBulk(lost));
      expect(states(outcomes)).toEqual(['applied']);
      expect(await held('Users')).toHaveLength(5);
      expect(asked()['POST Bulk']).toBe(1);
    });

    test('what was changed and deleted is looked at, and not sent again', async () => {
      const ids = await created(6);
      const writes = ids.map((id, nth) =>
        nth < 3 ? update('User', id, { title: 'Dr' }) : remove('User', id),
      );
      expect(states(await written(writes, toBulk(lost)))).toEqual(['applied']);
      expect(asked()).toEqual({ 'POST Bulk': 1, 'GET Users': 1, 'DELETE Users/…': 3 });
      expect((await held('Users')).map(({ title }) => title)).toEqual(['Dr', 'Dr', 'Dr']);
    });

    test('and nothing was done: everything is done one by one', async () => {
      const none = toBulk(() => ({ status: 0, body: '', resetAfter: 0 }));
      const outcomes = await written(users(3), none);
      expect(states(outcomes)).toEqual(['applied']);
      expect(asked()).toEqual({ 'POST Bulk': 1, 'POST Users': 3 });
    });
  });

  const refusals: Record<
    string,
    (request: ProxiedRequest, forward: Forward) => ProxiedAnswer | Promise<ProxiedAnswer>
  > = {
    'is refused as too large (413)': () => ({ status: 413, body: '{}' }),
    'is not there (404)': () => ({ status: 404, body: '' }),
    'is not done (501)': () => ({ status: 501, body: '{}' }),
    'fails (500)': () => ({ status: 500, body: '' }),
    'answers something else': () => ({ status: 200, body: '{"schemas":[]}' }),
    'answers for nobody': async (request, forward) => {
      await forward(request);
      return { status: 200, body: '{"Operations":[]}' };
    },
    'throttles every operation (429)': (request) => {
      const { Operations } = JSON.parse(request.body ?? '') as { Operations: { bulkId: string }[] };
      const all = Operations.map(({ bulkId }) => ({ bulkId, method: 'POST', status: '429' }));
      return { status: 200, body: JSON.stringify({ Operations: all }) };
    },
  };

  test.each(Object.entries(refusals))('when it %s, writes are done one by one', async (_, bulk) => {
    expect(states(await written(users(4), toBulk(bulk)))).toEqual(['applied']);
    expect(await held('Users')).toHaveLength(4);
    expect(asked()).toMatchObject({ 'POST Bulk': 1, 'POST Users': 4 });
  });

  test('a service that cannot look for several is asked for each, and no second time', async () => {
    const outcomes = await written(users(150), (request, forward) =>
      /id eq .* or id eq/.test(request.url.searchParams.get('filter') ?? '')
        ? { status: 400, body: '{"scimType":"invalidFilter"}' }
        : forward(request),
    );
    expect(states(outcomes)).toEqual(['applied']);
    expect(asked()).toMatchObject({ 'POST Bulk': 1 });
    expect(await held('Users')).toHaveLength(150);
  });

  test('`bulk: false` and a service that does not say how much it takes are written to one by one', async () => {
    const off = { settings: { overrides: { bulk: false } } } as const;
    expect(states(await written(users(3), undefined, off))).toEqual(['applied']);
    expect(asked()).toEqual({ 'POST Users': 3 });
    const others = users(6).slice(3);
    expect(states(await written(others, offering({ supported: true })))).toEqual(['applied']);
    expect(asked()).toEqual({ 'POST Users': 3 });
  });

  test('a request is no larger than the service takes', async () => {
    const offered = offering({ supported: true, maxOperations: 40, maxPayloadSize: 4000 });
    const long = create('User', { userName: 'long', title: 'x'.repeat(5000) });
    expect(states(await written([...users(60), long], offered))).toEqual(['applied']);
    const bodies = (proxy?.bodies ?? []).filter((each) => each.includes('BulkRequest'));
    const sizes = bodies.map((each) => Buffer.byteLength(each));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4000);
    expect(Math.max(...bodies.map((each) => each.split('bulkId').length - 1))).toBeLessThanOrEqual(
      40,
    );
    expect(asked()).toMatchObject({ 'POST Users': 1 });
  });

  test('a service that is down is given up', async () => {
    const down = { status: 0, body: '', resetAfter: 0 } as const;
    const writing = written(users(20), (request, forward) =>
      /ServiceProviderConfig|ResourceTypes|Schemas/.test(request.url.pathname)
        ? forward(request)
        : down,
    );
    expect(await givenUp(writing)).toMatch(/^TargetUnavailable/);
    // Once together, then five in vain, each as often as any request.
    expect(asked()['POST Users']).toBeLessThanOrEqual(5 * 6);
    expect(await held('Users')).toEqual([]);
  });
});
