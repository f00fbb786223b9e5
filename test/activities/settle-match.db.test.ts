/** What a person says of a match, tried again after it was done, and said by two at the same moment. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { MatchRequest } from '../../engine/match-decision.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

const ids = { account: 0, user: 0 };
let bench: SyncBench;

beforeAll(async () => {
  bench = await openSyncBench({
    connectors: { crm: { kind: 'csv', directory: './crm' } },
    entityTypes: {
      account: {
        connector: 'crm',
        source: 'a.csv',
        key: 'login',
        properties: { login: { column: 'login' } },
      },
      user: { managed: true, key: 'name', properties: { name: {} } },
    },
    mappings: {
      account_user: { source: 'account', target: 'user', properties: { name: 'login' } },
    },
  });
  for (const name of ['account', 'user'] as const) {
    const { rows } = await bench.store.pool.query<{ id: number }>(
      `insert into entity_type (name, connector, key, properties) values ($1, null, 'login', '{}') returning id`,
      [name],
    );
    ids[name] = rows[0]?.id as number;
    await bench.store.pool.query(
      `create table resource_${ids[name]} partition of resource for values in (${ids[name]})`,
    );
  }
});
afterAll(() => bench[Symbol.asyncDispose]());

let match: string;
beforeEach(async () => {
  const { pool } = bench.store;
  await pool.query('truncate resource, match, non_match');
  await pool.query(
    `insert into resource (entity_type_id, key, attributes) values
     ($1, 'a', '{}'), ($1, 'b', '{}'), ($1, 'c', '{}'), ($2, 'u', '{}'), ($2, 'v', '{}')`,
    [ids.account, ids.user],
  );
  const { rows } = await pool.query<{ id: string }>(
    `insert into match (first_type_id, second_type_id, first_id, second_id, first_key, second_key, state, mapping)
     select $1, $2, f.id, s.id, f.key, s.key, 'unconfirmed', 'account_user' from resource f, resource s
     where f.key = 'a' and s.key = 'u' returning id`,
    [ids.account, ids.user],
  );
  match = rows[0]?.id as string;
});

/** Puts a request down, as a client would. */
async function asked(request: MatchRequest): Promise<string> {
  const id = `local.match.${randomUUID()}`;
  await bench.store.pool.query(
    `insert into edit_request (id, entity_type, request) values ($1, '', $2)`,
    [id, JSON.stringify(request)],
  );
  return id;
}

const settle = async (id: string) =>
  await bench.run('settleMatch', { configurationFile: null }, id).catch((error) => error.type);

const audited = async (id: string) =>
  (await bench.store.pool.query(`select from audit_event where detail ->> 'request' = $1`, [id]))
    .rowCount;

test.each<[string, () => MatchRequest]>([
  ['confirm', () => ({ action: 'confirm', match })],
  ['unmatch', () => ({ action: 'unmatch', match, remember: true, reason: null })],
  ['match', () => ({ action: 'match', mapping: 'account_user', source: 'b', target: 'v' })],
])('%s that is tried again after it was done has done it, once', async (_, request) => {
  const id = await asked(request());
  const first = await settle(id);
  expect(first).toMatchObject({ effect: 'applied' });
  expect(await settle(id)).toEqual(first);
  expect(await audited(id)).toBe(1);
});

test('unmatch forgets the links both sides agreed on, and no others', async () => {
  const { pool } = bench.store;
  await pool.query('truncate agreed_link');
  await pool.query(
    `insert into agreed_link (mapping, navigation_property_id, from_id, to_id)
     select m.name, 1, case when m.held then r.id else 0 end, case when m.held then 0 else r.id end
     from resource r, (values ('account_user', true), ('account_user', false), ('another', true)) m (name, held)
     where r.key in ('u', 'v')`,
  );
  await settle(await asked({ action: 'unmatch', match, remember: false, reason: null }));
  const { rows } = await pool.query<{ kept: string }>(
    `select a.mapping || ' ' || r.key as kept from agreed_link a join resource r on r.id in (a.from_id, a.to_id)
     order by kept`,
  );
  expect(rows.map(({ kept }) => kept)).toEqual([
    'account_user v',
    'account_user v',
    'another u',
    'another v',
  ]);
});

test('a refusal that is tried again is audited once', async () => {
  const id = await asked({
    action: 'match',
    mapping: 'account_user',
    source: 'b',
    target: 'u',
  });
  expect(await settle(id)).toMatchObject({ effect: 'refused', code: 'MatchConflict' });
  expect(await settle(id)).toMatchObject({ effect: 'refused', code: 'MatchConflict' });
  expect(await audited(id)).toBe(1);
});

test('of several that want the same one at the same moment, one gets it', async () => {
  const requests = await Promise.all(
    ['b', 'c', 'b', 'c'].map((source) =>
      asked({ action: 'match', mapping: 'account_user', source, target: 'v' }),
    ),
  );
  await Promise.all(requests.map(settle));
  // Who was told to wait tries again.
  const outcomes = [];
  for (const request of requests) outcomes.push(await settle(request));
  const { rows } = await bench.store.pool.query<{ key: string }>(
    `select first_key as key from match where second_key = 'v'`,
  );
  expect(rows).toHaveLength(1);
  const winner = rows[0]?.key;
  expect(outcomes.map(({ effect }) => effect)).toEqual(
    ['b', 'c', 'b', 'c'].map((source) => (source === winner ? 'applied' : 'refused')),
  );
});

test('a request that was never put down is told as such', async () => {
  expect(await settle('local.match.nothing')).toBe('NotFound');
});
