/** What a test of the connection to a SCIM service tries, rather than believe what the service says of itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Source } from '../../../engine/source.ts';
import { changed, type Intercept, openProxy } from '../../support/scim/faulty-proxy.ts';
import { groups, memberships, scimConnector, users } from '../../support/scim/scim-system.ts';
import { type ScimmyServer, startScimmyServer } from '../../support/scim/scimmy-server.ts';

let server: ScimmyServer;
const meta = { created: new Date(0), lastModified: new Date('2026-03-29T01:30:00.250Z') };
beforeAll(async () => {
  server = await startScimmyServer({
    users: ['u1', 'u2', 'u3'].map((id) => ({ id, userName: `${id}-canary`, meta })),
    groups: [{ id: 'g1', displayName: 'canary', members: [{ value: 'u1' }], meta }],
  });
});
afterAll(() => server[Symbol.asyncDispose]());

async function tested(intercept: Intercept, ...sources: Source[]) {
  await using proxy = await openProxy(server.url.replace('/scim', ''), intercept);
  const connector = scimConnector(`${proxy.url}/scim`, { quirks: ['members-one-by-one'] });
  const facts = await connector.test({ sources, signal: new AbortController().signal });
  expect(JSON.stringify(facts)).not.toContain('canary');
  return { ...facts, asked: proxy.asked };
}
const isFiltered = ({ url }: { url: URL }) => url.searchParams.has('filter');

test('it tells where it answers, how many there are, whether changes can be asked for, and the quirks', async () => {
  const facts = await tested(
    (request, forward) => forward(request),
    users(),
    groups(),
    memberships(),
  );
  expect(facts.probed).toEqual({
    address: expect.stringMatching(/^http:\/\/localhost:\d+\/scim$/),
    User: '3 of them',
    'User by lastModified': 'the filter works',
    Group: '1 of them',
    'Group by lastModified': 'the filter works',
  });
  expect(facts.quirks).toEqual(['members-one-by-one']);
  // No page is larger than one resource.
  const lists = facts.asked.filter((path) => /Users|Groups/.test(path));
  expect(lists.every((path) => path.includes('count=1&') || path.endsWith('count=1'))).toBe(true);
});

test.each<[string, Intercept]>([
  [
    'the filter is not heeded',
    (request, forward) => {
      const url = new URL(request.url);
      url.searchParams.delete('filter');
      return forward({ ...request, url });
    },
  ],
  [
    'the filter is refused',
    (request, forward) =>
      isFiltered(request)
        ? { status: 400, body: '{"scimType":"invalidFilter"}' }
        : forward(request),
  ],
  [
    'the filter is refused',
    (request, forward) => (isFiltered(request) ? { status: 403, body: '{}' } : forward(request)),
  ],
  [
    'the filter does not find who is there',
    async (request, forward) =>
      isFiltered(request)
        ? changed(await forward(request), (list) => ({ ...list, totalResults: 0, Resources: [] }))
        : forward(request),
  ],
  [
    'no stamp, or one without a zone',
    async (request, forward) => {
      const answer = await forward(request);
      return request.url.pathname.endsWith('/Users')
        ? changed(answer, (list) => ({
            ...list,
            Resources: list.Resources.map((user) => ({ ...user, meta: {} })),
          }))
        : answer;
    },
  ],
  [
    'nobody to try it with',
    async (request, forward) => {
      const answer = await forward(request);
      return request.url.pathname.endsWith('/Users')
        ? changed(answer, (list) => ({ ...list, totalResults: 0, Resources: [] }))
        : answer;
    },
  ],
])('of changes it says: %s', async (outcome, intercept) => {
  const { probed } = await tested(intercept, users());
  expect(probed?.['User by lastModified']).toBe(outcome);
});

test('where the service does not filter nothing is tried', async () => {
  const { probed } = await tested(async (request, forward) => {
    const answer = await forward(request);
    return request.url.pathname.endsWith('/ServiceProviderConfig')
      ? changed(answer, (config) => ({ ...config, filter: { supported: false } }))
      : answer;
  }, users());
  expect(Object.keys(probed ?? {})).toEqual(['address', 'User']);
});
