/** SCIM connectors in the configuration: settings, auth by method, sources, and what is said of mistakes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { findings, read } from '../fixtures/configuration-text.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const environment = { CRM_SECRET: 's3cret' };
const secret = '$' + '{CRM_SECRET}';
const oauth = {
  type: 'oauth2-client-credentials',
  tokenEndpoint: 'https://id.example.org/token',
  clientId: 'sync',
  clientSecret: secret,
};

interface Written {
  readonly connector?: object;
  readonly user?: object;
  readonly mail?: object;
  readonly member?: object;
}

function written({ connector = {}, user = {}, mail, member }: Written = {}): string {
  return stringify({
    connectors: {
      crm: { kind: 'scim', endpoint: 'https://crm.example.org/scim/v2', ...connector },
    },
    entityTypes: {
      account: {
        connector: 'crm',
        source: 'User',
        key: 'userName',
        properties: {
          userName: { path: 'userName' },
          changed: { path: 'meta.lastModified', type: 'datetime' },
          boss: { path: 'urn:example:2.0:User:boss.value', references: 'account' },
          mail: mail ?? { path: 'emails[type eq "work"].value' },
        },
        ...user,
      },
      team: {
        connector: 'crm',
        source: 'Group',
        key: 'name',
        properties: { name: { path: 'displayName' } },
      },
    },
    associations: {
      member: {
        connector: 'crm',
        source: 'Group.members',
        from: { entityType: 'team', property: 'members' },
        to: { entityType: 'account', property: 'teams' },
        ...member,
      },
    },
  });
}

const found = (options: Written) => findings(directory, written(options), environment);
const configured = async (options: Written = {}) =>
  (await read(directory, written(options), environment)).configuration;

test('defaults: whatever version, nobody, complete only', async () => {
  const { connectors } = await configured();
  expect(connectors.get('crm')).toMatchObject({
    kind: 'scim',
    modes: ['complete'],
    version: 'auto',
    auth: { type: 'none' },
    ca: undefined,
    timeoutSeconds: 60,
    requestsPerSecond: undefined,
    overrides: {},
    quirks: [],
  });
  expect(
    await found({ connector: { schedules: { incremental: { every: '1h' } } } }),
  ).toContainEqual(expect.stringContaining('which lacks `incremental: lastModified`'));
});

test('incremental by lastModified, every four hours, with an overlap', async () => {
  const incremental = 'lastModified';
  const { connectors } = await configured({ connector: { incremental } });
  expect(connectors.get('crm')).toMatchObject({
    modes: ['complete', 'incremental'],
    schedules: { incremental: { kind: 'interval', everyMinutes: 240 } },
    incremental: { overlapSeconds: 300 },
  });
  const longer = await configured({ connector: { incremental, overlap: '1h' } });
  expect(longer.connectors.get('crm')).toMatchObject({ incremental: { overlapSeconds: 3600 } });
  expect(await found({ connector: { overlap: '1h' } })).toEqual([
    expect.stringContaining('overlap: has a meaning only together with `incremental`'),
  ]);
});

test('paths become columns, and a link the keys of its ends', async () => {
  const { entityTypes, associations } = await configured();
  const target = { resourceType: 'User', key: 'userName' };
  const boss = 'urn:example:2.0:User:boss.value';
  expect(entityTypes.get('account')?.source).toEqual({
    name: 'User',
    options: {
      resourceType: 'User',
      paths: ['userName', 'meta.lastModified', boss, 'emails[type eq "work"].value'],
      keys: ['userName'],
      references: [{ path: boss, target }],
    },
  });
  expect(associations.get('member')).toMatchObject({
    source: {
      name: 'Group.members',
      options: {
        resourceType: 'Group',
        attribute: 'members',
        holder: 'displayName',
        member: target,
      },
    },
    from: { entityType: 'team', column: 'displayName' },
    to: { entityType: 'account', column: 'members.userName' },
  });
});

test('the ends of a link may be the other way round', async () => {
  const { associations } = await configured({
    member: {
      from: { entityType: 'account', property: 'teams' },
      to: { entityType: 'team', property: 'members' },
    },
  });
  expect(associations.get('member')).toMatchObject({
    from: { entityType: 'account', column: 'members.userName' },
    to: { entityType: 'team', column: 'displayName' },
  });
});

describe('auth is validated by its method, and null is nothing', () => {
  const nothing = { token: null, user: null, password: null, tokenEndpoint: null };
  test.each([
    [undefined, { type: 'none' }],
    [{ type: 'none', ...nothing }, { type: 'none' }],
    [
      { ...nothing, type: 'bearer', token: secret },
      { type: 'bearer', token: 's3cret' },
    ],
    [
      { ...nothing, type: 'basic', user: 'sync', password: secret },
      { type: 'basic', user: 'sync', password: 's3cret' },
    ],
    [
      { ...nothing, ...oauth },
      { ...oauth, clientSecret: 's3cret', scope: undefined, method: 'client_secret_basic' },
    ],
    [
      { ...oauth, scope: 'read', method: 'client_secret_post' },
      { ...oauth, clientSecret: 's3cret', scope: 'read', method: 'client_secret_post' },
    ],
  ])('%o', async (auth, expected) => {
    const { connectors } = await configured({ connector: { auth } });
    expect(connectors.get('crm')).toMatchObject({ auth: expected });
  });

  test.each([
    [{ type: 'bearer' }, 'auth.token: is needed for type bearer'],
    [{ type: 'bearer', token: null }, 'auth.token: is needed for type bearer'],
    [{ type: 'basic', user: 'sync' }, 'auth.password: is needed for type basic'],
    [{ ...oauth, tokenEndpoint: null }, 'auth.tokenEndpoint: is needed for type oauth2'],
    [{ ...oauth, token: secret }, 'auth.token: has no meaning for type oauth2-client-credentials'],
    [{ type: 'none', user: 'sync' }, 'auth.user: has no meaning for type none'],
    [{ type: 'bearer', token: 'abc' }, 'auth.token: is a secret; it comes from the environment'],
    [{ ...oauth, clientSecret: 'abc' }, 'auth.clientSecret: is a secret'],
    [
      { ...oauth, tokenEndpoint: 'http://id.example.org' },
      'auth.tokenEndpoint: must begin with https',
    ],
    [{ type: 'token' }, 'auth.type: '],
  ])('%o is refused', async (auth, finding) => {
    const all = await found({ connector: { auth } });
    expect(all).toContainEqual(expect.stringContaining(`connectors.crm.${finding}`));
    expect(all.join()).not.toMatch(/s3cret|abc/);
  });
});

describe('mistakes are said with their place', () => {
  test.each<[Written, string]>([
    [
      { connector: { endpoint: 'crm.example.org' } },
      'connectors.crm.endpoint: must begin with https://',
    ],
    [
      {
        connector: { endpoint: 'http://crm.example.org', auth: { type: 'bearer', token: secret } },
      },
      'connectors.crm.endpoint: must begin with https://: credentials would travel in the clear',
    ],
    [
      { connector: { endpoint: 'https://a:b@crm/' } },
      'connectors.crm.endpoint: holds a user or password',
    ],
    [
      { connector: { endpoint: 'https://crm/?x=1' } },
      'connectors.crm.endpoint: must end with its path',
    ],
    [{ connector: { quirks: ['odd'] } }, 'connectors.crm.quirks'],
    [{ connector: { insecure: true } }, 'connectors.crm.insecure: is not an option here'],
    [
      { mail: { path: 'emails[type is "x"]' } },
      'entityTypes.account.properties.mail.path: has a filter in which',
    ],
    [
      { mail: { column: 'mail' } },
      'entityTypes.account.properties.mail.column: is not for a scim connector; write `path`',
    ],
    [{ mail: {} }, 'entityTypes.account.properties.mail: needs either a path or an expression'],
    [{ user: { source: 'users.csv' } }, 'entityTypes.account.source: must be a resource type'],
    [
      { member: { source: 'members' } },
      'associations.member.source: must be an attribute with links',
    ],
    [
      { member: { source: 'Role.members' } },
      'associations.member.source: neither end of it is an entity type of Role',
    ],
    [
      { member: { to: { entityType: 'account', property: 'teams', column: 'value' } } },
      'associations.member.to.column: is the key of its entity type',
    ],
    [
      { mail: { expression: 'userName & "@x"' }, user: { key: 'mail' } },
      'associations.member.to.entityType: must be of connector crm, and its key have a path',
    ],
  ])('%o', async (options, finding) => {
    expect(await found(options)).toContainEqual(expect.stringContaining(finding));
  });

  test('a path is for a scim connector, and a column for others', async () => {
    const text = stringify({
      connectors: { files: { kind: 'csv', directory: '.' } },
      entityTypes: {
        a: { connector: 'files', source: 'a.csv', key: 'id', properties: { id: { path: 'id' } } },
      },
      associations: {
        link: {
          connector: 'files',
          source: 'links.csv',
          from: { entityType: 'a', property: 'x' },
          to: { entityType: 'a', property: 'y', column: 'y' },
        },
      },
    });
    expect(await findings(directory, text)).toEqual([
      expect.stringContaining(
        'entityTypes.a.properties.id.path: is for a scim connector; write `column`',
      ),
      expect.stringContaining('associations.link.from: needs the column with the key of this end'),
    ]);
  });
});
