// Kills a worker with SIGKILL while it holds jobs at every moment of their lives, and starts another one.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hold } from '../support/held-lock.ts';
import { readAppliedChanges, readLeftovers } from '../support/job-facts.ts';
import { type JobStack, type StartedJob, startJobStack, until } from '../support/job-stack.ts';
import { somePeople, writeBulkyMembers } from '../support/people.ts';

const before = somePeople(8);
const after = somePeople(8, 1);

const connectors = [
  'exporting',
  'exported',
  'preparing',
  'loading',
  'committed',
  'cancelled',
  'blocked',
] as const;
type Connector = (typeof connectors)[number];

let stack: JobStack;
beforeAll(async () => {
  const options = Object.fromEntries(connectors.map((name) => [name, {}]));
  stack = await startJobStack({ connectors: options });
});
afterAll(() => stack[Symbol.asyncDispose]());

test('one kill -9 of a worker finds jobs in export, prepare, load and at the gate: each ends as without it', {
  timeout: 240_000,
}, async () => {
  const worker = await stack.startWorker();
  for (const connector of connectors) await stack.writePeople(connector, before);
  const first = await Promise.all(connectors.map((name) => stack.synchronise(name)));
  expect(first.map(({ state, error }) => error ?? state)).toEqual(
    connectors.map(() => 'succeeded'),
  );
  for (const connector of connectors) {
    await stack.writePeople(connector, connector === 'blocked' ? somePeople(40, 1) : after);
  }

  const jobs = {} as Record<Connector, StartedJob>;
  const start = async (connector: Connector) => {
    jobs[connector] = await stack.start(connector);
    return jobs[connector];
  };

  await (await start('blocked')).waitFor('blocked');

  // In load, before the commit: a row that is being inserted under the same key lets the load's insert wait. The rows
  // that the load changed before are written, but not committed.
  const loadMiddle = await Promise.all(
    (['loading', 'committed', 'cancelled'] as const).map(async (connector) => {
      const rows = await stack.pool.query<{ id: string }>(
        `select r.id from resource r join entity_type t on t.id = r.entity_type_id
         where t.name = $1 and r.key = 'p08'`,
        [`${connector}_person`],
      );
      const row = 'select from resource where id = $1 for update';
      const lock = await hold(stack, [row, [rows.rows[0]?.id]]);
      await start(connector);
      await lock.hasStopped('update resource r');
      return [connector, lock] as const;
    }),
  );
  const locks = Object.fromEntries(loadMiddle);

  // In load, after the commit and before its report: the note that the step is done has to wait.
  const reports = await Promise.all(
    (['committed', 'cancelled'] as const).map(async (connector) => {
      const step = `select from job_step where job_id = $1 and name = 'load' for update`;
      const report = await hold(stack, [step, [jobs[connector].id]]);
      await locks[connector]?.release();
      await report.hasStopped('job_step');
      return report;
    }),
  );
  for (const connector of ['committed', 'cancelled'] as const) {
    expect((await jobs[connector].facts()).deltas).toMatchObject([{ applied: true }]);
  }

  // At the end of export: the snapshot is complete, its name not yet noted.
  await writeBulkyMembers(stack.directory('exported'), after);
  await start('exported');
  await until(() => stack.exportIsWriting('exported'), 'the export writes');
  const row = 'select from job where id = $1 for no key update';
  const noting = await hold(stack, [row, [jobs.exported.id]]);
  await noting.hasStopped('update');
  expect(await stack.exportIsWriting('exported')).toBe(false);

  // In prepare: people are staged, and nobody may read the links that wait.
  const planning = await hold(stack, ['lock table pending_link in access exclusive mode', []]);
  await start('preparing');
  await planning.hasStopped('pending_link');

  // In the middle of export: a file that takes a while to copy.
  await writeBulkyMembers(stack.directory('exporting'), after);
  await start('exporting');
  await until(() => stack.exportIsWriting('exporting'), 'the export writes');
  await worker.kill('SIGKILL');

  expect(await stack.exportIsWriting('exporting')).toBe(true);
  const atKill = await Promise.all(connectors.map((name) => jobs[name].facts()));
  expect(Object.fromEntries(connectors.map((name, at) => [name, atKill[at]?.steps]))).toEqual({
    exporting: { export: 'running' },
    exported: { export: 'running' },
    preparing: { export: 'succeeded', prepare: 'running' },
    loading: { export: 'succeeded', prepare: 'succeeded', load: 'running' },
    committed: { export: 'succeeded', prepare: 'succeeded', load: 'running' },
    cancelled: { export: 'succeeded', prepare: 'succeeded', load: 'running' },
    blocked: { export: 'succeeded', prepare: 'succeeded', gate: 'blocked' },
  });
  expect(await stack.people('loading')).toEqual(before);
  expect(await stack.people('committed')).toEqual(after);

  // While no worker is up, a person resumes one job and cancels another.
  await jobs.blocked.signal('resume', { by: 'jane', reason: 'reviewed before the crash' });
  await jobs.cancelled.handle.cancel();
  await Promise.all(
    [planning, noting, locks['loading'], ...reports].map((lock) => lock?.release()),
  );

  await stack.startWorker();
  await Promise.all(connectors.map((name) => jobs[name].result()));

  for (const connector of connectors) {
    const facts = await jobs[connector].facts();
    const what = `${connector} ${JSON.stringify(facts)}`;
    expect(facts, what).toMatchObject({ state: 'succeeded', ended: true, error: null });
    expect(facts.deltas, what).toMatchObject([{ applied: true }]);
    expect(
      facts.audit.filter((action) => action === 'delta-applied'),
      what,
    ).toHaveLength(1);
    expect(facts.steps, what).toMatchObject({ export: 'succeeded', load: 'succeeded' });
    expect(await readLeftovers(stack.pool, connector), what).toEqual({
      dangling: 0,
      held: 0,
      open: 0,
    });
    // One extraction of each job, and nothing unfinished.
    const kept = await stack.extractions(connector);
    expect(kept, what).toHaveLength(2);
    expect(kept.join(), what).not.toContain('unfinished');
    expect(facts.extraction, what).toBe(
      join(connector, kept.find((name) => name.startsWith(`${jobs[connector].id}~`)) ?? 'none'),
    );
  }
  for (const connector of connectors) {
    const people = connector === 'blocked' ? somePeople(40, 1) : after;
    expect(await stack.people(connector), connector).toEqual(people);
    const changes = await readAppliedChanges(stack.pool, connector);
    for (const person of people) {
      const known = before.some(({ login }) => login === person.login);
      expect(changes[person.login], `${connector} ${person.login}`).toEqual(
        known ? ['insert', 'update'] : ['insert'],
      );
    }
  }
  expect((await jobs.cancelled.facts()).decisions).toMatchObject([
    { action: 'abort', via: 'cancel', effect: 'ignored', why: expect.stringContaining('too late') },
  ]);
  expect((await jobs.blocked.facts()).decisions).toMatchObject([
    {
      action: 'resume',
      effect: 'applied',
      identity: 'jane@test',
      reason: 'reviewed before the crash',
    },
  ]);
});
