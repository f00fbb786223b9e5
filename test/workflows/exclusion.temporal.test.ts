// One job of a connector at a time, whatever started it, and whatever became of the one before.

import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scheduleId, syncJobType } from '../../workflows/identifiers.ts';
import { hold } from '../support/held-lock.ts';
import { readLeftovers } from '../support/job-facts.ts';
import { type JobStack, startJobStack, until } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';

const people = somePeople(8);
const stormMs = 30_000;

let stack: JobStack;
beforeAll(async () => {
  const names = ['stormy', 'calm', 'terminated', 'zombie'];
  stack = await startJobStack({
    connectors: Object.fromEntries(names.map((name) => [name, {}])),
  });
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

describe.concurrent('jobs of one connector', { timeout: 240_000 }, () => {
  test('never overlap, though two schedules fire every second; who finds a waiting one is skipped, visibly', async () => {
    await stack.writePeople('stormy', people);
    expect((await stack.synchronise('stormy')).state).toBe('succeeded');
    const schedules = await Promise.all(
      ['day', 'night'].map((name) =>
        stack.client.schedule.create({
          scheduleId: `${name}-${stack.taskQueue}`,
          spec: { intervals: [{ every: '1s' }] },
          policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: '10s' },
          action: {
            type: 'startWorkflow',
            workflowType: syncJobType,
            workflowId: scheduleId('stormy', 'complete') + name,
            taskQueue: stack.taskQueue,
            args: [{ connector: 'stormy', mode: 'complete', trigger: 'schedule' }],
          },
        }),
      ),
    );
    const since = Date.now();
    await until(() => Date.now() - since > stormMs, 'the storm is over', stormMs + 10_000);
    await Promise.all(schedules.map((schedule) => schedule.delete()));
    const open = `select from job where connector = 'stormy' and ended_at is null`;
    await until(async () => (await stack.pool.query(open)).rowCount === 0, 'all have ended');

    const { rows } = await stack.pool.query<{ state: string; jobs: number }>(
      `select state, count(*)::int as jobs from job where connector = 'stormy' group by state`,
    );
    const jobs = Object.fromEntries(rows.map((row) => [row.state, row.jobs]));
    expect(Object.keys(jobs).sort()).toEqual(['skipped', 'succeeded']);
    expect(jobs['succeeded']).toBeGreaterThan(5);
    expect(jobs['skipped']).toBeGreaterThan(5);

    const worked = `select j.id, min(s.started_at) as first, j.ended_at as last
      from job j join job_step s on s.job_id = j.id where j.connector = 'stormy' group by j.id`;
    const overlaps = await stack.pool.query(
      `with worked as (${worked}) select a.id, b.id from worked a join worked b on a.id < b.id
       where a.first < b.last and b.first < a.last`,
    );
    expect(overlaps.rows).toEqual([]);
    // Every job that worked took the lease anew: its fence grew by exactly one each time. One that was fired last may have
    // begun after we looked.
    const explained = async () => {
      const fence = await stack.pool.query(
        `with worked as (${worked}) select from lease where connector = 'stormy'
           and fence = (select count(*) from worked)`,
      );
      return fence.rowCount === 1;
    };
    await until(explained, 'every fence is explained by a job');
    // Some waited their turn instead of being skipped.
    const waited = await stack.pool.query(
      `with worked as (${worked}) select from worked join job using (id) where first - started_at > interval '400 ms'`,
    );
    expect(waited.rowCount).toBeGreaterThan(0);
    const skipped = await stack.pool.query(`select id from job where state = 'skipped' limit 1`);
    const handle = stack.client.workflow.getHandle(skipped.rows[0].id);
    const { searchAttributes, historyLength } = await handle.describe();
    expect(searchAttributes['SyncJobState']).toEqual(['skipped']);
    expect(historyLength).toBeLessThanOrEqual(60);
    expect(await stack.people('stormy')).toEqual(people);
  });

  test('a blocked job delays no other connector', async () => {
    await stack.writePeople('calm', people);
    const blocked = await stack.start('calm');
    await blocked.waitFor('blocked');
    await stack.writePeople('terminated', people);
    const other = await stack.synchronise('terminated');
    expect(other).toMatchObject({ state: 'succeeded', ended: true });
    expect((await blocked.facts()).state).toBe('blocked');
    await blocked.signal('abort', { by: 'jane' });
    await blocked.result();

    // The same connector again, whose holder dies.
    await stack.writePeople('terminated', somePeople(40, 1));
    const holder = await stack.start('terminated');
    await holder.waitFor('blocked');
    const next = await stack.start('terminated');
    const waits = `select from lease where connector = 'terminated' and waiting = $1`;
    await until(async () => (await stack.pool.query(waits, [next.id])).rowCount === 1, 'it waits');
    await holder.handle.terminate('a test');
    await next.waitFor('blocked');
    expect(await holder.facts()).toMatchObject({
      state: 'failed',
      ended: true,
      error: { code: 'JobTerminated' },
      steps: { gate: 'failed' },
      deltas: [{ applied: false }],
    });
    await next.signal('resume', { by: 'jane' });
    await next.result();
    expect(await stack.people('terminated')).toEqual(somePeople(40, 1));
    expect(await readLeftovers(stack.pool, 'terminated')).toEqual({
      dangling: 0,
      held: 0,
      open: 0,
    });
  });

  test('a frozen worker that wakes up after its job was terminated and replaced writes nothing', async () => {
    // Task queues of their own: a frozen worker still has requests for tasks open.
    const [old, other] = [`${stack.taskQueue}-old`, `${stack.taskQueue}-other`];
    await stack.writePeople('zombie', people);
    const first = await stack.synchronise('zombie');
    expect(first.state).toBe('succeeded');
    await stack.writePeople('zombie', somePeople(8, 1));

    const worker = await stack.startWorker({ LOCKSTEP_TASK_QUEUE: old });
    const lock = `select pg_advisory_xact_lock(hashtextextended('load:zombie', 0))`;
    await using beforeLoad = await hold(stack, [lock, []]);
    const zombie = await stack.start('zombie', {}, old);
    await beforeLoad.hasStopped('pg_advisory_xact_lock');
    await worker.kill('SIGSTOP');
    await zombie.handle.terminate('a test');

    await stack.startWorker({ LOCKSTEP_TASK_QUEUE: other });
    await stack.writePeople('zombie', somePeople(8, 2));
    const heir = await stack.start('zombie', {}, other);
    await until(async () => (await heir.facts())?.steps['load'] === 'running', 'the heir loads');
    await beforeLoad.release();
    await worker.kill('SIGCONT');

    expect(await heir.result()).toMatchObject({ state: 'succeeded', counts: { updated: 8 } });
    const unfinished = `select from pg_stat_activity where datname = current_database()
      and application_name = 'lockstep worker' and xact_start is not null`;
    await until(
      async () => (await stack.pool.query(unfinished)).rowCount === 0,
      'the zombie is done',
    );
    expect(await zombie.facts()).toMatchObject({
      state: 'failed',
      error: { code: 'JobTerminated' },
      deltas: [{ applied: false }],
    });
    expect(await stack.people('zombie')).toEqual(somePeople(8, 2));
    const { rows } = await stack.pool.query(
      `select from resource r join delta d on d.id = r.delta_id where d.job_id = $1`,
      [zombie.id],
    );
    expect(rows).toEqual([]);
    expect(await readLeftovers(stack.pool, 'zombie')).toEqual({ dangling: 0, held: 0, open: 0 });
  });
});
