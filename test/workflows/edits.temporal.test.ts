// Edits of what is managed by us, from the command line through Temporal and a worker to the store, and back.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../client/command-line.ts';
import { type Lockstep, lockstepOf } from '../../client/lockstep.ts';
import { Session } from '../../client/session.ts';
import { captured } from '../client/captured-stream.ts';
import { directoryConfiguration } from '../fixtures/directory.ts';
import { hold } from '../support/held-lock.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';

let stack: JobStack;
let environment: NodeJS.ProcessEnv;
let session: Session;
let lockstep: Lockstep;
beforeAll(async () => {
  stack = await startJobStack({ connectors: {} });
  const { entityTypes, ...rest } = directoryConfiguration();
  const guarded = { ...entityTypes['department'], thresholds: { maximumDeletedLines: 0 } };
  await writeFile(
    join(stack.home, 'lockstep.yaml'),
    JSON.stringify({ ...rest, entityTypes: { ...entityTypes, department: guarded } }),
  );
  environment = stack.environment;
  await stack.startWorker();
  session = new Session({ environment, identity: 'jane@hr' });
  lockstep = lockstepOf(session);
});
afterAll(async () => {
  await session.close();
  await stack[Symbol.asyncDispose]();
});

async function command(...args: string[]) {
  const stdout = captured();
  const stderr = captured();
  const streams = { stdout: stdout.stream, stderr: stderr.stream, environment };
  const exitCode = await runCommandLine(args, streams);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** Every word of Temporal's history of a job, its payloads decoded. */
async function historyOf(job: string): Promise<string> {
  const { events } = await stack.client.workflow.getHandle(job).fetchHistory();
  return JSON.stringify(events, (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
}

describe('on the command line', () => {
  test('set creates, changes and clears, and show has it', async () => {
    const created = await command('set', 'user', 'jdoe', 'mail=j@x', 'active=yes', 'floor=3');
    expect(created).toMatchObject({ exitCode: 0 });
    expect(created.stdout).toMatch(/^✓ Created {2}local\.edit\.\S+\n\+ user jdoe .*floor: 3/);
    const changed = await command('set', 'user', 'jdoe', 'floor=', 'hired=2024-02-29', '--json');
    expect(JSON.parse(changed.stdout)).toMatchObject({
      ...{ connector: 'local', task: 'edit', state: 'succeeded', simulated: false },
      counts: { updated: 1 },
      entityTypes: { user: { updated: 1 } },
    });
    const shown = await command('show', 'user', 'jdoe', '--json');
    expect(JSON.parse(shown.stdout).attributes).toEqual({
      ...{ userName: 'jdoe', active: true, hired: '2024-02-29', mail: 'j@x' },
    });
    const again = await command('set', 'user', 'jdoe', 'hired=2024-02-29');
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: '– Nothing to change: it is so already.\n',
    });
  });

  test('a key that may be a slip is told when it is created', async () => {
    await command('set', 'role', 'auditor');
    expect((await command('set', 'role', 'auditer')).stderr).toContain('Was “auditor” meant?');
  });

  test('link, unlink and delete work from either end', async () => {
    await command('set', 'user', 'ada', 'mail=a@x');
    await command('set', 'role', 'admin', 'name=admin');
    const linked = await command('link', 'user', 'ada', 'roles', 'admin');
    expect(linked.stdout).toContain('role admin  members + ada');
    expect((await lockstep.show('role', 'admin')).links).toEqual({ members: ['ada'] });
    expect((await command('unlink', 'role', 'admin', 'members', 'ada')).exitCode).toBe(0);
    expect((await lockstep.show('role', 'admin')).links).toEqual({});
    expect((await command('delete', 'user', 'ada', '--reason', 'left')).stdout).toMatch(/Deleted/);
    expect((await command('show', 'user', 'ada')).exitCode).toBe(2);
  });

  test.each([
    ['floor=x', 'floor of user: “x” is not a whole number'],
    ['flor=3', 'user has no property “flor”; did you mean “floor”?'],
    ['floor', '“floor” does not say property=value'],
    ['roles=admin', 'roles of user holds links, not a value'],
    ['department=RE', 'There is no department “RE”'],
  ])('%s is refused before anything is started', async (text, message) => {
    const before = await stack.pool.query('select count(*) from edit_request');
    const { exitCode, stderr } = await command('set', 'user', 'eve', text);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) });
    expect((await stack.pool.query('select count(*) from edit_request')).rows).toEqual(before.rows);
  });

  test('slips in names of entity types, keys and navigation properties are named', async () => {
    await command('set', 'role', 'viewer');
    const said = async (...args: string[]) => (await command(...args)).stderr;
    expect(await said('set', 'usr', 'x')).toContain('did you mean “user”?');
    expect(await said('delete', 'role', 'viewr')).toContain('did you mean “viewer”?');
    expect(await said('link', 'role', 'viewer', 'member', 'x')).toContain('“members”?');
  });

  test('what the entity type does not allow fails the job, with exit code 2', async () => {
    const { exitCode, stdout } = await command('set', 'user', 'eve', 'active=true');
    expect({ exitCode, stdout }).toEqual({
      exitCode: 2,
      stdout: expect.stringContaining(
        'ResourceInvalid: this user cannot be stored: mail is required',
      ),
    });
    const refused = await command('set', 'user', 'root', 'mail=r@x');
    expect(refused.exitCode).toBe(0);
    expect(await command('delete', 'user', 'root')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('ResourceProtected'),
    });
  });
});

describe('an edit', () => {
  test('is in the name of who started it for Temporal, and no value stands in its history', async () => {
    const { job } = await lockstep.set(
      'user',
      'secretkey',
      { mail: 'secretmail' },
      { reason: 'why' },
    );
    const { rows } = await stack.pool.query(
      `select actor, detail ->> 'reason' as reason from audit_event where subject = $1 and action = 'resource-edited'`,
      [job],
    );
    expect(rows).toEqual([{ actor: 'jane@hr', reason: 'why' }]);
    expect(await historyOf(job)).toContain('jane@hr');
    expect(await historyOf(job)).not.toContain('secret');
    const [entry] = await lockstep.history('user', 'secretkey');
    expect(entry).toMatchObject({ job, trigger: 'person', requestedBy: 'jane@hr' });
    const { properties } = await lockstep.explain('user', 'secretkey', 'mail');
    expect(properties).toMatchObject([
      {
        ...{ property: 'mail', stored: 'secretmail', format: 'string, required' },
        lastChange: { job, requestedBy: 'jane@hr', before: null, after: 'secretmail' },
      },
    ]);
  });

  test('is taken back by a rollback, which holds no connector either', async () => {
    await lockstep.set('user', 'lee', { mail: 'l@x' });
    const { job } = await lockstep.set('user', 'lee', { mail: 'm@x' });
    const simulated = await command('rollback', job, '--simulate', '--json');
    expect(JSON.parse(simulated.stdout)).toMatchObject({ simulated: true, counts: { updated: 1 } });
    expect((await lockstep.show('user', 'lee')).attributes).toMatchObject({ mail: 'm@x' });
    const back = await command('rollback', job, '--json');
    expect(back.exitCode).toBe(0);
    expect(JSON.parse(back.stdout)).toMatchObject({ ...{ task: 'edit', rollbackOf: job } });
    expect((await lockstep.show('user', 'lee')).attributes).toMatchObject({ mail: 'l@x' });
  });

  test('that passes a limit asks, keeps no other from being made, and is loaded once resumed', async () => {
    await lockstep.set('department', 'RD', {});
    await lockstep.set('department', 'HQ', {});
    const asked = await command('delete', 'department', 'RD', '--json');
    expect(asked.exitCode).toBe(3);
    const { job, breaches } = JSON.parse(asked.stdout);
    expect(breaches).toMatchObject([{ threshold: 'maximumDeletedLines', scope: 'department' }]);
    expect(await lockstep.set('department', 'RD', { name: 'Research' })).toMatchObject({
      state: 'succeeded',
    });
    // What was reviewed is no longer so: it is prepared again, and asks again.
    expect(await lockstep.resume(job)).toMatchObject({
      state: 'blocked',
      error: { code: 'DeltaStale' },
    });
    expect(await lockstep.resume(job)).toMatchObject({ state: 'succeeded' });
    await expect(lockstep.show('department', 'RD')).rejects.toMatchObject({ code: 'NotFound' });
    const other = await lockstep.delete('department', 'HQ');
    expect(await lockstep.abort(other.job)).toMatchObject({ state: 'aborted' });
    expect((await lockstep.show('department', 'HQ')).key).toBe('HQ');
  });

  test('of one resource by many at once loses none of them', async () => {
    await lockstep.set('user', 'busy', { mail: 'b@x' });
    const values = [
      ...[{ floor: 7 }, { share: 1.5 }, { active: true }, { givenName: 'Bo' }],
      ...[{ hired: '2024-02-29' }, { seen: '2024-02-29T10:00:00.000Z' }],
    ];
    const jobs = await Promise.all(
      values.map((each) => lockstep.set('user', 'busy', each as Record<string, string | number>)),
    );
    expect(jobs.map(({ state }) => state)).toEqual(Array(6).fill('succeeded'));
    const expected = Object.assign({ userName: 'busy', mail: 'b@x' }, ...values);
    expect((await lockstep.show('user', 'busy')).attributes).toEqual(expected);
  });

  test('of many resources, the first of their type at once, are all made', async () => {
    const names = Array.from({ length: 8 }, (_, number) => `new${number}`);
    const jobs = await Promise.all(names.map((name) => lockstep.set('role', name, {})));
    expect(jobs.map(({ state }) => state)).toEqual(Array(8).fill('succeeded'));
    for (const name of names) expect((await lockstep.show('role', name)).key).toBe(name);
  });

  test('survives the death of its worker between request and load, and is made once', async () => {
    await lockstep.set('user', 'kim', { mail: 'k@x' });
    const turn = `select pg_advisory_xact_lock(hashtextextended('load:local', 0))`;
    const held = await hold(stack, [turn, []]);
    const edit = await lockstep.set('user', 'kim', { floor: 9 }, { wait: false });
    await held.hasStopped('pg_advisory_xact_lock');
    await stack.workers[0]?.kill('SIGKILL');
    await held.release();
    await stack.startWorker();
    await expect
      .poll(async () => (await lockstep.job(edit.job)).state, { timeout: 60_000 })
      .toBe('succeeded');
    const { rows } = await stack.pool.query(
      `select action from audit_event where subject = $1 order by id`,
      [edit.job],
    );
    expect(rows.map(({ action }) => action)).toEqual(['resource-edited', 'delta-applied']);
    expect(await lockstep.history('user', 'kim')).toHaveLength(2);
  });
});
