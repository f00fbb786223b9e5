/** What becomes of the requests of a SCIM export when the network, the service or its credentials fail. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Intercept, openProxy } from '../../support/scim/faulty-proxy.ts';
import {
  exported,
  groups,
  refused,
  scimConnector,
  testClock,
  users,
} from '../../support/scim/scim-system.ts';
import { type ScimmyServer, startScimmyServer } from '../../support/scim/scimmy-server.ts';

let server: ScimmyServer;
const numberOfUsers = 25;
const contents = {
  users: Array.from({ length: numberOfUsers }, (_, index) => ({
    id: `u${index}`,
    userName: `user${index}`,
    active: true,
    emails: [
      { value: `${index}@work`, type: 'work' },
      { value: `${index}@home`, type: 'home', primary: true },
    ],
    meta: { created: new Date(0), lastModified: new Date(0) },
  })),
  groups: [
    { id: 'g1', displayName: 'one', members: [{ value: 'u1' }, { value: 'u2' }, { value: 'g2' }] },
    { id: 'g2', displayName: 'two', members: [{ value: 'u3' }, { value: 'gone' }] },
  ],
};
beforeAll(async () => {
  server = await startScimmyServer(contents);
});
afterAll(() => server[Symbol.asyncDispose]());

const small = { overrides: { pageSize: 10 } };

/** Behind a proxy whose answers are its lists of users, changed. */
async function behind(intercept: Intercept) {
  return await openProxy(server.url.replace('/scim', ''), (request, forward, number) =>
    request.url.pathname.endsWith('/Users')
      ? intercept(request, forward, number)
      : forward(request),
  );
}

describe('requests', () => {
  test('429 is waited for as long as Retry-After says, in seconds or as a date', async () => {
    const clock = testClock();
    const until = new Date(clock.now() + 60_000).toUTCString();
    let page = 0;
    await using proxy = await behind((request, forward) => {
      page += 1;
      if (page === 1) return { status: 429, headers: { 'retry-after': '7' }, body: '' };
      if (page === 2) return { status: 503, headers: { 'retry-after': until }, body: '' };
      return forward(request);
    });
    const [rows] = await exported(scimConnector(`${proxy.url}/scim`, small, clock), users());
    expect(rows).toHaveLength(26);
    expect(clock.waits).toHaveLength(2);
    expect(clock.waits[0]).toBe(7000);
    expect(clock.waits[1]).toBeGreaterThan(52_000);
  });

  test('a service that errs again and again is given up, with growing waits between', async () => {
    const clock = testClock();
    await using proxy = await behind(() => ({ status: 502, body: 'bad gateway' }));
    expect(await refused(scimConnector(`${proxy.url}/scim`, small, clock), users())).toMatch(
      /^SourceUnavailable \[service\]: localhost:\d+: the list of User ends in an error of the service \(502\)$/,
    );
    expect(proxy.asked.filter((path) => path.includes('Users'))).toHaveLength(6);
    expect(clock.waits).toHaveLength(5);
    expect(clock.waits.at(-1)).toBeGreaterThan(3000);
  });

  test('a service that wants to be left alone for an hour is', async () => {
    const clock = testClock();
    await using proxy = await behind(() => ({
      status: 429,
      headers: { 'retry-after': '3600' },
      body: '',
    }));
    expect(await refused(scimConnector(`${proxy.url}/scim`, small, clock), users())).toContain(
      'too many requests for it (429)',
    );
    expect(clock.waits).toEqual([]);
  });

  test('a connection that is reset in mid-page is made anew', async () => {
    let page = 0;
    await using proxy = await behind(async (request, forward) => {
      page += 1;
      return { ...(await forward(request)), ...(page === 2 && { resetAfter: 100 }) };
    });
    const [rows] = await exported(scimConnector(`${proxy.url}/scim`, small), users());
    expect(rows).toHaveLength(26);
    expect(proxy.asked.filter((path) => path.includes('Users'))).toHaveLength(5);
  });

  test('a service that promised so many requests a second is asked no faster', async () => {
    const clock = testClock();
    await using proxy = await behind((request, forward) => forward(request));
    const settings = { ...small, requestsPerSecond: 4 };
    await exported(scimConnector(`${proxy.url}/scim`, settings, clock), users());
    expect(clock.waits).toEqual(Array(proxy.asked.length - 1).fill(250));
  });

  test('an answer without end is cut off', async () => {
    await using proxy = await behind(() => ({ status: 200, body: ' '.repeat((64 << 20) + 1) }));
    expect(await refused(scimConnector(`${proxy.url}/scim`), users())).toBe(
      'SourceUnreadable [service]: the list of User answers with more than 64 MiB',
    );
  });

  test('credentials do not follow a redirect to another host, and do to another path', async () => {
    await using elsewhere = await openProxy(server.url);
    await using proxy = await openProxy(server.url, (request, forward) => {
      const { pathname, search } = request.url;
      if (pathname.startsWith('/far')) {
        return { status: 307, headers: { location: `${elsewhere.url}${search}` }, body: '' };
      }
      if (pathname.startsWith('/old')) {
        const location = `${pathname.slice(4)}${search}`;
        return { status: 308, headers: { location }, body: '' };
      }
      return forward(request);
    });
    expect(await refused(scimConnector(`${proxy.url}/far`), users())).toMatch(
      /^SourceUnreadable \[service\]: \/ServiceProviderConfig redirects to another host \(localhost:\d+\)$/,
    );
    expect(elsewhere.asked).toEqual([]);
    expect((await exported(scimConnector(`${proxy.url}/old`), groups()))[0]).toHaveLength(3);
  });

  test('an export that is aborted ends while it waits', async () => {
    const controller = new AbortController();
    await using proxy = await behind(() => {
      controller.abort();
      return { status: 503, body: '' };
    });
    const { exportInto } = await import('../conformance.ts');
    const connector = scimConnector(`${proxy.url}/scim`);
    const { signal } = controller;
    await expect(exportInto(connector, [users()], async () => {}, { signal })).rejects.toThrow(
      /abort/i,
    );
  });
});

describe('whose fault it is', () => {
  test('a name that does not exist is DNS, a closed port TCP', async () => {
    expect(await refused(scimConnector('http://nowhere.invalid/scim'), users())).toBe(
      'SourceUnavailable [DNS]: nowhere.invalid: its name cannot be resolved',
    );
    const proxy = await openProxy(server.url);
    await proxy[Symbol.asyncDispose]();
    expect(await refused(scimConnector(proxy.url), users())).toMatch(
      /^SourceUnavailable \[TCP\]: localhost:\d+: the connection failed \(ECONNREFUSED\)$/,
    );
  });

  test('a certificate that nobody vouches for is TLS, until its authority is trusted', async () => {
    const file = (name: string) => join(import.meta.dirname, '../../fixtures/tls', name);
    const tls = {
      key: await readFile(file('key.pem'), 'utf8'),
      cert: await readFile(file('certificate.pem'), 'utf8'),
    };
    await using proxy = await openProxy(server.url.replace('/scim', ''), undefined, tls);
    const endpoint = `${proxy.url}/scim`;
    const distrusted =
      /^SourceUnavailable \[TLS\]: localhost:\d+: no trusted connection can be made/;
    expect(await refused(scimConnector(endpoint), users())).toMatch(distrusted);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    expect(await refused(scimConnector(endpoint), users())).toMatch(distrusted);
    vi.unstubAllEnvs();
    const ca = file('certificate.pem');
    expect((await exported(scimConnector(endpoint, { ca }), users()))[0]).toHaveLength(26);
    const other = endpoint.replace('localhost', '127.0.0.1');
    expect(await refused(scimConnector(other, { ca }), users())).toContain('[TLS]');
    expect(await refused(scimConnector(endpoint, { ca: `${ca}.absent` }), users())).toContain(
      'ConfigurationInvalid [TLS]: the file of `ca`',
    );
  });

  test('401 is authentication, 403 scope, and what is no SCIM schema', async () => {
    const auth = { type: 'bearer', token: 'wrong' } as const;
    expect(await refused(scimConnector(server.url, { auth }), users())).toMatch(
      /SourceAuthenticationFailed \[authentication\]/,
    );
    await using proxy = await behind(() => ({ status: 403, body: '{}' }));
    expect(await refused(scimConnector(`${proxy.url}/scim`), users())).toMatch(
      /^SourceAuthenticationFailed \[scope\]: localhost:\d+: the list of User is not allowed \(403\)$/,
    );
    await using other = await openProxy(server.url, () => ({ status: 404, body: 'no such page' }));
    expect(await refused(scimConnector(other.url), users())).toMatch(
      /^SourceUnreadable \[schema\]: nothing at http:\/\/localhost:\d+ answers as SCIM/,
    );
  });
});
