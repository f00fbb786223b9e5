/** Every write, on two real servers: what is sent, what became of it, and with how few requests. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FaultyProxy, openProxy } from '../../support/scim/faulty-proxy.ts';
import { type RealServer, realServers } from '../../support/scim/real-servers.ts';
import {
  create,
  members,
  remove,
  update,
  written,
  writtenOne,
} from '../../support/scim/scim-writing.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const workMail = 'emails[type eq "work"].value';

describe.each(realServers)('$name', { timeout: 60_000 }, ({ name, patching, open }) => {
  let server: RealServer;
  let proxy: FaultyProxy;
  let endpoint: string;

  beforeAll(async () => {
    server = await open();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await openProxy(server.origin);
    endpoint = `${proxy.url}${server.base}`;
  });
  afterEach(async () => {
    await proxy?.[Symbol.asyncDispose]();
    for (const place of ['/Users', '/Groups']) {
      const { Resources = [] } = (await held(place)) as { Resources?: { id: string }[] };
      const init = { method: 'DELETE', headers };
      for (const { id } of Resources) {
        await fetch(`${server.origin}${server.base}${place}/${id}`, init);
      }
    }
  });

  const headers = { authorization: 'Bearer right-token' };

  /** What the server holds at a path below its base. */
  async function held(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${server.origin}${server.base}${path}`, { headers });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** Requests that are not about what the service is. */
  const asked = () =>
    proxy.requests.filter((each) => !/ServiceProviderConfig|ResourceTypes|Schemas/.test(each));

  const patched = (path: string) => patching.map((method) => `${method} ${server.base}${path}`);

  const anna = {
    userName: 'anna',
    'name.givenName': 'Anna',
    [workMail]: 'anna@work',
    active: true,
  };

  async function created(attributes: Record<string, string | boolean>): Promise<string> {
    const outcome = await writtenOne(endpoint, create('User', attributes));
    expect(outcome.state).toBe('applied');
    proxy.requests.length = 0;
    proxy.bodies.length = 0;
    return 'id' in outcome ? (outcome.id ?? '') : '';
  }

  test('a user is created with one request, and told as the export would', async () => {
    const paths = ['id', 'userName', workMail, 'active', `${enterprise}:department`, 'nickName'];
    const outcome = await writtenOne(
      endpoint,
      create('User', { ...anna, [`${enterprise}:department`]: 'Sales' }),
      { readBack: { User: paths } },
    );
    expect(asked()).toEqual([`POST ${server.base}/Users`]);
    const id = 'id' in outcome ? outcome.id : undefined;
    expect(outcome).toEqual({
      state: 'applied',
      nth: 0,
      id,
      cells: new Map([
        ['id', id],
        ['userName', 'anna'],
        [workMail, 'anna@work'],
        ['active', 'true'],
        [`${enterprise}:department`, 'Sales'],
      ]),
    });
    expect(await held(`/Users/${id}`)).toMatchObject({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise],
      name: { givenName: 'Anna' },
      emails: [{ type: 'work', value: 'anna@work' }],
      active: true,
    });
  });

  test('a change is one request where its answer shows the resource, and two where it does not', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 10; index++) ids.push(await created({ userName: `u${index}` }));
    const before = proxy.requests.length;
    const outcomes = await written(
      endpoint,
      ids.map((id, index) => update('User', id, { 'name.familyName': `F${index}` })),
    );
    expect(outcomes.map(({ state }) => state)).toEqual(Array(10).fill('applied'));
    expect(proxy.requests.slice(before)).toHaveLength(3 + 10 * patching.length);
    expect(asked().slice(-10 * patching.length)).toEqual(
      ids.flatMap((id) => patched(`/Users/${id}`)),
    );
  });

  test('a change sends the paths that change, and leaves the rest alone', async () => {
    const id = await created({ ...anna, nickName: 'Annie', [`${enterprise}:department`]: 'Sales' });
    const outcome = await writtenOne(
      endpoint,
      update('User', id, {
        'name.givenName': 'Anne',
        [workMail]: 'anne@work',
        active: false,
        nickName: null,
        [`${enterprise}:department`]: 'IT',
      }),
    );
    expect(outcome).toMatchObject({ state: 'applied', id });
    expect(asked()).toEqual(patched(`/Users/${id}`));
    expect(JSON.parse(proxy.bodies[0] ?? '')).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [
        { op: 'replace', path: 'name.givenName', value: 'Anne' },
        { op: 'replace', path: workMail, value: 'anne@work' },
        { op: 'replace', path: 'active', value: false },
        { op: 'remove', path: 'nickName' },
        { op: 'replace', path: `${enterprise}:department`, value: 'IT' },
      ],
    });
    const user = await held(`/Users/${id}`);
    expect(user).toMatchObject({
      userName: 'anna',
      name: { givenName: 'Anne' },
      emails: [{ type: 'work', value: 'anne@work' }],
      active: false,
      [enterprise]: { department: 'IT' },
    });
    expect(user).not.toHaveProperty('nickName');
  });

  test('an element that is not there yet is added whole, beside those that are', async () => {
    const id = await created(anna);
    const home = 'emails[type eq "home"]';
    const outcome = await writtenOne(
      endpoint,
      update('User', id, { [`${home}.value`]: 'anna@home', [`${home}.display`]: 'Anna' }),
    );
    expect(outcome).toMatchObject({ state: 'applied' });
    expect((await held(`/Users/${id}`))['emails']).toEqual([
      { type: 'work', value: 'anna@work' },
      { type: 'home', value: 'anna@home', display: 'Anna' },
    ]);
  });

  test('a value that is removed takes its element along', async () => {
    const id = await created({ ...anna, 'emails[type eq "home"].value': 'anna@home' });
    expect(await writtenOne(endpoint, update('User', id, { [workMail]: null }))).toMatchObject({
      state: 'applied',
    });
    expect((await held(`/Users/${id}`))['emails']).toEqual([{ type: 'home', value: 'anna@home' }]);
    // Once more, as after a crash.
    const again = await writtenOne(endpoint, update('User', id, { [workMail]: null, title: null }));
    expect(again).toMatchObject({ state: 'applied' });
  });

  test('an element without a filter is the only one, or the primary one', async () => {
    const id = await created({ ...anna, 'phoneNumbers[type eq "work"].value': '1' });
    expect(
      await writtenOne(endpoint, update('User', id, { 'phoneNumbers.value': '2' })),
    ).toMatchObject({
      state: 'applied',
    });
    expect((await held(`/Users/${id}`))['phoneNumbers']).toEqual([{ type: 'work', value: '2' }]);
  });

  test('a resource of which only the key is known is looked up, whatever the key holds', async () => {
    const key = 'o"brien\\ & söhne=?';
    const id = await created({ ...anna, userName: key });
    await created({ userName: 'somebody-else' });
    const outcome = await writtenOne(endpoint, update('User', null, { title: 'Dr' }, [], key));
    expect(outcome).toMatchObject({ state: 'applied', id });
    // One of them cannot read the quotation mark, and has to list all its users.
    if (name === 'scim2-server') {
      expect(asked()).toEqual([`GET ${server.base}/Users`, ...patched(`/Users/${id}`)]);
    }
    const absent = await writtenOne(endpoint, update('User', null, { title: 'Dr' }, [], 'nobody'));
    expect(absent).toMatchObject({ state: 'failed', code: 'TargetChanged' });
  });

  test('a create of what is there already takes it over', async () => {
    const id = await created(anna);
    const outcome = await writtenOne(endpoint, create('User', { ...anna, title: 'Dr' }));
    expect(outcome).toMatchObject({ state: 'applied', id });
    expect(await held(`/Users/${id}`)).toMatchObject({ title: 'Dr', userName: 'anna' });
    expect((await held('/Users'))['totalResults']).toBe(1);
  });

  test('a group, which no server keeps from being there twice, is looked for before it is created', async () => {
    const group = create('Group', { displayName: 'sales' });
    const [first, second] = await written(endpoint, [group, group]);
    expect(first).toMatchObject({ state: 'applied' });
    expect(second).toEqual({ ...first, nth: 1 });
    expect((await held('/Groups'))['totalResults']).toBe(1);
  });

  test('what is deleted is gone, and may be gone already', async () => {
    const id = await created(anna);
    const other = await created({ userName: 'bert' });
    const gone = { state: 'applied', id: null };
    const outcomes = await written(endpoint, [
      remove('User', id),
      remove('User', id),
      remove('User', null, 'bert'),
      remove('User', null, 'nobody'),
    ]);
    expect(outcomes).toMatchObject([gone, gone, gone, gone]);
    expect((await held('/Users'))['totalResults']).toBe(0);
    expect(proxy.requests).toContain(`DELETE ${server.base}/Users/${other}`);
  });

  test('members come and go by their ids, and nobody else is touched', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 4; index++) ids.push(await created({ userName: `u${index}` }));
    const [a = '', b = '', c = '', d = ''] = ids;
    const group = await writtenOne(
      endpoint,
      create('Group', { displayName: 'g' }, members([a, b, c])),
    );
    const id = 'id' in group ? (group.id ?? '') : '';
    proxy.requests.length = 0;
    proxy.bodies.length = 0;
    const change = update('Group', id, { displayName: 'h' }, members([d], [a]));
    expect(await writtenOne(endpoint, change)).toMatchObject({ state: 'applied', id });
    expect(asked()).toEqual(patched(`/Groups/${id}`));
    expect(JSON.parse(proxy.bodies[0] ?? '').Operations).toEqual([
      { op: 'replace', path: 'displayName', value: 'h' },
      { op: 'remove', path: `members[value eq "${a}"]` },
      { op: 'add', path: 'members', value: [{ value: d }] },
    ]);
    const { members: now } = (await held(`/Groups/${id}`)) as { members: { value: string }[] };
    expect(now.map(({ value }) => value).sort()).toEqual([b, c, d].sort());
  });

  test('a thousand members are added in pieces', async () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `member-${index}`);
    const group = await writtenOne(endpoint, create('Group', { displayName: 'all' }));
    const id = 'id' in group ? (group.id ?? '') : '';
    proxy.requests.length = 0;
    const added = await writtenOne(endpoint, update('Group', id, {}, members(ids)));
    expect(added).toMatchObject({ state: 'applied' });
    const pieces: string[] = Array(10).fill(`PATCH ${server.base}/Groups/${id}`);
    expect(asked()).toEqual([...pieces, ...patched(`/Groups/${id}`).slice(1)]);
    expect((await held(`/Groups/${id}`))['members']).toHaveLength(1000);
    const removed = await writtenOne(
      endpoint,
      update('Group', id, {}, members([], ids.slice(0, 10))),
    );
    expect(removed).toMatchObject({ state: 'applied' });
    expect((await held(`/Groups/${id}`))['members']).toHaveLength(990);
  });

  test('a write that is refused says why, and stops no other', async () => {
    const id = await created(anna);
    const outcomes = await written(endpoint, [
      update('User', id, { 'name.givnName': 'Anne' }),
      update('User', 'no-such-id', { title: 'Dr' }),
      update('User', id, { title: 'Dr' }),
    ]);
    expect(outcomes).toMatchObject([
      { state: 'failed', code: 'TargetRefused', message: expect.stringContaining('givenName') },
      { state: 'failed', code: 'TargetChanged' },
      { state: 'applied' },
    ]);
  });
});
