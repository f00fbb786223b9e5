// Managed entity types and associations in lockstep.yaml: what is read of them, and what is refused.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findings, read } from '../fixtures/configuration-text.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-managed-'));
});
afterAll(() => rm(directory, { recursive: true }));

const user = 'user: { managed: true, key: userName, properties: { userName: {}, mail: {} } }';
const role = 'role: { managed: true, key: name, properties: { name: {} } }';
const managed = (types: string, rest = '') => `connectors: {}
entityTypes:
  ${types}
${rest}`;
const association = (from: string, to: string) => `associations:
  assignment: { managed: true, from: { ${from} }, to: { ${to} } }
`;

test('no connector is needed', async () => {
  const links = association(
    'entityType: role, property: members',
    'entityType: user, property: roles',
  );
  const { configuration } = await read(directory, managed(`${user}\n  ${role}`, links));
  expect([...configuration.managedTypes.keys()]).toEqual(['user', 'role']);
  expect(configuration.managedAssociations.get('assignment')).toEqual({
    name: 'assignment',
    from: { entityType: 'role', property: 'members' },
    to: { entityType: 'user', property: 'roles' },
    thresholds: {},
  });
  expect(configuration.managedTypes.get('user')).toMatchObject({
    ...{ key: 'userName', protected: [], searchable: [], thresholds: {} },
    properties: [
      { name: 'userName', kind: 'scalar', type: 'string', required: false, authority: null },
      { name: 'mail' },
    ],
  });
});

const withProperties = (properties: string, more = '') =>
  managed(`user: { managed: true, key: id, properties: { id: {}, ${properties} }${more} }`);

test.each([
  [managed(user.replace('key: userName', 'key: name')), 'is not a property of user'],
  [
    withProperties('n: { type: integer }').replace('key: id', 'key: n'),
    'must be a property of type string',
  ],
  [
    withProperties('org: { references: organisation }'),
    'there is no managed entity type “organisation”',
  ],
  [withProperties('boss: { references: usr }'), 'did you mean “user”?'],
  [withProperties('boss: { references: user, type: string }'), 'takes the type of the key'],
  [
    withProperties('boss: { references: user, searchable: true }'),
    'links are always fast to search',
  ],
  [withProperties('mail: { authority: [hr] }'), 'there is no connector “hr”'],
  [withProperties('mail: { column: x }'), 'column'],
  [withProperties('mail: { type: text }'), 'string'],
  [withProperties('mail: {}', ', source: users.csv'), 'source'],
  [
    withProperties(
      'mail: {}',
      ', thresholds: { maximumDeletedLines: unlimited, maxPercentageDeletedLines: unlimited }',
    ),
    'maximumDeletedLines',
  ],
  [
    managed(
      user,
      association('entityType: rol, property: members', 'entityType: user, property: roles'),
    ),
    'there is no managed entity type “rol”',
  ],
  [
    managed(
      `${user}\n  ${role}`,
      association('entityType: role, property: name', 'entityType: user, property: roles'),
    ),
    'role already has a property “name”',
  ],
  [
    `connectors: { local: { kind: csv, directory: . } }\nentityTypes:\n  ${user}\n`,
    'is the name of edits by people',
  ],
])('%s is refused', async (text, problem) => {
  expect((await findings(directory, text)).join('\n')).toContain(problem);
});
