import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  changed,
  type Intercept,
  openProxy,
  type ProxiedAnswer,
  type ScimList,
} from '../../support/scim/faulty-proxy.ts';
import {
  exported,
  memberships,
  refused,
  resources,
  scimConnector,
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
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: `d${index}` },
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

/** What becomes of an export of users when the n-th answer with users is another one. */
async function withUsers(
  intercept: (answer: ProxiedAnswer, page: number) => ProxiedAnswer,
): Promise<string> {
  let page = 0;
  await using proxy = await behind(async (request, forward) => {
    page += 1;
    return intercept(await forward(request), page);
  });
  return await refused(scimConnector(`${proxy.url}/scim`, small), users());
}

describe('a list that is not proved complete is none', { timeout: 30_000 }, () => {
  test('startIndex is not heeded, so that every page is the first', async () => {
    await using proxy = await behind((request, forward) => {
      const url = new URL(request.url);
      url.searchParams.delete('startIndex');
      return forward({ ...request, url });
    });
    for (const quirks of [[], ['aligned-pages']] as const) {
      const connector = scimConnector(`${proxy.url}/scim`, { ...small, quirks });
      expect(await refused(connector, users())).toMatch(
        /^SourceIncomplete \[service\]: the list of User (changed while it was read, or is in another order|gives a resource twice: it starts over)/,
      );
    }
  });

  test('its total counts the page only', async () => {
    expect(
      await withUsers((answer) =>
        changed(answer, (list) => ({ ...list, totalResults: list.Resources.length })),
      ),
    ).toBe('SourceIncomplete [service]: the list of User holds more than the 10 it tells');
  });

  test('it ends before its total', async () => {
    const cut = (answer: ProxiedAnswer) =>
      changed(answer, (list) => ({ ...list, totalResults: 30 }));
    expect(await withUsers(cut)).toMatch(/^SourceIncomplete .*(gives a resource twice|changed)/);
    expect(
      await withUsers((answer, page) =>
        changed(answer, (list) => ({ ...list, ...(page > 1 && { Resources: [] }) })),
      ),
    ).toBe(
      'SourceIncomplete [service]: the list of User changed while it was read, or is in another order every time',
    );
    expect(
      await withUsers((answer, page) =>
        changed(answer, (list) => ({
          ...list,
          Resources: page === 1 ? list.Resources.slice(0, 1) : [],
        })),
      ),
    ).toBe('SourceIncomplete [service]: the list of User ends after 1 of the 25 it tells');
  });

  test('its total changes', async () => {
    expect(
      await withUsers((answer, page) =>
        changed(answer, (list) => ({ ...list, totalResults: 25 + page })),
      ),
    ).toBe('SourceIncomplete [service]: the list of User changed while it was read');
  });

  test('it holds a resource twice, or one without an id', async () => {
    const twice = (list: ScimList) => {
      const all = [...list.Resources];
      return { ...list, Resources: all.with(4, all[5] ?? { id: '' }) };
    };
    expect(await withUsers((answer) => changed(answer, twice))).toContain('gives a resource twice');
    expect(
      await withUsers((answer) =>
        changed(answer, (list) => ({ ...list, Resources: [{ userName: 'nobody' }] })),
      ),
    ).toBe('SourceUnreadable [schema]: the list of User holds a resource without an id');
  });

  test('it has no total, or is no list at all', async () => {
    expect(
      await withUsers((answer) => changed(answer, ({ totalResults: _, ...list }) => list)),
    ).toBe('SourceUnreadable [schema]: the list of User gives no totalResults');
    expect(await withUsers(() => ({ status: 200, body: '<html>' }))).toBe(
      'SourceUnreadable [schema]: the list of User is not a SCIM list',
    );
    expect(
      await withUsers(() => ({ status: 400, body: '{"scimType":"invalidFilter","detail":"Ada"}' })),
    ).toBe('SourceUnreadable [schema]: the list of User is refused (400, invalidFilter)');
  });

  test('a cursor comes again, or expires', async () => {
    const byCursor = (answer: ProxiedAnswer, page: number, next: string) =>
      changed(answer, (list) => ({
        ...list,
        Resources: contents.users.slice(page - 1, page),
        nextCursor: next,
      }));
    const read = async (intercept: (answer: ProxiedAnswer, page: number) => ProxiedAnswer) => {
      let page = 0;
      await using proxy = await behind(async (request, forward) => {
        page += 1;
        return intercept(await forward(request), page);
      });
      const overrides = { paging: 'cursor' as const };
      return await refused(scimConnector(`${proxy.url}/scim`, { overrides }), users());
    };
    expect(await read((answer, page) => byCursor(answer, page, 'same'))).toBe(
      'SourceIncomplete [service]: the list of User gives the same cursor twice',
    );
    expect(
      await read((answer, page) =>
        page === 1
          ? byCursor(answer, page, 'second')
          : { status: 400, body: '{"scimType":"expiredCursor"}' },
      ),
    ).toBe('SourceIncomplete [service]: the list of User ended early: its cursor expired');
    expect(await read((answer, page) => byCursor(answer, page, page === 3 ? '' : `${page}`))).toBe(
      'SourceIncomplete [service]: the list of User ends after 3 of the 25 it tells',
    );
  });

  test('an empty one is not taken for “everybody left”', async () => {
    const empty = (list: ScimList) => ({ ...list, totalResults: 0, Resources: [] });
    expect(await withUsers((answer) => changed(answer, empty))).toBe(
      'SourceEmpty [undefined]: User holds no resources',
    );
  });
});

describe('what is provided for wherever it appears', { timeout: 30_000 }, () => {
  const all = async (intercept: Intercept, ...paths: string[]) => {
    await using proxy = await behind(intercept);
    const connector = scimConnector(`${proxy.url}/scim`, small);
    const [rows = []] = await exported(connector, users(...paths));
    return { rows: rows.slice(1), asked: proxy.asked.filter((path) => path.includes('Users')) };
  };

  test('pages are cut to fewer resources than were asked for', async () => {
    const cut =
      (size: string): Intercept =>
      (request, forward) => {
        const url = new URL(request.url);
        url.searchParams.set('count', size);
        return forward({ ...request, url });
      };
    expect((await all(cut('3'))).rows).toHaveLength(numberOfUsers);
    // No page can overlap with the one before.
    expect((await all(cut('1'))).rows).toHaveLength(numberOfUsers);
  });

  test('a list starts over past its end', async () => {
    const after: unknown[] = [];
    const { rows, asked } = await all(async (request, forward) => {
      const answer = await forward(request);
      if (request.url.searchParams.get('startIndex') === `${numberOfUsers + 1}`) {
        after.push(JSON.parse(answer.body).Resources[0].id);
      }
      return answer;
    });
    // This server does it by itself.
    expect(after).toEqual(['u0']);
    expect(rows).toHaveLength(numberOfUsers);
    expect(asked).toHaveLength(4);
  });

  test('locations are relative to the service', async () => {
    const { rows } = await all((request, forward) => forward(request), 'meta.location');
    const [, , location = ''] = rows.find(([id]) => id === 'u7') ?? [];
    expect(location).toMatch(/^http:\/\/localhost:\d+\/scim\/Users\/u7$/);
  });

  test('booleans are text, and names of attributes are written in another case', async () => {
    const odd: Intercept = async (request, forward) =>
      changed(await forward(request), (list) => ({
        ...list,
        Resources: list.Resources.map((user) => ({
          ...user,
          ACTIVE: 'True',
          active: undefined,
          emails: (user['emails'] as { primary?: boolean }[]).map((mail) => ({
            ...mail,
            primary: mail.primary ? 'True' : 'False',
          })),
        })),
      }));
    const { rows } = await all(odd, 'active', 'emails[primary eq true].value', 'emails.value');
    expect(rows.find(([id]) => id === 'u7')?.slice(2)).toEqual(['True', '7@home', '7@home']);
  });

  test('text of filters is compared as the schema says: by default without regard to case', async () => {
    const { rows } = await all(
      (request, forward) => forward(request),
      'emails[type eq "WORK"].value',
    );
    expect(rows.find(([id]) => id === 'u7')?.[2]).toBe('7@work');
  });
});

describe('quirks that are named', () => {
  test('members-one-by-one: lists hold no members, single groups do', async () => {
    const open = () =>
      openProxy(server.url.replace('/scim', ''), async (request, forward) => {
        const answer = await forward(request);
        if (!request.url.pathname.endsWith('/Groups')) return answer;
        return changed(answer, (list) => ({
          ...list,
          Resources: list.Resources.map((group) => ({
            ...group,
            members: undefined,
          })),
        }));
      });
    await using proxy = await open();
    const endpoint = `${proxy.url}/scim`;
    expect(await refused(scimConnector(endpoint), memberships())).toBe(
      'SourceEmpty [undefined]: Group.members holds no User',
    );
    const quirks = ['members-one-by-one'] as const;
    const [rows] = await exported(scimConnector(endpoint, { quirks }), memberships());
    expect(rows?.slice(1)).toEqual([
      ['one', 'user1'],
      ['one', 'user2'],
      ['two', 'gone'],
      ['two', 'user3'],
    ]);
    expect(proxy.asked.filter((path) => /Groups\/g[12]/.test(path))).toHaveLength(2);
  });

  test('no-attribute-selection: the parameter is never sent', async () => {
    // This server fails on the name of any attribute of an extension.
    const department = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department';
    expect(await refused(scimConnector(server.url), users(department))).toBe(
      'SourceUnreadable [schema]: the list of User is refused (400, invalidValue)',
    );
    await using proxy = await behind((request, forward) => forward(request));
    const quirks = ['no-attribute-selection'] as const;
    const connector = scimConnector(`${proxy.url}/scim`, { quirks });
    const [rows] = await exported(connector, users(department));
    expect(rows?.find(([id]) => id === 'u7')?.[2]).toBe('d7');
    expect(proxy.asked.some((path) => path.includes('attributes'))).toBe(false);
  });

  test('aligned-pages: no page begins where the one before ended', async () => {
    await using proxy = await behind((request, forward) => {
      const url = new URL(request.url);
      const [start, count] = ['startIndex', 'count'].map((name) =>
        Number(url.searchParams.get(name)),
      );
      const aligned = (start as number) - (((start as number) - 1) % (count as number));
      url.searchParams.set('startIndex', `${aligned}`);
      return forward({ ...request, url });
    });
    const endpoint = `${proxy.url}/scim`;
    expect(await refused(scimConnector(endpoint, small), users())).toContain('SourceIncomplete');
    const quirks = ['aligned-pages'] as const;
    expect(
      (await exported(scimConnector(endpoint, { ...small, quirks }), users()))[0],
    ).toHaveLength(26);
  });
});

describe('a service that keeps its schemas to itself', () => {
  const silent: Intercept = (request, forward) =>
    /Schemas|ResourceTypes/.test(request.url.pathname)
      ? { status: 404, body: '' }
      : forward(request);

  test('is believed to have what some resource holds, and nothing else', async () => {
    await using proxy = await openProxy(server.url.replace('/scim', ''), silent);
    const connector = scimConnector(`${proxy.url}/scim`);
    const [rows] = await exported(connector, users('emails[type eq "home"].value'));
    expect(rows?.[1]).toEqual(['u0', 'user0', '0@home']);
    expect(await refused(connector, users('userNmae'))).toBe(
      'SourceColumnMissing [schema]: User has no “userNmae”: no resource holds it, and the service does not tell its schemas',
    );
    expect(await refused(connector, resources('Robot', ['name']))).toBe(
      'SourceUnavailable [schema]: the list of Robot does not exist (404)',
    );
  });

  test('and one that tells wrong ones can be overridden', async () => {
    const odd: Intercept = async (request, forward) => {
      const answer = await forward(request);
      return request.url.pathname.endsWith('/Users')
        ? changed(answer, (list) => ({
            ...list,
            Resources: list.Resources.map((user) => ({ ...user, badge: 'B' })),
          }))
        : answer;
    };
    await using proxy = await openProxy(server.url.replace('/scim', ''), odd);
    const endpoint = `${proxy.url}/scim`;
    expect(await refused(scimConnector(endpoint), users('badge'))).toContain(
      'no attribute “badge”',
    );
    const overrides = { ignoreSchemas: true, resourceTypes: { Person: '/Users' } };
    const [rows] = await exported(
      scimConnector(endpoint, { overrides }),
      resources('Person', ['userName', 'badge']),
    );
    expect(rows?.[1]).toEqual(['u0', 'user0', 'B']);
  });
});
