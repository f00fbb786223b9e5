/** The import list, and what people say of matches: who may, what it does, once, and that Temporal learns no key. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runCommandLine } from '../../client/command-line.ts';
import { connectLockstep, type Lockstep } from '../../client/lockstep.ts';
import { hold } from '../support/held-lock.ts';
import { type JobStack, startJobStack, until } from '../support/job-stack.ts';
import { captured } from './captured-stream.ts';

let stack: JobStack;
/** An approver, and somebody else. */
let ada: Lockstep;
let mallory: Lockstep;
let environment: Record<string, string>;
const ids = { account: 0, user: 0, contractor: 0 };

beforeAll(async () => {
  stack = await startJobStack({ connectors: { crm: {} } });
  const type = (connector: string) => ({
    connector,
    source: 'a.csv',
    key: 'login',
    properties: { login: { column: 'login' } },
  });
  const mapping = (source: string) => ({
    source,
    target: 'user',
    correlate: [{ source: 'login', target: 'name' }],
    properties: { name: 'login' },
  });
  const user = { managed: true, key: 'name', properties: { name: {} } };
  await writeFile(
    join(stack.home, 'lockstep.yaml'),
    stringify({
      connectors: {
        crm: { kind: 'csv', directory: './crm', approvers: ['ada@desk'] },
        open: { kind: 'csv', directory: './open' },
      },
      entityTypes: { account: type('crm'), contractor: type('open'), user },
      mappings: {
        account_user: { ...mapping('account'), follows: false },
        contractor_user: mapping('contractor'),
      },
    }),
  );
  for (const name of ['account', 'user', 'contractor'] as const) {
    const { rows } = await stack.pool.query<{ id: number }>(
      `insert into entity_type (name, connector, key, properties) values ($1, null, 'login', '{}') returning id`,
      [name],
    );
    const id = rows[0]?.id as number;
    await stack.pool.query(
      `create table resource_${id} partition of resource for values in (${id})`,
    );
    ids[name] = id;
  }
  environment = stack.environment;
  ada = await connectLockstep({ environment, identity: 'ada@desk' });
  mallory = await connectLockstep({ environment, identity: 'mallory@desk' });
  await stack.startWorker();
});
afterAll(async () => {
  await ada?.close();
  await mallory?.close();
  await stack?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await stack.pool.query('truncate resource, match, non_match, situation, edit_request');
  await add('account', 'ann-account', 'bob-account', 'cyd-account');
  await add('user', 'ann-user', 'bob-user', 'cyd-user');
});

async function add(type: keyof typeof ids, ...keys: string[]): Promise<void> {
  await stack.pool.query(
    `insert into resource (entity_type_id, key, attributes) select $1, unnest($2::text[]), '{}'`,
    [ids[type], keys],
  );
}

async function match(account: string, user: string, state = 'unconfirmed'): Promise<string> {
  const { rows } = await stack.pool.query<{ id: string }>(
    `insert into match (first_type_id, second_type_id, first_id, second_id, first_key, second_key, state, mapping, rule)
     select $1, $2, f.id, s.id, f.key, s.key, $5, 'account_user', 'login = name'
     from resource f, resource s
     where f.entity_type_id = $1 and f.key = $3 and s.entity_type_id = $2 and s.key = $4 returning id`,
    [ids.account, ids.user, account, user, state],
  );
  return rows[0]?.id as string;
}

async function situation(account: string, name: string, candidates: string[] = []) {
  await stack.pool.query(
    `insert into situation (mapping, side, resource_id, key, situation, reaction, candidates, job_id)
     select 'account_user', 'source', id, key, $2, 'ignore', $3, 'job' from resource where key = $1`,
    [account, name, candidates],
  );
}

async function matches() {
  const { rows } = await stack.pool.query<{ first: string; second: string; state: string }>(
    'select first_key as first, second_key as second, state, confirmed_by as by from match order by 1',
  );
  return rows;
}

async function audited(matchId: string) {
  const { rows } = await stack.pool.query(
    `select actor, action, detail ->> 'rule' as rule, detail ->> 'mapping' as mapping
     from audit_event where subject = 'match:' || $1 order by id`,
    [matchId],
  );
  return rows;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const refusal = async (decision: Promise<unknown>) =>
  await decision.then(
    () => 'done',
    ({ code }) => code,
  );

describe('the import list', () => {
  test('has every account with its situation, rule, candidates and both keys', async () => {
    const id = await match('ann-account', 'ann-user');
    await situation('ann-account', 'unconfirmed');
    await situation('bob-account', 'ambiguous', ['bob-user', 'cyd-user']);
    await situation('cyd-account', 'absent');
    const common = { mapping: 'account_user', confirmedBy: null };
    const none = { ...common, id: null, state: null, target: null, rule: null };
    expect(await all(ada.matches('account_user'))).toEqual([
      {
        ...common,
        id,
        situation: 'unconfirmed',
        state: 'unconfirmed',
        source: 'ann-account',
        target: 'ann-user',
        rule: 'login = name',
        candidates: [],
      },
      {
        ...none,
        situation: 'ambiguous',
        source: 'bob-account',
        candidates: ['bob-user', 'cyd-user'],
      },
      { ...none, situation: 'absent', source: 'cyd-account', candidates: [] },
    ]);
    const ambiguous = await all(ada.matches(undefined, { situation: 'ambiguous' }));
    expect(ambiguous.map(({ source }) => source)).toEqual(['bob-account']);
  });

  test('tells what is gone, and leaves out what was found before it was matched', async () => {
    await match('ann-account', 'ann-user', 'confirmed');
    await match('bob-account', 'bob-user', 'confirmed');
    await match('cyd-account', 'cyd-user', 'confirmed');
    await situation('cyd-account', 'absent');
    await stack.pool.query(`delete from resource where key in ('ann-user', 'bob-account')`);
    const listed = await all(ada.matches('account_user'));
    expect(listed.map((line) => [line.source, line.target, line.situation])).toEqual([
      ['ann-account', 'ann-user', 'missing'],
      ['bob-account', 'bob-user', 'sourceMissing'],
      ['cyd-account', 'cyd-user', 'confirmed'],
    ]);
  });

  test('is printed as a table, or as one JSON array', async () => {
    await match('ann-account', 'ann-user');
    const run = async (...args: string[]) => {
      const [stdout, stderr] = [captured(), captured()];
      const streams = { stdout: stdout.stream, stderr: stderr.stream, environment };
      const exitCode = await runCommandLine(args, streams);
      return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
    };
    const table = await run('matches', '--unconfirmed');
    expect(table.stdout).toMatch(
      /account_user:[\s\S]*unconfirmed +ann-account +ann-user +login = name/,
    );
    expect(JSON.parse((await run('matches', '--json')).stdout)).toHaveLength(1);
    const unknown = await run('matches', 'account_usr');
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('account_user'),
    ]);
    expect((await run('matches', '--situation', 'guessed')).exitCode).toBe(2);
  });
});

test('an approver confirms; who it was and the rule are audited; the match leaves what waits', async () => {
  const id = await match('ann-account', 'ann-user');
  expect(await all(ada.matches('account_user', { unconfirmed: true }))).toHaveLength(1);
  expect(await ada.confirm(id)).toEqual({ action: 'confirm', match: id, by: 'ada@desk' });
  expect(await matches()).toMatchObject([{ state: 'confirmed', by: 'ada@desk' }]);
  expect(await audited(id)).toEqual([
    { actor: 'ada@desk', action: 'match-confirmed', rule: 'login = name', mapping: 'account_user' },
  ]);
  expect(await all(ada.matches('account_user', { unconfirmed: true }))).toEqual([]);
});

test('anybody else is refused, whatever they want, and that is audited', async () => {
  const id = await match('ann-account', 'ann-user');
  expect(await refusal(mallory.confirm(id))).toBe('NotApprover');
  expect(await refusal(mallory.unmatch(id))).toBe('NotApprover');
  expect(await refusal(mallory.match('account_user', 'bob-account', 'bob-user'))).toBe(
    'NotApprover',
  );
  expect(await matches()).toMatchObject([{ first: 'ann-account', state: 'unconfirmed' }]);
  const { rows } = await stack.pool.query(
    `select actor, action, detail ->> 'wanted' as wanted from audit_event
     where action = 'match-refused' and subject in ('match:' || $1, 'mapping:account_user') order by id`,
    [id],
  );
  const by = { actor: 'mallory@desk', action: 'match-refused' };
  expect(rows).toEqual([
    { ...by, wanted: 'confirm' },
    { ...by, wanted: 'unmatch' },
    { ...by, wanted: 'match' },
  ]);
});

test('where a connector lists no approvers, everybody may', async () => {
  await add('contractor', 'dee');
  await mallory.match('contractor_user', 'dee', 'cyd-user');
  expect(await matches()).toHaveLength(1);
});

test('what is right is reconciled at once where the mapping follows, and otherwise is not', async () => {
  await add('contractor', 'dee');
  await mallory.match('contractor_user', 'dee', 'cyd-user');
  await ada.confirm(await match('ann-account', 'ann-user'));
  const started = await until(async () => {
    const jobs = [];
    const query = `TaskQueue = '${stack.taskQueue}' and WorkflowType = 'reconcileJob'`;
    for await (const { memo } of stack.client.workflow.list({ query })) jobs.push(memo);
    return jobs.length > 0 && jobs;
  }, 'a reconciliation has started');
  expect(started.map((memo) => memo?.['mapping'])).not.toContain('account_user');
  expect(started.map((memo) => memo?.['mapping'])).toContain('contractor_user');
});

test('what is unmatched is remembered, unless it is left to the rules', async () => {
  const remembered = await match('ann-account', 'ann-user');
  const left = await match('bob-account', 'bob-user');
  await ada.unmatch(remembered, { reason: 'namesakes' });
  await ada.unmatch(left, { remember: false });
  expect(await matches()).toEqual([]);
  const { rows } = await stack.pool.query(
    'select first_key, second_key, said_by, reason from non_match',
  );
  expect(rows).toEqual([
    {
      first_key: 'ann-account',
      second_key: 'ann-user',
      said_by: 'ada@desk',
      reason: 'namesakes',
    },
  ]);
  await ada.match('account_user', 'ann-account', 'ann-user');
  expect(await matches()).toMatchObject([{ first: 'ann-account', state: 'confirmed' }]);
  expect((await stack.pool.query('select from non_match')).rowCount).toBe(0);
});

test('a pair is made by hand, but never a second one of either, nor of what is not there', async () => {
  await ada.match('account_user', 'ann-account', 'bob-user');
  expect(await matches()).toMatchObject([
    { first: 'ann-account', second: 'bob-user', state: 'confirmed', by: 'ada@desk' },
  ]);
  expect(await refusal(ada.match('account_user', 'bob-account', 'bob-user'))).toBe('MatchConflict');
  expect(await refusal(ada.match('account_user', 'ann-account', 'ann-user'))).toBe('MatchConflict');
  expect(await refusal(ada.match('account_user', 'nobody', 'ann-user'))).toBe('NotFound');
  expect(await refusal(ada.match('account_usr', 'bob-account', 'ann-user'))).toBe('NotFound');
  expect(await refusal(ada.confirm('999999'))).toBe('NotFound');
  expect(await refusal(ada.confirm('ann'))).toBe('NotFound');
  expect(await matches()).toHaveLength(1);
});

test('a match whose other end is gone makes way for one by hand', async () => {
  await match('ann-account', 'ann-user', 'confirmed');
  await stack.pool.query(`delete from resource where key = 'ann-user'`);
  await ada.match('account_user', 'ann-account', 'bob-user');
  expect(await matches()).toMatchObject([{ first: 'ann-account', second: 'bob-user' }]);
});

test('confirming twice is confirming once', async () => {
  const id = await match('ann-account', 'ann-user');
  await ada.confirm(id);
  await ada.confirm(id);
  expect(await audited(id)).toHaveLength(1);
});

test('a worker killed in the middle of it leaves it to another, which does it once', async () => {
  const id = await match('ann-account', 'ann-user');
  const lock = await hold(stack, ['select from match where id = $1 for update', [id]]);
  const confirmed = ada.confirm(id);
  await lock.hasStopped('for update');
  await stack.workers.at(-1)?.kill('SIGKILL');
  await stack.startWorker();
  await lock.release();
  await confirmed;
  expect(await matches()).toMatchObject([{ state: 'confirmed' }]);
  expect(await audited(id)).toHaveLength(1);
});

test('Temporal learns who decides, and not of whom', async () => {
  await ada.match('account_user', 'cyd-account', 'cyd-user');
  const { rows } = await stack.pool.query<{ id: string }>('select id from edit_request');
  const [request] = rows;
  const history = await until(async () => {
    const { events } = await stack.client.workflow.getHandle(request?.id as string).fetchHistory();
    return events?.some((event) => event.workflowExecutionCompletedEventAttributes) && events;
  }, 'the workflow ended');
  const text = JSON.stringify(history).replace(/"data":"([^"]*)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString(),
  );
  expect(text).toContain('ada@desk');
  // What payloads hold is in the text too.
  expect(text).toContain('applied');
  for (const key of ['cyd-account', 'cyd-user']) {
    expect(text).not.toContain(key);
  }
});
