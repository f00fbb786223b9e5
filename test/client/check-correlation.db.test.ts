/** What `lockstep check` says of correlation rules that cannot tell identities apart. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { checkCorrelation } from '../../client/check-correlation.ts';
import { Session } from '../../client/session.ts';
import { type MappedStore, openMappedStore } from '../support/mapped-store.ts';

let mapped: MappedStore;
let directory: string;
let session: Session;

beforeAll(async () => {
  mapped = await openMappedStore();
  directory = await mkdtemp(join(tmpdir(), 'lockstep-correlation-'));
  const file = join(directory, 'lockstep.yaml');
  const text = (names: string[]) =>
    Object.fromEntries(names.map((name) => [name, { column: name }]));
  await writeFile(
    file,
    stringify({
      connectors: { crm: { kind: 'csv', directory: './crm' } },
      entityTypes: {
        account: {
          connector: 'crm',
          source: 'a.csv',
          key: 'userName',
          properties: text(['userName', 'mail']),
        },
        user: { managed: true, key: 'userName', properties: { userName: {}, mail: {} } },
      },
      mappings: {
        account_user: {
          source: 'account',
          target: 'user',
          correlate: [
            { source: 'userName', target: 'userName' },
            { source: 'mail', target: 'mail', ignore: ['case', 'emailDomain'] },
          ],
          properties: { userName: 'userName' },
        },
      },
    }),
  );
  session = new Session({ environment: { DATABASE_URL: mapped.url, LOCKSTEP_CONFIG: file } });
});
afterAll(async () => {
  await session.close();
  await mapped[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const checked = async (withKeys: boolean, connector?: string) =>
  await checkCorrelation(session, await session.configuration(), connector, withKeys);

test('identities that share a value are counted, and named only when asked for', async () => {
  await mapped.fill(
    {},
    {
      u1: { userName: 'u1', mail: 'Ann@a.example' },
      u2: { userName: 'u2', mail: 'ann@b.example' },
      u3: { userName: 'u3', mail: 'bob@a.example' },
      u4: { userName: 'u4', mail: '' },
      u5: { userName: 'u5', mail: '' },
    },
  );
  const finding = {
    area: 'data',
    ok: true,
    connector: 'crm',
    entityType: 'user',
    message:
      'account_user: 2 user share 1 values of mail, by which the rule mail = mail (case, e-mail domain ignored) cannot tell them apart',
  };
  expect(await checked(false)).toEqual([
    { ...finding, hint: expect.stringContaining('lockstep check --keys') },
  ]);
  expect(JSON.stringify(await checked(false))).not.toContain('u1');
  expect(await checked(true)).toEqual([
    { ...finding, hint: 'They are u1, u2', keys: ['u1', 'u2'] },
  ]);
  expect(await checked(true, 'hr')).toEqual([]);
});

test('identities that a rule tells apart are no matter', async () => {
  await mapped.fill({}, { u1: { mail: 'ann@a' }, u2: { mail: 'bob@a' } });
  expect(await checked(true)).toEqual([]);
});

test('of many, twenty are named and all are counted', async () => {
  const users = Array.from({ length: 60 }, (_, n) => [`u${n + 10}`, { mail: `m${n % 20}` }]);
  await mapped.fill({}, Object.fromEntries(users));
  const [found] = await checked(true);
  expect(found?.message).toContain('60 user share 20 values of mail');
  expect(found?.keys).toHaveLength(20);
  expect(found?.hint).toMatch(/^They are u10, u30, u50, .* …$/);
});
