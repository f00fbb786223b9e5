/** Services that misbehave when they are written to: each peculiarity in front of a real server, with its quirk and without. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Quirk } from '../../../engine/scim-quirk.ts';
import {
  type FaultyProxy,
  type Intercept,
  openProxy,
  type ProxiedRequest,
} from '../../support/scim/faulty-proxy.ts';
import {
  create,
  members,
  remove,
  update,
  type WritingOptions,
  written,
  writtenOne,
} from '../../support/scim/scim-writing.ts';
import {
  type ScimmyContents,
  type ScimmyServer,
  startScimmyServer,
} from '../../support/scim/scimmy-server.ts';

const workMail = 'emails[type eq "work"].value';

let contents: ScimmyContents;
let server: ScimmyServer;
beforeEach(async () => {
  const meta = { created: new Date(0), lastModified: new Date(0) };
  contents = {
    users: [
      {
        id: 'u0',
        userName: 'Anna',
        title: 'none',
        nickName: 'Annie',
        active: true,
        emails: [
          { value: 'anna@work', type: 'work', display: 'At work', primary: true },
          { value: 'anna@home', type: 'home' },
        ],
        meta,
      },
      { id: 'u1', userName: 'bert', title: 'none', meta },
    ],
    groups: [{ id: 'g', displayName: 'g', members: [{ value: 'u1' }], meta }],
  };
  server = await startScimmyServer(contents);
});
afterEach(() => server[Symbol.asyncDispose]());

async function behind(intercept: Intercept): Promise<FaultyProxy> {
  return await openProxy(server.url.replace('/scim', ''), intercept);
}

const at = ({ url }: FaultyProxy) => `${url}/scim`;
const asked = (proxy: FaultyProxy) =>
  proxy.requests
    .filter((each) => !/ServiceProviderConfig|ResourceTypes|Schemas/.test(each))
    .map((each) => each.replace('/scim/', ''));
const having = (...quirks: Quirk[]): WritingOptions => ({ settings: { quirks } });
const held = (id: string) => [...contents.users, ...contents.groups].find((each) => each.id === id);
const refused = { status: 400, body: JSON.stringify({ scimType: 'invalidValue' }) };
const json = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}
const operationsOf = ({ body = '{}' }: ProxiedRequest) =>
  (JSON.parse(body) as { Operations?: Operation[] }).Operations ?? [];
const withOperations = (request: ProxiedRequest, Operations: readonly Operation[]) => ({
  ...request,
  body: JSON.stringify({ ...JSON.parse(request.body ?? '{}'), Operations }),
});

describe('create-without-members', () => {
  const group = create('Group', { displayName: 'new' }, members(['u0', 'u1']));
  const bare: Intercept = (request, forward) =>
    request.method === 'POST' && 'members' in JSON.parse(request.body ?? '{}')
      ? refused
      : forward(request);

  test('members are added once the group is there', async () => {
    await using proxy = await behind(bare);
    const outcome = await writtenOne(at(proxy), group, having('create-without-members'));
    expect(outcome).toMatchObject({ state: 'applied' });
    expect(contents.groups[1]).toMatchObject({ members: [{ value: 'u0' }, { value: 'u1' }] });
    expect(
      await writtenOne(at(proxy), { ...group, key: { path: 'displayName', value: 'x' } }),
    ).toMatchObject({
      state: 'failed',
      code: 'TargetRefused',
    });
  });

  test('a service that leaves them out silently gets them without being told of', async () => {
    await using proxy = await behind((request, forward) => {
      if (request.method !== 'POST') return forward(request);
      const { members: _, ...rest } = JSON.parse(request.body ?? '{}');
      return forward({ ...request, body: JSON.stringify(rest) });
    });
    expect(await writtenOne(at(proxy), group)).toMatchObject({ state: 'applied' });
    expect(contents.groups[1]).toMatchObject({ members: [{ value: 'u0' }, { value: 'u1' }] });
  });
});

describe('replace-adds', () => {
  /** A replace of an element's value adds an element of its own. */
  const adding: Intercept = (request, forward) => {
    if (request.method !== 'PATCH') return forward(request);
    const operations = operationsOf(request).map((operation) => {
      const type = /^emails\[type eq "(\w+)"\]\.value$/.exec(operation.path)?.[1];
      return operation.op === 'replace' && type !== undefined
        ? { op: 'add', path: 'emails', value: [{ type, value: operation.value }] }
        : operation;
    });
    return forward(withOperations(request, operations));
  };
  const change = update('User', 'u0', { [workMail]: 'anne@work', title: 'Dr' });
  const wanted = [
    { value: 'anna@home', type: 'home' },
    { value: 'anne@work', type: 'work', display: 'At work', primary: true },
  ];

  test('the old element goes before the new one comes, and keeps what else it says', async () => {
    await using proxy = await behind(adding);
    const outcome = await writtenOne(at(proxy), change, having('replace-adds'));
    expect(outcome).toMatchObject({ state: 'applied' });
    expect(held('u0')).toMatchObject({ emails: wanted, title: 'Dr' });
    expect(asked(proxy)).toEqual(['GET Users/u0', 'PATCH Users/u0']);
  });

  test('is noticed when both are there, and put right', async () => {
    await using proxy = await behind(adding);
    const outcomes = await written(at(proxy), [
      change,
      update('User', 'u0', { [workMail]: 'annie@work' }),
    ]);
    expect(outcomes).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect(held('u0')).toMatchObject({
      emails: [
        { value: 'anna@home', type: 'home' },
        { value: 'annie@work', type: 'work', display: 'At work', primary: true },
      ],
    });
  });
});

describe('no-patch', () => {
  const unpatched: Intercept = (request, forward) =>
    request.method === 'PATCH' ? { status: 500, body: '' } : forward(request);
  const change = update('User', 'u0', { title: 'Dr', [workMail]: 'anne@work', nickName: null });

  test('the whole resource is put back, everything else as it was', async () => {
    await using proxy = await behind(unpatched);
    const outcome = await writtenOne(at(proxy), change, having('no-patch'));
    expect(outcome).toMatchObject({ state: 'applied' });
    expect(asked(proxy)).toEqual(['GET Users/u0', 'PUT Users/u0']);
    const put = JSON.parse(proxy.bodies.at(-1) ?? '');
    expect(put).toMatchObject({ id: 'u0', userName: 'Anna' });
    expect(put).not.toHaveProperty('meta');
    expect(held('u0')).toMatchObject({
      userName: 'Anna',
      title: 'Dr',
      emails: [
        { value: 'anne@work', type: 'work', display: 'At work', primary: true },
        { value: 'anna@home', type: 'home' },
      ],
    });
    expect(held('u0')).not.toHaveProperty('nickName');
  });

  test('members too', async () => {
    await using proxy = await behind(unpatched);
    const group = update('Group', 'g', { displayName: 'h' }, members(['u0'], ['u1']));
    expect(await writtenOne(at(proxy), group, having('no-patch'))).toMatchObject({
      state: 'applied',
    });
    expect(held('g')).toMatchObject({ displayName: 'h', members: [{ value: 'u0' }] });
  });

  test.each([405, 501])('%i to the first PATCH tells it', async (status) => {
    await using proxy = await behind((request, forward) =>
      request.method === 'PATCH' ? { status, body: '' } : forward(request),
    );
    const outcomes = await written(at(proxy), [change, update('User', 'u1', { title: 'Dr' })]);
    expect(outcomes).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect(asked(proxy)).toEqual([
      'PATCH Users/u0',
      'GET Users/u0',
      'PUT Users/u0',
      'GET Users/u1',
      'PUT Users/u1',
    ]);
  });

  test('told to two at once, neither puts back the part of a resource that it has read', async () => {
    let patches = 0;
    let release = () => {};
    const bothThere = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using proxy = await behind(async (request, forward) => {
      if (request.method !== 'PATCH') return await forward(request);
      patches += 1;
      if (patches === 2) release();
      await bothThere;
      return { status: 405, body: '' };
    });
    const writes = ['Anna', 'bert'].map((key) => update('User', null, { title: 'Dr' }, [], key));
    const outcomes = await written(at(proxy), writes, { concurrency: 2 });
    expect(outcomes).toMatchObject([{ state: 'applied' }, { state: 'applied' }]);
    expect(held('u0')).toMatchObject({
      title: 'Dr',
      nickName: 'Annie',
      emails: [{ value: 'anna@work' }, { value: 'anna@home' }],
    });
  });

  test('so does a service that does not offer PATCH', async () => {
    await using proxy = await behind(async (request, forward) => {
      const answer = await forward(request);
      if (!request.url.pathname.endsWith('/ServiceProviderConfig')) return answer;
      return json({ ...JSON.parse(answer.body), patch: { supported: false } });
    });
    expect(await writtenOne(at(proxy), change)).toMatchObject({ state: 'applied' });
    expect(asked(proxy)).toEqual(['GET Users/u0', 'PUT Users/u0']);
  });
});

describe('case-sensitive-filters', () => {
  const exact: Intercept = async (request, forward) => {
    const wanted = /eq "(.*)"/.exec(request.url.searchParams.get('filter') ?? '')?.[1];
    const answer = await forward(request);
    if (wanted === undefined) return answer;
    const list = JSON.parse(answer.body) as { Resources: { userName: string }[] };
    const Resources = list.Resources.filter(({ userName }) => userName === wanted);
    return json({ ...list, Resources, totalResults: Resources.length });
  };
  const change = update('User', null, { title: 'Dr' }, [], 'BERT');

  test('a key that is not found is looked for in small letters, too', async () => {
    await using proxy = await behind(exact);
    expect(await writtenOne(at(proxy), change)).toMatchObject({ code: 'TargetChanged' });
    const outcome = await writtenOne(at(proxy), change, having('case-sensitive-filters'));
    expect(outcome).toMatchObject({ state: 'applied', id: 'u1' });
  });
});

describe('booleans-as-text', () => {
  test('true and false are written as text', async () => {
    await using proxy = await behind((request, forward) => {
      if (request.method !== 'PATCH') return forward(request);
      const operations = operationsOf(request);
      if (operations.some(({ value }) => typeof value === 'boolean')) return refused;
      const read = operations.map((operation) => ({
        ...operation,
        value:
          operation.value === 'true' || operation.value === 'false'
            ? operation.value === 'true'
            : operation.value,
      }));
      return forward(withOperations(request, read));
    });
    const change = update('User', 'u0', { active: false });
    expect(await writtenOne(at(proxy), change)).toMatchObject({ code: 'TargetRefused' });
    const outcome = await writtenOne(at(proxy), change, having('booleans-as-text'));
    expect(outcome).toMatchObject({ state: 'applied' });
    expect(held('u0')).toMatchObject({ active: false });
  });
});

describe('lying-answers', () => {
  /** Says what it was told, and does nothing. */
  const lying: Intercept = async (request, forward) => {
    if (request.method === 'DELETE') return { status: 204, body: '' };
    if (request.method !== 'PATCH') return forward(request);
    const { body: _, ...rest } = request;
    const { body } = await forward({ ...rest, method: 'GET' });
    const told = operationsOf(request).map(({ path, value }) => [path, value] as const);
    return json({ ...JSON.parse(body), ...Object.fromEntries(told) });
  };
  const change = update('User', 'u0', { title: 'Dr' });

  test('every write is read back with a request of its own', async () => {
    await using proxy = await behind(lying);
    expect(await writtenOne(at(proxy), change)).toMatchObject({ state: 'applied' });
    const options = { ...having('lying-answers'), readBack: { User: ['userName', 'title'] } };
    expect(await writtenOne(at(proxy), change, options)).toEqual({
      state: 'not-applied',
      nth: 0,
      id: 'u0',
      paths: ['title'],
      cells: new Map([
        ['userName', 'Anna'],
        ['title', 'none'],
      ]),
    });
    expect(await writtenOne(at(proxy), remove('User', 'u0'), options)).toMatchObject({
      state: 'not-applied',
      paths: ['userName'],
    });
  });

  test.each([200, 204])(
    '%i that shows nothing, or something else, is never believed',
    async (status) => {
      await using proxy = await behind(async (request, forward) =>
        request.method === 'PATCH'
          ? { status, body: status === 200 ? '{"id":"u0"}' : '' }
          : forward(request),
      );
      const group = update('Group', 'g', { displayName: 'h' }, members(['u0'], ['u1']));
      expect(
        await written(at(proxy), [change, update('User', 'u0', { title: null }), group]),
      ).toMatchObject([
        { state: 'not-applied', paths: ['title'] },
        { state: 'not-applied', paths: ['title'] },
        { state: 'not-applied', paths: ['displayName', 'members'] },
      ]);
      expect(asked(proxy).slice(0, 2)).toEqual(['PATCH Users/u0', 'GET Users/u0']);
    },
  );
});

describe('provided for wherever it appears', () => {
  test.each(['/scim/Users/', 'Users/', 'http://elsewhere.invalid/Users/'])(
    'a creation that tells no more than the place %s…',
    async (place) => {
      await using proxy = await behind(async (request, forward) => {
        const answer = await forward(request);
        if (request.method !== 'POST') return answer;
        const { id } = JSON.parse(answer.body);
        return { status: 201, headers: { location: `${place}${id}` }, body: '' };
      });
      const outcome = await writtenOne(at(proxy), create('User', { userName: 'new' }));
      const [created] = contents.users.slice(-1);
      expect(outcome).toMatchObject({ state: 'applied', id: created?.id });
      expect(asked(proxy)).toEqual(['POST Users', `GET Users/${created?.id}`]);
    },
  );

  test('a creation that tells nothing at all is looked up', async () => {
    await using proxy = await behind(async (request, forward) =>
      request.method === 'POST'
        ? { status: (await forward(request)).status, body: '' }
        : forward(request),
    );
    const outcome = await writtenOne(at(proxy), create('User', { userName: 'new' }));
    expect(outcome).toMatchObject({ state: 'applied', id: contents.users.at(-1)?.id });
  });

  test('a service that does not filter, or gives everybody, is listed', async () => {
    const change = update('User', null, { title: 'Dr' }, [], 'bert');
    await using unable = await behind(async (request, forward) => {
      if (request.url.searchParams.has('filter')) return { status: 501, body: '' };
      const answer = await forward(request);
      if (!request.url.pathname.endsWith('/ServiceProviderConfig')) return answer;
      return json({ ...JSON.parse(answer.body), filter: { supported: false } });
    });
    expect(await writtenOne(at(unable), change)).toMatchObject({ state: 'applied', id: 'u1' });
    await using deaf = await behind((request, forward) => {
      const { searchParams } = request.url;
      if (searchParams.has('filter')) searchParams.set('count', '1');
      searchParams.delete('filter');
      return forward(request);
    });
    expect(await writtenOne(at(deaf), change)).toMatchObject({ state: 'applied', id: 'u1' });
    expect(await writtenOne(at(deaf), create('User', { userName: 'Bert' }))).toMatchObject({
      state: 'applied',
    });
  });

  test('a list that was read before a creation is read again when its answer is lost', async () => {
    await using proxy = await behind(async (request, forward) => {
      if (request.url.searchParams.has('filter')) return { status: 501, body: '' };
      const answer = await forward(request);
      return request.method === 'POST' ? { ...answer, resetAfter: 0 } : answer;
    });
    const group = create('Group', { displayName: 'new' });
    const outcome = await writtenOne(at(proxy), group);
    expect(outcome).toMatchObject({ state: 'applied', id: contents.groups[1]?.id });
    expect(contents.groups).toHaveLength(2);
  });

  test('members that an answer keeps to itself are asked for, where they are to be told', async () => {
    await using proxy = await behind(async (request, forward) => {
      const answer = await forward(request);
      if (request.method !== 'PATCH') return answer;
      const { members: _, ...rest } = JSON.parse(answer.body);
      return json(rest);
    });
    const change = update('Group', 'g', { displayName: 'h' });
    const told = { readBack: { Group: ['displayName', 'members'] } };
    expect(await writtenOne(at(proxy), change, told)).toMatchObject({
      state: 'applied',
      cells: new Map([
        ['displayName', 'h'],
        ['members', 'u1'],
      ]),
    });
    expect(asked(proxy)).toEqual(['PATCH Groups/g', 'GET Groups/g']);
    await writtenOne(at(proxy), update('Group', 'g', { displayName: 'i' }));
    expect(asked(proxy).slice(2)).toEqual(['PATCH Groups/g']);
  });

  test('of two with the same key neither is written', async () => {
    contents.groups.push({ ...(held('g') ?? { id: '' }), id: 'g2' });
    await using proxy = await behind((request, forward) => forward(request));
    const change = update('Group', null, { displayName: 'h' }, [], 'g');
    expect(await writtenOne(at(proxy), change)).toMatchObject({ code: 'TargetRefused' });
    expect(asked(proxy)).toEqual(['GET Groups']);
  });

  test('fewer members at once, where a request is too large', async () => {
    await using proxy = await behind((request, forward) =>
      (request.body?.length ?? 0) > 1000 ? { status: 413, body: '' } : forward(request),
    );
    const ids = Array.from({ length: 120 }, (_, index) => `member-${index}`);
    const change = update('Group', 'g', {}, members(ids));
    expect(await writtenOne(at(proxy), change)).toMatchObject({ state: 'applied' });
    expect(held('g')?.['members']).toHaveLength(121);
  });

  test('an element that is not there, replaced by a service that says nothing of it', async () => {
    await using proxy = await behind((request, forward) => {
      const isReplaced = operationsOf(request).some(({ op }) => op === 'replace');
      return request.method === 'PATCH' && isReplaced
        ? { status: 204, body: '' }
        : forward(request);
    });
    const change = update('User', 'u1', { [workMail]: 'bert@work' });
    expect(await writtenOne(at(proxy), change)).toMatchObject({ state: 'applied' });
    expect(held('u1')).toMatchObject({ emails: [{ type: 'work', value: 'bert@work' }] });
  });
});
