/** The SCIM connector against scim2-server, a real server in another process: paging, members, what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultyProxy, openProxy } from '../../support/scim/faulty-proxy.ts';
import {
  exported,
  groups,
  memberships,
  refused,
  resources,
  scimConnector,
  users,
} from '../../support/scim/scim-system.ts';
import {
  hasScim2Server,
  type Scim2Server,
  startScim2Server,
} from '../../support/scim/scim2-server.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const numberOfUsers = 200;
const pageSize = 50;

// Installed by `node local/setup.js --tests`.
describe.skipIf(!hasScim2Server)('scim2-server', { timeout: 30_000 }, () => {
  let server: Scim2Server;
  let withCursors: Scim2Server;
  let ids: string[];

  beforeAll(async () => {
    [server, withCursors] = await Promise.all([
      startScim2Server({ pagination: { cursor: false, maxPageSize: pageSize } }),
      startScim2Server({ pagination: { cursor: true, maxPageSize: 60 } }),
    ]);
    const all = Array.from({ length: numberOfUsers }, (_, index) => ({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise],
      userName: `user${index}`,
      name: { givenName: 'Zoé', familyName: `"Łęcka", ${index}` },
      emails: [
        { value: `home${index}@example.org`, type: 'home' },
        { value: `user${index}@example.org`, type: 'work', primary: true },
      ],
      active: index % 2 === 0,
      [enterprise]: { employeeNumber: `${index}` },
    }));
    ids = await server.create('/Users', all);
    await withCursors.create('/Users', all.slice(0, 130));
    const members = (from: number, to: number) =>
      ids.slice(from, to).map((value) => ({ value, type: 'User' }));
    const [inner] = await server.create('/Groups', [
      { displayName: 'inner', members: members(0, 3) },
    ]);
    await server.create('/Groups', [
      {
        displayName: 'outer',
        members: [...members(3, 5), { value: inner, type: 'Group' }],
      },
      { displayName: 'nobody' },
    ]);
  }, 60_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await withCursors?.[Symbol.asyncDispose]();
  });

  /** A proxy that only notes what is asked. */
  const watched = (): Promise<FaultyProxy> => openProxy(server.url);

  test('all users are read in pages that are smaller than what there is', async () => {
    await using proxy = await watched();
    const [rows] = await exported(
      scimConnector(proxy.url),
      users(
        'name.givenName',
        'emails[type eq "work"].value',
        'active',
        `${enterprise}:employeeNumber`,
      ),
    );
    expect(rows).toHaveLength(numberOfUsers + 1);
    expect(rows?.[0]).toEqual([
      'id',
      'userName',
      'name.givenName',
      'emails[type eq "work"].value',
      'active',
      `${enterprise}:employeeNumber`,
    ]);
    expect(rows?.find(([, userName]) => userName === 'user7')).toEqual([
      ids[7],
      'user7',
      'Zoé',
      'user7@example.org',
      'false',
      '7',
    ]);
    // Configuration, types and schemas; five pages of 50, each with one of the page before; one look past the end.
    expect(proxy.asked).toHaveLength(3 + 5 + 1);
  });

  test('only the mapped attributes are asked for, members by name', async () => {
    await using proxy = await watched();
    await exported(scimConnector(proxy.url), users('name.familyName'), groups(), memberships());
    const lists = proxy.asked.filter((path) => /^\/v?2?\/?(Users|Groups)/.test(path));
    const attributes = lists.map((path) =>
      new URL(path, 'http://any').searchParams.get('attributes'),
    );
    expect([...new Set(attributes)]).toEqual(['userName,name', 'displayName,members']);
  });

  test.each(['/v2', '', '/v2/', '/'])('the endpoint may end in “%s”', async (end) => {
    const [rows] = await exported(scimConnector(`${server.url}${end}`), groups());
    expect(rows?.map(([, name]) => name).sort()).toEqual([
      'displayName',
      'inner',
      'nobody',
      'outer',
    ]);
  });

  test('memberships are pairs of keys, and hold the members of their own type alone', async () => {
    const subgroups = memberships({ member: { resourceType: 'Group', key: 'displayName' } });
    const both = await exported(scimConnector(server.url), memberships(), {
      ...subgroups,
      name: 'Group.members subgroups',
    });
    expect(both).toEqual([
      [
        ['displayName', 'members.userName'],
        ['inner', 'user0'],
        ['inner', 'user1'],
        ['inner', 'user2'],
        ['outer', 'user3'],
        ['outer', 'user4'],
      ],
      [
        ['displayName', 'members.displayName'],
        ['outer', 'inner'],
      ],
    ]);
  });

  test('a reference by id becomes the key that its target is known by, wherever in the list that is', async () => {
    const path = `${enterprise}:manager.value`;
    await using proxy = await openProxy(server.url, async (request, forward) => {
      const answer = await forward(request);
      if (!request.url.pathname.endsWith('/Users')) return answer;
      const list = JSON.parse(answer.body);
      // Everybody's manager is the last created.
      for (const user of list.Resources) user[enterprise] = { manager: { value: ids.at(-1) } };
      return { ...answer, body: JSON.stringify(list) };
    });
    const target = { resourceType: 'User', key: 'userName' };
    const [rows = []] = await exported(
      scimConnector(proxy.url),
      resources('User', ['userName', path], [{ path, target }]),
    );
    const managers = new Set(rows.slice(1).map(([, , manager]) => manager));
    expect([...managers]).toEqual([`user${numberOfUsers - 1}`]);
  });

  test('a service with cursors is read by cursor, unless it is overridden', async () => {
    await using proxy = await openProxy(withCursors.url);
    const read = (paging?: 'index') =>
      exported(scimConnector(proxy.url, { overrides: { paging } }), users());
    const byCursor = await read();
    const cursors = proxy.asked.filter((path) => path.includes('cursor='));
    expect(byCursor[0]).toHaveLength(131);
    expect(cursors).toHaveLength(3);
    expect(await read('index')).toEqual(byCursor);
    expect(proxy.asked.filter((path) => path.includes('cursor='))).toHaveLength(3);
  });

  test('a path that the schemas do not have stops the export, with the nearest that they have', async () => {
    await using proxy = await watched();
    const connector = scimConnector(proxy.url);
    expect(await refused(connector, users('nickname.first', 'name.givnName'))).toBe(
      'SourceColumnMissing [schema]: User has no “nickname.first”: “nickname” has no part “first”',
    );
    expect(await refused(connector, users('name.givnName'))).toBe(
      'SourceColumnMissing [schema]: User has no “name.givnName”: “name” has no part “givnName”; the nearest is “givenName”',
    );
    expect(await refused(connector, users('emials.value'))).toContain('the nearest is “emails”');
    expect(await refused(connector, users('emails[typ eq "work"].value'))).toContain(
      'has no part “typ”; the nearest is “type”',
    );
    expect(await refused(connector, users(`${enterprise}:department2`))).toContain(
      'the nearest is “department”',
    );
    expect(await refused(connector, users('urn:example:2.0:User:badge'))).toContain(
      `there is no schema urn:example:2.0:User; the nearest is “${enterprise}”`,
    );
    expect(await refused(connector, users('name'))).toContain('consists of parts');
    expect(proxy.asked.some((path) => path.includes('/Users'))).toBe(false);
  });

  test('a resource type that the service does not have stops the export', async () => {
    expect(await refused(scimConnector(server.url), resources('Robot', ['name']))).toBe(
      'SourceUnreadable [schema]: the service has no resource type Robot; it has User, Group',
    );
  });

  test('a wrong token is refused, and said to be', async () => {
    const auth = { type: 'bearer', token: 'wrong' } as const;
    expect(await refused(scimConnector(server.url, { auth }), users())).toMatch(
      /^SourceAuthenticationFailed \[authentication\]: 127\.0\.0\.1:\d+ refuses the credentials \(401\)$/,
    );
  });

  test('users are read while the list of groups does not answer', async () => {
    await using proxy = await openProxy(server.url, (request, forward) =>
      request.url.pathname.includes('/Groups')
        ? { status: 500, body: 'no groups today' }
        : forward(request),
    );
    const [rows] = await exported(scimConnector(proxy.url), users());
    expect(rows).toHaveLength(numberOfUsers + 1);
    expect(proxy.asked.some((path) => path.includes('/Groups'))).toBe(false);
    expect(await refused(scimConnector(proxy.url), users(), groups())).toContain(
      'SourceUnavailable [service]: ',
    );
  });

  test('a user who is deleted while the list is read is noticed, though another one came', async () => {
    let pages = 0;
    await using proxy = await openProxy(server.url, async (request, forward) => {
      const answer = await forward(request);
      if (request.url.pathname.endsWith('/Users') && ++pages === 1) {
        const { Resources } = JSON.parse(answer.body);
        await server.remove('/Users', Resources[3].id);
        await joinAfter(Resources.at(-1).id);
      }
      return answer;
    });
    expect(await refused(scimConnector(proxy.url), users())).toBe(
      'SourceIncomplete [service]: the list of User changed while it was read, or is in another order every time',
    );
  });

  /** The server sorts by id, and its ids are random: one is made that comes later in the list. */
  async function joinAfter(last: string): Promise<void> {
    for (;;) {
      const [id = ''] = await server.create('/Users', [{ userName: 'newcomer' }]);
      if (id > last) return;
      await server.remove('/Users', id);
    }
  }
});
