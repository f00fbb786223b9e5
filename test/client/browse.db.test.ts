// Tests of browsing the store against a real PostgreSQL: links both ways, filters, and slips in names.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockstepOf } from '../../client/lockstep.ts';
import { Session } from '../../client/session.ts';
import { findEntityType, type StoredEntityType } from '../../store/queries/entity-types.ts';
import { missingMigrations } from '../../store/queries/migration-state.ts';
import { openReadStore } from '../../store/queries/read-store.ts';
import { listResources, showResource } from '../../store/queries/resources.ts';
import { temporaryDatabase } from '../support/servers.ts';
import {
  collect,
  configurationFile,
  openSeededStore,
  type SeededStore,
  seedJob,
} from './seeded-store.ts';

let seeded: SeededStore;
let users: StoredEntityType;
let organisations: StoredEntityType;
beforeAll(async () => {
  seeded = await openSeededStore();
  users = (await findEntityType(seeded.store, 'sab_user')) as StoredEntityType;
  organisations = (await findEntityType(seeded.store, 'sab_organisation')) as StoredEntityType;
});
afterAll(() => seeded[Symbol.asyncDispose]());

test('a resource has its links both ways: by name, and by scope where the far end has no name', async () => {
  expect(await showResource(seeded.store, users, 'boss')).toEqual({
    key: 'boss',
    attributes: { login: 'boss', active: true, hireDate: '2020-02-29', lastName: 'Élan' },
    links: {
      organisation: 'HQ',
      'sab_user.manager': ['abel', 'jdoe', 'zoe'],
      groups: ['admins', 'all'],
    },
  });
  expect((await showResource(seeded.store, users, 'jdoe'))?.links).toEqual({
    organisation: 'RD',
    manager: 'boss',
    groups: ['all'],
  });
  expect((await showResource(seeded.store, organisations, 'HQ'))?.links).toEqual({
    'sab_organisation.parent': ['RD'],
    'sab_user.organisation': ['boss'],
  });
  expect(await showResource(seeded.store, organisations, 'boss')).toBeUndefined();
});

test('resources are listed in the order of their keys, from a key on, and limited', async () => {
  const keys = async (filter: Parameters<typeof listResources>[2]) =>
    (await collect(listResources(seeded.store, users, filter))).map(({ key }) => key);
  expect(await keys({})).toEqual(['abel', 'boss', 'jdoe', 'zoe']);
  expect(await keys({ after: 'boss' })).toEqual(['jdoe', 'zoe']);
  expect(await keys({ limit: 1, after: 'boss' })).toEqual(['jdoe']);
});

test.each([
  [['lastName=Dupont'], ['zoe']],
  [['lastName~dup'], ['zoe']],
  [['lastName~ÉLA'], ['boss']],
  [['lastName~%'], ['jdoe']],
  [["lastName=O'Neil%"], ['jdoe']],
  [['lastName='], ['abel']],
  [['active=true'], ['abel', 'boss', 'jdoe']],
  [
    ['active=true', 'groups=all'],
    ['boss', 'jdoe'],
  ],
  [['hireDate~2020-02'], ['boss']],
  [['login=zoe'], ['zoe']],
  [['key~o'], ['boss', 'jdoe', 'zoe']],
  [['groups='], ['abel']],
  [['groups~ADM'], ['boss']],
  [['organisation=RD'], ['jdoe']],
  [
    ['manager=boss', 'lastName~o'],
    ['jdoe', 'zoe'],
  ],
  [['sab_user.manager=zoe'], ['boss']],
  [["lastName=' or true --"], []],
])('the filter %j finds %j', async (filter, expected) => {
  await using lockstep = await open();
  const found = await collect(lockstep.list('sab_user', { filter }));
  expect(found.map(({ key }) => key)).toEqual(expected);
});

async function open() {
  return lockstepOf(new Session({ environment: { DATABASE_URL: seeded.url }, configurationFile }));
}

test('a slip in a name is answered with the nearest one', async () => {
  await using lockstep = await open();
  await expect(collect(lockstep.list('sab_users'))).rejects.toMatchObject({
    code: 'NotFound',
    message: expect.stringContaining('did you mean “sab_user”?'),
  });
  await expect(
    collect(lockstep.list('sab_user', { filter: ['lastname=x'] })),
  ).rejects.toMatchObject({
    code: 'UsageInvalid',
    message: expect.stringContaining('did you mean “lastName”?'),
  });
  await expect(collect(lockstep.list('sab_user', { filter: ['lastName'] }))).rejects.toMatchObject({
    code: 'UsageInvalid',
  });
  await expect(lockstep.show('sab_user', 'bos')).rejects.toMatchObject({
    code: 'NotFound',
    message: 'There is no sab_user “bos”; did you mean “boss”?',
  });
  await seedJob(seeded.writer, 'slip.complete.1');
  await expect(
    collect(lockstep.changes('slip.complete.1', { entityType: 'sab_membershp' })),
  ).rejects.toMatchObject({
    code: 'UsageInvalid',
    message: expect.stringContaining('“sab_membership”'),
  });
});

test('the reader cannot write: PostgreSQL refuses', async () => {
  await expect(seeded.store.pool.query(`delete from resource`)).rejects.toMatchObject({
    code: '25006',
  });
  await expect(seeded.store.prisma.resource.deleteMany()).rejects.toThrow(/read-only transaction/);
});

test('a database that lacks migrations is named as such', async () => {
  expect(await missingMigrations(seeded.store)).toEqual([]);
  await using empty = await temporaryDatabase();
  const bare = openReadStore(empty.url, 'test');
  expect(await missingMigrations(bare)).toContain('20261122090000_identity_store');
  await bare.close();
  const lockstep = lockstepOf(new Session({ environment: { DATABASE_URL: empty.url } }));
  await expect(lockstep.jobs()).rejects.toMatchObject({
    code: 'StoreUnavailable',
    hint: 'Run `lockstep migrate`.',
  });
  await expect(collect(lockstep.list('x'))).rejects.toMatchObject({
    hint: 'Run `lockstep migrate`.',
  });
  await lockstep.close();
});
