/** Writing to a SCIM 1.1 service, with PATCH in its words and without. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FaultyProxy } from '../../support/scim/faulty-proxy.ts';
import { enterprise, startOlderService } from '../../support/scim/older-service.ts';
import {
  create,
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

const latest = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const core = 'urn:scim:schemas:core:1.0';
const workMail = 'emails[type eq "work"].value';

describe.each([true, false])('where PATCH is offered: %s', (patches) => {
  let contents: ScimmyContents;
  let server: ScimmyServer;
  let service: FaultyProxy;
  beforeEach(async () => {
    const meta = { created: new Date(0), lastModified: new Date(0) };
    contents = {
      users: [
        {
          id: 'u0',
          userName: 'anna',
          title: 'none',
          name: { givenName: 'Anna', familyName: 'A' },
          emails: [
            { value: 'anna@work', type: 'work', display: 'At work' },
            { value: 'anna@home', type: 'home' },
          ],
          [latest]: { department: 'Sales', costCenter: '1' },
          meta,
        },
      ],
      groups: [{ id: 'g', displayName: 'g', members: [{ value: 'u1' }, { value: 'u2' }], meta }],
    };
    server = await startScimmyServer(contents);
    service = await startOlderService(server, { patches });
  });
  afterEach(async () => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const verb = patches ? 'PATCH' : 'PUT';
  const writes = () => service.requests.filter((each) => !each.startsWith('GET'));

  test('attributes, parts, elements and extensions change, and nothing else does', async () => {
    const change = update('User', 'u0', {
      title: null,
      'name.givenName': 'Anne',
      [workMail]: 'anne@work',
      [`${enterprise}:department`]: 'IT',
    });
    expect(await writtenOne(service.url, change)).toMatchObject({ state: 'applied', id: 'u0' });
    expect(writes()).toEqual([`${verb} /v1/Users/u0`]);
    const [user] = contents.users;
    expect(user).toMatchObject({
      name: { givenName: 'Anne', familyName: 'A' },
      emails: expect.arrayContaining([
        { value: 'anne@work', type: 'work', display: 'At work' },
        { value: 'anna@home', type: 'home' },
      ]),
      [latest]: { department: 'IT', costCenter: '1' },
    });
    expect(user?.['emails']).toHaveLength(2);
    expect(user).not.toHaveProperty('title');
  });

  test('what is removed goes alone', async () => {
    const change = update('User', 'u0', {
      'name.givenName': null,
      [workMail]: null,
      [`${enterprise}:department`]: null,
    });
    expect(await writtenOne(service.url, change)).toMatchObject({ state: 'applied' });
    expect(contents.users[0]).toMatchObject({
      name: { familyName: 'A' },
      emails: [{ value: 'anna@home', type: 'home' }],
      [latest]: { costCenter: '1' },
    });
  });

  test('users and groups are created, members come and go, and all of it is deleted', async () => {
    const created = await writtenOne(
      service.url,
      create('User', {
        userName: 'new',
        [workMail]: 'new@work',
        [`${enterprise}:department`]: 'IT',
      }),
    );
    expect(created).toMatchObject({ state: 'applied' });
    expect(JSON.parse(service.bodies.at(-1) ?? '')).toMatchObject({ schemas: [core, enterprise] });
    const outcomes = await written(service.url, [
      create('Group', { displayName: 'h' }, members(['u0'])),
      update('Group', 'g', { displayName: 'i' }, members(['u3'], ['u1'])),
      remove('User', null, 'new'),
    ]);
    expect(outcomes.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied']);
    expect(contents.users).toHaveLength(1);
    const groups = contents.groups.map(({ displayName, members: all }) => [displayName, all]);
    expect(groups).toEqual(
      expect.arrayContaining([
        ['h', [expect.objectContaining({ value: 'u0' })]],
        ['i', [expect.objectContaining({ value: 'u2' }), expect.objectContaining({ value: 'u3' })]],
      ]),
    );
  });
});
