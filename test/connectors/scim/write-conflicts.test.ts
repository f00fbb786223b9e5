/** Two who write to the same resource of scim2-server, a real server with ETags: nothing of either is lost. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FaultyProxy, openProxy } from '../../support/scim/faulty-proxy.ts';
import { members, update, writtenOne } from '../../support/scim/scim-writing.ts';
import {
  hasScim2Server,
  type Scim2Server,
  startScim2Server,
} from '../../support/scim/scim2-server.ts';

// Installed by `node local/setup.js --tests`.
describe.skipIf(!hasScim2Server)('somebody else', { timeout: 60_000 }, () => {
  let server: Scim2Server;
  let id: string;
  let users = 0;
  beforeAll(async () => {
    server = await startScim2Server();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    users += 1;
    [id = ''] = await server.create('/Users', [
      {
        userName: name(),
        title: 'none',
        nickName: 'Annie',
        emails: [{ value: 'anna@work', type: 'work', primary: true }],
      },
    ]);
  });
  const name = () => `anna${users}`;

  const headers = {
    authorization: 'Bearer right-token',
    'content-type': 'application/scim+json',
  };
  async function theirs(path: string, value: string): Promise<void> {
    const Operations = [{ op: 'replace', path, value }];
    const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations };
    const init = { method: 'PATCH', headers, body: JSON.stringify(body) };
    expect((await fetch(`${server.url}/v2/Users/${id}`, init)).status).toBe(204);
  }
  async function held(): Promise<Record<string, unknown>> {
    const answer = await fetch(`${server.url}/v2/Users/${id}`, { headers });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** Somebody else is faster, before so many of our writes. */
  async function behind(
    path: string,
    times = 1,
  ): Promise<FaultyProxy & { readonly versions: (string | undefined)[] }> {
    const versions: (string | undefined)[] = [];
    const proxy = await openProxy(server.url, async (request, forward) => {
      if (request.method === 'PATCH' || request.method === 'PUT') {
        versions.push(request.headers['if-match']);
        if (versions.length <= times) await theirs(path, `theirs ${versions.length}`);
      }
      return await forward(request);
    });
    return Object.assign(proxy, { versions });
  }

  test('who changed something else is written around, after another look', async () => {
    await using proxy = await behind('nickName');
    const change = update('User', null, { title: 'Dr' }, [], name());
    expect(await writtenOne(proxy.url, change)).toMatchObject({ state: 'applied', id });
    expect(await held()).toMatchObject({ title: 'Dr', nickName: 'theirs 1' });
    expect(proxy.versions).toHaveLength(2);
    expect(proxy.versions[0]).toMatch(/^(W\/)?"/);
    expect(proxy.versions[1]).not.toBe(proxy.versions[0]);
  });

  test('who changed the same is not overwritten', async () => {
    await using proxy = await behind('title');
    const change = update('User', null, { title: 'Dr' }, [], name());
    expect(await writtenOne(proxy.url, change)).toMatchObject({
      state: 'failed',
      code: 'TargetChanged',
    });
    expect((await held())['title']).toBe('theirs 1');
  });

  test('who changed it to what it should be has done it', async () => {
    await using proxy = await behind('title');
    const change = update('User', null, { title: 'theirs 1' }, [], name());
    expect(await writtenOne(proxy.url, change)).toMatchObject({ state: 'applied' });
    expect(proxy.versions).toHaveLength(1);
  });

  test('who changes it all the time is left alone', async () => {
    await using proxy = await behind('nickName', 9);
    const change = update('User', null, { title: 'Dr' }, [], name());
    expect(await writtenOne(proxy.url, change)).toMatchObject({
      state: 'failed',
      code: 'TargetChanged',
    });
    expect(proxy.versions).toHaveLength(2);
  });

  test('loses nothing either where the whole resource is put back', async () => {
    await using proxy = await behind('nickName');
    const settings = { quirks: ['no-patch' as const] };
    const outcome = await writtenOne(proxy.url, update('User', id, { title: 'Dr' }), { settings });
    expect(outcome).toMatchObject({ state: 'applied', id });
    expect(await held()).toMatchObject({
      title: 'Dr',
      nickName: 'theirs 1',
      emails: [{ value: 'anna@work', type: 'work', primary: true }],
    });
    expect(proxy.requests.some((each) => each.startsWith('PATCH'))).toBe(false);
    expect(proxy.versions.every((version) => version !== undefined)).toBe(true);
  });

  test('who adds members while pieces of ours are added keeps them', async () => {
    const [group = ''] = await server.create('/Groups', [{ displayName: name() }]);
    let pieces = 0;
    await using proxy = await openProxy(server.url, async (request, forward) => {
      const answer = await forward(request);
      if (request.method === 'PATCH' && ++pieces === 1) {
        const Operations = [{ op: 'add', path: 'members', value: [{ value: 'theirs' }] }];
        const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
        const { 'if-match': _, ...own } = request.headers;
        await forward({ ...request, headers: own, body: JSON.stringify({ schemas, Operations }) });
      }
      return answer;
    });
    const ids = Array.from({ length: 150 }, (_, index) => `m${index}`);
    const outcome = await writtenOne(proxy.url, update('Group', group, {}, members(ids)));
    expect(outcome).toMatchObject({ state: 'applied' });
    const answer = await fetch(`${server.url}/v2/Groups/${group}`, { headers });
    const { members: now } = (await answer.json()) as { members: { value: string }[] };
    expect(now.map(({ value }) => value).sort()).toEqual([...ids, 'theirs'].sort());
    // The second piece met their version, and went again after a look.
    expect(proxy.requests.filter((each) => each.startsWith('PATCH'))).toHaveLength(3);
  });
});
