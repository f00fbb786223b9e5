/** SCIM 1.1: a real server's resources, told in the words of the older version by a proxy, for want of a server of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enterprise, startOlderService } from '../../support/scim/older-service.ts';
import {
  exported,
  groups,
  memberships,
  refused,
  scimConnector,
  users,
} from '../../support/scim/scim-system.ts';
import { type ScimmyServer, startScimmyServer } from '../../support/scim/scimmy-server.ts';

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

test.each(['', '/v1'])(
  'auto finds version 1.1 at “%s”, and reads users, groups and members',
  async (end) => {
    await using service = await startOlderService(server);
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
  await using service = await startOlderService(server);
  const connector = scimConnector(`${service.url}/v1`, { version: '1.1' });
  expect((await exported(connector, users()))[0]).toHaveLength(8);
  expect(service.asked.some((path) => path.endsWith('/ServiceProviderConfig'))).toBe(false);
});

test('paths are checked against its schemas, extensions too', async () => {
  await using service = await startOlderService(server);
  const connector = scimConnector(service.url);
  expect(await refused(connector, users('emails.valeu'))).toContain('the nearest is “value”');
  expect(await refused(connector, users(`${enterprise}:departement`))).toContain(
    'the nearest is “department”',
  );
});
