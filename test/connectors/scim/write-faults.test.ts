/** What becomes of writes when the network, the service or the credentials fail in the middle of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AttributeWrite } from '../../../connectors/writer.ts';
import { type FaultyProxy, type Intercept, openProxy } from '../../support/scim/faulty-proxy.ts';
import { client, startOauthServer } from '../../support/scim/oauth-server.ts';
import { testClock } from '../../support/scim/scim-system.ts';
import {
  create,
  givenUp,
  members,
  remove,
  update,
  written,
  writtenOne,
} from '../../support/scim/scim-writing.ts';
import {
  type ScimmyContents,
  type ScimmyServer,
  startScimmyServer,
} from '../../support/scim/scimmy-server.ts';

let contents: ScimmyContents;
let server: ScimmyServer;
beforeEach(async () => {
  const meta = { created: new Date(0), lastModified: new Date(0) };
  contents = {
    users: ['anna', 'bert', 'carl', 'dora', 'emil', 'fritz'].map((userName, index) => ({
      id: `u${index}`,
      userName,
      title: 'none',
      meta,
    })),
    groups: [{ id: 'g', displayName: 'g', members: [{ value: 'u1' }], meta }],
  };
  server = await startScimmyServer(contents);
});
afterEach(() => server[Symbol.asyncDispose]());

/** Behind a proxy that has its own ideas about writes. */
async function behind(intercept: Intercept): Promise<FaultyProxy> {
  let writes = 0;
  return await openProxy(server.url.replace('/scim', ''), (request, forward) => {
    if (request.method === 'GET') return forward(request);
    writes += 1;
    return intercept(request, forward, writes);
  });
}

const at = ({ url }: FaultyProxy) => `${url}/scim`;
const asked = (proxy: FaultyProxy) =>
  proxy.requests
    .filter((each) => !/ServiceProviderConfig|ResourceTypes|Schemas/.test(each))
    .map((each) => each.replace('/scim/', ''));
const names = (userName: AttributeWrite['value']) =>
  contents.users.filter((user) => user['userName'] === userName);
const titled = (id: string, title: string) => update('User', id, { title });
const titles = () => contents.users.map(({ title }) => title);

describe('a connection that is reset', () => {
  test('before the service created anything: it is looked for, and created once', async () => {
    await using proxy = await behind((request, forward, number) =>
      number === 1 ? { status: 0, body: '', resetAfter: 0 } : forward(request),
    );
    const outcome = await writtenOne(at(proxy), create('User', { userName: 'new' }));
    expect(outcome).toMatchObject({ state: 'applied' });
    expect(asked(proxy)).toEqual(['POST Users', 'GET Users', 'POST Users']);
    expect(names('new')).toHaveLength(1);
  });

  test.each([0, 20])(
    'after it was created, with %i bytes of the answer: it is taken over',
    async (resetAfter) => {
      await using proxy = await behind(async (request, forward) => ({
        ...(await forward(request)),
        resetAfter,
      }));
      const group = create('Group', { displayName: 'new' }, members(['u1']));
      const outcome = await writtenOne(at(proxy), group);
      const created = contents.groups.filter(({ displayName }) => displayName === 'new');
      expect(created).toHaveLength(1);
      expect(outcome).toMatchObject({ state: 'applied', id: created[0]?.id });
      // Looked for before, since group names are nobody's own, and after.
      expect(asked(proxy)).toEqual(['GET Groups', 'POST Groups', 'GET Groups']);
    },
  );

  test('in the middle of a change: it is sent again, for it says the same twice', async () => {
    await using proxy = await behind(async (request, forward, number) => {
      if (number === 1) return { status: 0, body: '', resetAfter: 0 };
      const answer = await forward(request);
      return number === 2 ? { ...answer, resetAfter: 0 } : answer;
    });
    expect(await writtenOne(at(proxy), titled('u0', 'Dr'))).toMatchObject({ state: 'applied' });
    expect(titles()[5]).toBe('Dr');
    expect(asked(proxy).filter((each) => each.startsWith('PATCH'))).toHaveLength(3);
  });

  test('after members were added: it is looked first, so that none is there twice', async () => {
    await using proxy = await behind(async (request, forward, number) => {
      const answer = await forward(request);
      return number === 1 ? { ...answer, resetAfter: 0 } : answer;
    });
    const change = update('Group', 'g', {}, members(['u2', 'u3'], ['u1']));
    expect(await writtenOne(at(proxy), change)).toMatchObject({ state: 'applied' });
    expect(asked(proxy)).toEqual(['PATCH Groups/g', 'GET Groups/g']);
    expect(contents.groups[0]).toMatchObject({ members: [{ value: 'u2' }, { value: 'u3' }] });
  });

  test('after something was deleted: it is gone', async () => {
    await using proxy = await behind(async (request, forward, number) => {
      const answer = await forward(request);
      return number === 1 ? { ...answer, resetAfter: 0 } : answer;
    });
    expect(await writtenOne(at(proxy), remove('User', 'u0'))).toMatchObject({ state: 'applied' });
    expect(asked(proxy)).toEqual(['DELETE Users/u0', 'DELETE Users/u0']);
  });

  test('again and again, while the rest of the service answers: this write fails, no other', async () => {
    await using proxy = await behind((request, forward) =>
      request.url.pathname.endsWith('/g')
        ? { status: 0, body: '', resetAfter: 0 }
        : forward(request),
    );
    const outcomes = await written(at(proxy), [
      update('Group', 'g', {}, members(['u2'])),
      titled('u0', 'Dr'),
    ]);
    expect(outcomes).toMatchObject([
      { state: 'failed', code: 'TargetUnavailable' },
      { state: 'applied' },
    ]);
  });
});

describe('a busy service', () => {
  test('429 is waited for as long as it says, and a creation was not done then', async () => {
    const clock = testClock();
    await using proxy = await behind((request, forward, number) =>
      number === 1 ? { status: 429, headers: { 'retry-after': '7' }, body: '' } : forward(request),
    );
    const outcome = await writtenOne(at(proxy), create('User', { userName: 'new' }), { clock });
    expect(outcome).toMatchObject({ state: 'applied' });
    expect(clock.waits).toEqual([7000]);
    expect(asked(proxy)).toEqual(['POST Users', 'POST Users']);
  });

  test('who asks to wait is left alone by the other writes, too', async () => {
    // Time stands still, so that every wait is one.
    const clock = testClock();
    const { now } = clock;
    const start = now();
    const still = { ...clock, now: () => start };
    let toldToWait = () => {};
    const isTold = new Promise<void>((resolve) => {
      toldToWait = resolve;
    });
    let isFirst = true;
    await using proxy = await behind(async (request, forward) => {
      if (request.url.pathname.endsWith('u0') && isFirst) {
        isFirst = false;
        return { status: 429, headers: { 'retry-after': '7' }, body: '' };
      }
      if (request.url.pathname.endsWith('u0')) toldToWait();
      if (request.url.pathname.endsWith('u1')) await isTold;
      return await forward(request);
    });
    const writes = ['u0', 'u1', 'u2'].map((id) => titled(id, 'Dr'));
    const outcomes = await written(at(proxy), writes, { clock: still, concurrency: 2 });
    expect(outcomes.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied']);
    // The one that was told, its turn, and the turn of the one that begins afterwards.
    expect(clock.waits).toEqual([7000, 7000, 7000]);
  });

  test('503 passes', async () => {
    const clock = testClock();
    await using proxy = await behind((request, forward, number) =>
      number === 1 ? { status: 503, body: '' } : forward(request),
    );
    const outcomes = await written(at(proxy), [titled('u0', 'Dr'), titled('u1', 'Dr')], { clock });
    expect(outcomes).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect(clock.waits).toHaveLength(1);
  });

  test('a service that promised so many requests a second is sent no more writes than that', async () => {
    const clock = testClock();
    await using proxy = await behind((request, forward) => forward(request));
    const writes = ['u0', 'u1', 'u2'].map((id) => titled(id, 'Dr'));
    await written(at(proxy), writes, { clock, settings: { requestsPerSecond: 4 } });
    expect(proxy.requests).toHaveLength(3 + 3);
    expect(clock.waits).toEqual(Array(5).fill(250));
  });

  test('no more writes are under way at once than are allowed, and no fewer', async () => {
    let underWay = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    await using proxy = await behind(async (request, forward) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        // The third one lets them all go; a fourth would not come before.
        if (waiting.length % 3 === 0) for (const go of waiting.splice(0)) go();
      });
      const answer = await forward(request);
      underWay -= 1;
      return answer;
    });
    const writes = contents.users.map(({ id }) => titled(id, 'Dr'));
    const outcomes = await written(at(proxy), writes, { concurrency: 3 });
    expect(outcomes.map(({ state }) => state)).toEqual(Array(6).fill('applied'));
    expect(most).toBe(3);
  });
});

describe('a service that is down', () => {
  test('ends the run after its retries, and the other writes are not tried', async () => {
    const proxy = await openProxy(server.url.replace('/scim', ''), (request, forward) =>
      request.method === 'PATCH' || isDown ? die() : forward(request),
    );
    let isDown = false;
    const die = () => {
      isDown = true;
      return { status: 502, body: '' };
    };
    await using _ = proxy;
    const outcomes: number[] = [];
    const writes = [titled('u0', 'Dr'), titled('u1', 'Dr'), titled('u2', 'Dr')];
    const error = await givenUp(
      written(at(proxy), writes, { onOutcome: async ({ nth }) => void outcomes.push(nth) }),
    );
    expect(error).toMatch(/^TargetUnavailable \[service\]: localhost:\d+: .* \(502\)$/);
    expect(outcomes).toEqual([]);
    const patched = proxy.requests.filter((each) => each.startsWith('PATCH'));
    expect(patched).toEqual(Array(6).fill('PATCH /scim/Users/u0'));
  });

  test('as a whole from the beginning is told as such', async () => {
    const proxy = await openProxy(server.url);
    await proxy[Symbol.asyncDispose]();
    expect(await givenUp(written(proxy.url, [titled('u0', 'Dr')]))).toMatch(
      /^TargetUnavailable \[TCP\]: localhost:\d+: the connection failed \(ECONNREFUSED\)$/,
    );
  });

  test('for writes only is given up after five in vain', async () => {
    await using proxy = await behind(() => ({ status: 500, body: '' }));
    const outcomes: number[] = [];
    const writes = contents.users.map(({ id }) => titled(id, 'Dr'));
    const error = await givenUp(
      written(at(proxy), writes, { onOutcome: async ({ nth }) => void outcomes.push(nth) }),
    );
    expect(error).toContain('TargetUnavailable [service]');
    expect(outcomes).toEqual([0, 1, 2, 3]);
  });
});

describe('credentials', () => {
  test('a token that ends in mid-run is renewed once', async () => {
    await using oauth = await startOauthServer();
    await using proxy = await openProxy(
      server.url.replace('/scim', ''),
      async (request, forward) => {
        if (!(await oauth.accepts(request.headers['authorization'])))
          return { status: 401, body: '' };
        const headers = { ...request.headers, authorization: 'Bearer right-token' };
        return await forward({ ...request, headers });
      },
    );
    const auth = {
      type: 'oauth2-client-credentials' as const,
      tokenEndpoint: oauth.tokenEndpoint,
      ...client,
      scope: 'scim.read',
      method: 'client_secret_basic' as const,
    };
    const outcomes = await written(
      at(proxy),
      [titled('u0', 'Dr'), create('User', { userName: 'new' }), titled('u1', 'Dr')],
      {
        settings: { auth },
        onOutcome: async ({ nth }) => {
          if (nth === 0) await oauth.revokeAll();
        },
      },
    );
    expect(outcomes.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied']);
    expect(oauth.asked).toHaveLength(2);
    expect(names('new')).toHaveLength(1);
  });

  test('that are refused end the run', async () => {
    const settings = { auth: { type: 'bearer', token: 'wrong' } as const };
    expect(await givenUp(written(server.url, [titled('u0', 'Dr')], { settings }))).toMatch(
      /^SourceAuthenticationFailed \[authentication\]/,
    );
  });

  test('that lack the right to one write fail that one', async () => {
    await using proxy = await behind((request, forward, number) =>
      number === 1
        ? { status: 403, body: JSON.stringify({ detail: 'not that one', scimType: 'sensitive' }) }
        : forward(request),
    );
    expect(await written(at(proxy), [titled('u0', 'Dr'), titled('u1', 'Dr')])).toMatchObject([
      {
        state: 'failed',
        code: 'TargetRefused',
        message: 'the change of a User is refused (403, sensitive): not that one',
      },
      { state: 'applied' },
    ]);
  });
});

test('when the job is aborted, what is under way ends, and nothing new begins', async () => {
  const controller = new AbortController();
  await using proxy = await behind((request, forward) => {
    controller.abort();
    return forward(request);
  });
  const outcomes: unknown[] = [];
  const writing = written(at(proxy), [titled('u0', 'Dr'), titled('u1', 'Dr')], {
    signal: controller.signal,
    onOutcome: async (outcome) => void outcomes.push(outcome),
  });
  await expect(writing).rejects.toThrow(/abort/i);
  expect(outcomes).toMatchObject([{ state: 'applied', nth: 0 }]);
  expect(asked(proxy)).toEqual(['PATCH Users/u0']);
});

test('an outcome that cannot be taken ends the run', async () => {
  await using proxy = await behind((request, forward) => forward(request));
  const writing = written(at(proxy), [titled('u0', 'Dr'), titled('u1', 'Dr')], {
    onOutcome: async () => {
      throw new Error('the store is gone');
    },
  });
  await expect(writing).rejects.toThrow('the store is gone');
  expect(asked(proxy)).toEqual(['PATCH Users/u0']);
});

test('an error in one slot lets the others end what they are at, and begin nothing', async () => {
  let lost = () => {};
  const isLost = new Promise<void>((resolve) => {
    lost = resolve;
  });
  await using proxy = await behind(async (request, forward) => {
    if (!request.url.pathname.endsWith('u0')) await isLost;
    return await forward(request);
  });
  const ended: number[] = [];
  const writing = written(
    at(proxy),
    ['u0', 'u1', 'u2'].map((id) => titled(id, 'Dr')),
    {
      concurrency: 2,
      onOutcome: async ({ nth }) => {
        ended.push(nth);
        if (nth !== 0) return;
        setImmediate(lost);
        throw new Error('the store is gone');
      },
    },
  );
  await expect(writing).rejects.toThrow('the store is gone');
  expect(ended).toEqual([0, 1]);
  expect(asked(proxy).toSorted()).toEqual(['PATCH Users/u0', 'PATCH Users/u1']);
});

test('a write is never led to another host, nor made into something else', async () => {
  await using elsewhere = await openProxy(server.url);
  for (const status of [302, 307]) {
    await using proxy = await behind(() => ({
      status,
      headers: { location: `${elsewhere.url}/Users/u0` },
      body: '',
    }));
    expect(await writtenOne(at(proxy), titled('u0', 'Dr'))).toMatchObject({
      state: 'failed',
      code: 'TargetRefused',
    });
  }
  expect(elsewhere.asked).toEqual([]);
  await using proxy = await behind((request, forward) =>
    request.url.pathname.endsWith('u0')
      ? { status: 302, headers: { location: '/scim/Users/u1' }, body: '' }
      : forward(request),
  );
  expect(await writtenOne(at(proxy), titled('u0', 'Dr'))).toMatchObject({
    state: 'failed',
    message: 'the change of a User redirects a write (302)',
  });
  expect(titles()).toEqual(Array(6).fill('none'));
});
