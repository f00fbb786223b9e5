/** SCIM 1.1: a real server's resources, told in the words of the older version by a proxy, for want of a server of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type FaultyProxy,
  openProxy,
  type ProxiedAnswer,
} from '../../support/scim/faulty-proxy.ts';
import {
  exported,
  groups,
  memberships,
  refused,
  scimConnector,
  users,
} from '../../support/scim/scim-system.ts';
import { type ScimmyServer, startScimmyServer } from '../../support/scim/scimmy-server.ts';

const enterprise = 'urn:scim:schemas:extension:enterprise:1.0';
const core = 'urn:scim:schemas:core:1.0';

let server: ScimmyServer;
beforeAll(async () => {
  const meta = { created: new Date(0), lastModified: new Date(0) };
  const latest = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  server = await startScimmyServer({
    users: Array.from({ length: 7 }, (_, index) => ({
      id: `u${index}`,
      userName: `user${index}`,
      emails: [{ value: `${index}@work`, type: 'work' }],
      [latest]: { department: `d${index}` },
      meta,
    })),
    groups: [{ id: 'g1', displayName: 'one', members: [{ value: 'u1' }, { value: 'u2' }], meta }],
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const attribute = (name: string, more: object = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  schema: core,
  caseExact: false,
  ...more,
});

/** RFC-less, but in draft-ietf-scim-core-schema-01: schemas say where their resources are. */
const schemas = [
  {
    id: `${core}:User`,
    name: 'User',
    schema: core,
    endpoint: '/Users',
    attributes: [
      attribute('userName'),
      attribute('emails', {
        type: 'complex',
        multiValued: true,
        multiValuedAttributeChildName: 'email',
        subAttributes: [attribute('value'), attribute('type')],
      }),
      attribute('department', { schema: enterprise }),
    ],
  },
  {
    id: `${core}:Group`,
    name: 'Group',
    schema: core,
    endpoint: '/Groups',
    attributes: [
      attribute('displayName'),
      attribute('members', { type: 'complex', multiValued: true }),
    ],
  },
];

const json = (body: object): ProxiedAnswer => ({ status: 200, body: JSON.stringify(body) });

/** Everything below `/v1`; what only version 2.0 has is not there. */
async function olderService(): Promise<FaultyProxy> {
  return await openProxy(server.url, async (request, forward) => {
    const path = request.url.pathname;
    if (request.headers['authorization'] !== 'Bearer right-token') return { status: 401, body: '' };
    if (path === '/v1/ServiceProviderConfigs') {
      const off = { supported: false };
      return json({
        schemas: [core],
        patch: off,
        bulk: off,
        filter: { supported: true, maxResults: 3 },
      });
    }
    if (path === '/v1/Schemas')
      return json({ totalResults: 2, schemas: [core], Resources: schemas });
    if (!/^\/v1\/(Users|Groups)$/.test(path)) return { status: 404, body: '<html>' };
    const url = new URL(request.url);
    url.pathname = path.slice(3);
    const latest = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const answer = await forward({ ...request, url });
    return { ...answer, body: answer.body.replaceAll(latest, enterprise) };
  });
}

test.each(['', '/v1'])(
  'auto finds version 1.1 at “%s”, and reads users, groups and members',
  async (end) => {
    await using service = await olderService();
    const [people, teams, members] = await exported(
      // The server behind it does not know the older names of extensions.
      scimConnector(`${service.url}${end}`, { quirks: ['no-attribute-selection'] }),
      users('emails[type eq "work"].value', `${enterprise}:department`),
      groups(),
      memberships(),
    );
    expect(people).toHaveLength(8);
    expect(people?.[3]).toEqual(['u2', 'user2', '2@work', 'd2']);
    expect(teams?.slice(1)).toEqual([['g1', 'one']]);
    expect(members?.slice(1)).toEqual([
      ['one', 'user1'],
      ['one', 'user2'],
    ]);
    expect(service.asked.some((path) => path.includes('ResourceTypes'))).toBe(false);
  },
);

test('version 1.1 can be said, and then only it is looked for', async () => {
  await using service = await olderService();
  const connector = scimConnector(`${service.url}/v1`, { version: '1.1' });
  expect((await exported(connector, users()))[0]).toHaveLength(8);
  expect(service.asked.some((path) => path.endsWith('/ServiceProviderConfig'))).toBe(false);
});

test('paths are checked against its schemas, extensions too', async () => {
  await using service = await olderService();
  const connector = scimConnector(service.url);
  expect(await refused(connector, users('emails.valeu'))).toContain('the nearest is “value”');
  expect(await refused(connector, users(`${enterprise}:departement`))).toContain(
    'the nearest is “department”',
  );
});
