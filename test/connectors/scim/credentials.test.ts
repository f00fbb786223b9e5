/** Who a SCIM connector is: a real OAuth 2.0 server before a real SCIM server, tokens that end, and basic credentials. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScimAuthentication } from '../../../engine/scim-settings.ts';
import { openProxy } from '../../support/scim/faulty-proxy.ts';
import { client, type OauthServer, startOauthServer } from '../../support/scim/oauth-server.ts';
import {
  exported,
  refused,
  scimConnector,
  testClock,
  users,
} from '../../support/scim/scim-system.ts';
import { type ScimmyServer, startScimmyServer } from '../../support/scim/scimmy-server.ts';

let scim: ScimmyServer;
let oauth: OauthServer;
const contents = {
  users: Array.from({ length: 12 }, (_, index) => ({
    id: `u${index}`,
    userName: `user${index}`,
    meta: { created: new Date(0), lastModified: new Date(0) },
  })),
  groups: [],
};
beforeAll(async () => {
  [scim, oauth] = await Promise.all([startScimmyServer(contents), startOauthServer()]);
});
afterAll(async () => {
  await scim[Symbol.asyncDispose]();
  await oauth[Symbol.asyncDispose]();
});

type Oauth = Extract<ScimAuthentication, { type: 'oauth2-client-credentials' }>;

const credentials = (changed: Partial<Oauth> = {}): Oauth => ({
  type: 'oauth2-client-credentials',
  tokenEndpoint: oauth.tokenEndpoint,
  ...client,
  scope: 'scim.read',
  method: 'client_secret_basic',
  ...changed,
});

const small = { overrides: { pageSize: 5 } };

/** The SCIM server, which lets in whoever has a token of the OAuth server. */
async function guarded(
  server: OauthServer,
  before: (number: number) => Promise<void> = async () => {},
) {
  return await openProxy(scim.url.replace('/scim', ''), async (request, forward, number) => {
    await before(number);
    if (!(await server.accepts(request.headers['authorization'])))
      return { status: 401, body: '{}' };
    return forward({
      ...request,
      headers: { ...request.headers, authorization: 'Bearer right-token' },
    });
  });
}

test.each(['client_secret_basic', 'client_secret_post'] as const)(
  '%s: one token does for the run',
  async (method) => {
    await using proxy = await guarded(oauth);
    const before = oauth.asked.length;
    const clientId = method === 'client_secret_post' ? 'poster' : client.clientId;
    const auth = credentials({ method, clientId });
    const [rows] = await exported(scimConnector(`${proxy.url}/scim`, { auth, ...small }), users());
    expect(rows).toHaveLength(13);
    expect(oauth.asked.slice(before)).toEqual([
      method === 'client_secret_post' ? 'body' : 'header',
    ]);
    expect(new Set(proxy.authorizations).size).toBe(1);
  },
);

test('a token that is refused in mid-run is renewed, once for each refusal', async () => {
  await using proxy = await guarded(oauth, async (number) => {
    if (number === 6) await oauth.revokeAll();
  });
  const before = oauth.asked.length;
  const auth = credentials();
  const [rows] = await exported(scimConnector(`${proxy.url}/scim`, { auth, ...small }), users());
  expect(rows).toHaveLength(13);
  expect(oauth.asked.length - before).toBe(2);
  // The refused request was sent again with the new token.
  expect(proxy.asked[5]).toBe(proxy.asked[6]);
  expect(proxy.authorizations[5]).not.toBe(proxy.authorizations[6]);
});

test('a token is renewed before it ends, so that none is refused', async () => {
  await using shortLived = await startOauthServer({ lifeSeconds: 100 });
  const clock = testClock();
  const statuses: number[] = [];
  await using proxy = await openProxy(
    scim.url.replace('/scim', ''),
    async (request, forward, number) => {
      // A tenth of its life is kept in reserve.
      if (number === 4) clock.advance(89_000);
      if (number === 5) clock.advance(2000);
      const headers = { ...request.headers, authorization: 'Bearer right-token' };
      const answer = await forward({ ...request, headers });
      statuses.push(answer.status);
      return answer;
    },
  );
  const auth = credentials({ tokenEndpoint: shortLived.tokenEndpoint });
  await exported(scimConnector(`${proxy.url}/scim`, { auth, ...small }, clock), users());
  const [, , , , fifth, sixth] = proxy.authorizations;
  expect(new Set(proxy.authorizations.slice(0, 5)).size).toBe(1);
  expect(sixth).not.toBe(fifth);
  expect(shortLived.asked).toHaveLength(2);
  expect(statuses).not.toContain(401);
});

test('a service that refuses every token is not asked for ever', async () => {
  await using proxy = await openProxy(scim.url, () => ({ status: 401, body: '{}' }));
  const before = oauth.asked.length;
  expect(await refused(scimConnector(proxy.url, { auth: credentials() }), users())).toMatch(
    /^SourceAuthenticationFailed \[authentication\]: localhost:\d+ refuses the credentials \(401\)$/,
  );
  expect(proxy.asked).toHaveLength(2);
  expect(oauth.asked.length - before).toBe(2);
});

test('what the token endpoint refuses is told apart: client, scope, itself', async () => {
  await using proxy = await guarded(oauth);
  const read = async (changed: Partial<Oauth>) => {
    const auth = credentials(changed);
    const said = await refused(scimConnector(`${proxy.url}/scim`, { auth }), users());
    for (const secret of [auth.clientId, auth.clientSecret]) expect(said).not.toContain(secret);
    return said;
  };
  expect(await read({ clientSecret: 'wrong' })).toBe(
    'SourceAuthenticationFailed [authentication]: the token endpoint gave no token (401, invalid_client)',
  );
  expect(await read({ scope: 'scim.write' })).toBe(
    'SourceAuthenticationFailed [scope]: the token endpoint gave no token (400, invalid_scope)',
  );
  expect(await read({ tokenEndpoint: `${oauth.tokenEndpoint}/not` })).toBe(
    'SourceAuthenticationFailed [authentication]: the token endpoint gave no token (404)',
  );
  expect(await read({ tokenEndpoint: 'https://nowhere.invalid/token' })).toBe(
    'SourceUnavailable [DNS]: nowhere.invalid: its name cannot be resolved',
  );
  expect(proxy.asked).toEqual([]);
});

test('basic credentials are sent as they are, beyond ASCII too', async () => {
  await using server = await startScimmyServer(contents, { user: ['réader', 'pass:wörd'] });
  const auth = { type: 'basic', user: 'réader', password: 'pass:wörd' } as const;
  expect((await exported(scimConnector(server.url, { auth }), users()))[0]).toHaveLength(13);
  const wrong = { ...auth, password: 'password' };
  expect(await refused(scimConnector(server.url, { auth: wrong }), users())).toContain('(401)');
});

test('with type none nothing is sent, and a service that wants more says 401', async () => {
  await using proxy = await openProxy(scim.url.replace('/scim', ''));
  const auth = { type: 'none' } as const;
  expect(await refused(scimConnector(`${proxy.url}/scim`, { auth }), users())).toContain('(401)');
  expect(proxy.authorizations).toEqual([undefined]);
});
