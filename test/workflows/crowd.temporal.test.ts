// Many connectors on one worker: none waits for the job of another one.

import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scheduleId, syncJobType } from '../../workflows/identifiers.ts';
import { hold } from '../support/held-lock.ts';
import { type JobStack, startJobStack, until } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';

const people = somePeople(8);
const crowd = Array.from({ length: 14 }, (_, nth) => `crowd${nth}`);
const jane = { by: 'jane', reason: 'reviewed' };

let stack: JobStack;
beforeAll(async () => {
  const names = ['long', ...crowd];
  stack = await startJobStack({ connectors: Object.fromEntries(names.map((name) => [name, {}])) });
  for (const name of names) await stack.writePeople(name, people);
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** The newest jobs of the crowd by state. */
async function jobs(state: string): Promise<string[]> {
  const { rows } = await stack.pool.query<{ id: string }>(
    'select id from job where connector = any($1) and state = $2',
    [crowd, state],
  );
  return rows.map(({ id }) => id);
}

test('connectors whose schedules start together all get their turn while a long job loads', async () => {
  const long = await stack.start('long');
  await long.waitFor('blocked');
  const lock = `select pg_advisory_xact_lock(hashtextextended('load:long', 0))`;
  await using load = await hold(stack, [lock, []]);
  await long.signal('resume', jane);
  await load.hasStopped('pg_advisory_xact_lock');

  const schedules = await Promise.all(
    crowd.map((connector) =>
      stack.client.schedule.create({
        scheduleId: `${connector}-${stack.taskQueue}`,
        spec: { intervals: [{ every: '1 day' }] },
        policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL },
        state: { triggerImmediately: true },
        action: {
          type: 'startWorkflow',
          workflowType: syncJobType,
          workflowId: scheduleId(connector, 'complete'),
          taskQueue: stack.taskQueue,
          args: [{ connector, mode: 'complete', trigger: 'schedule' }],
        },
      }),
    ),
  );
  stack.disposables.defer(async () => {
    await Promise.all(schedules.map((schedule) => schedule.delete()));
  });
  const all = async (state: string) => {
    const found = await jobs(state);
    return found.length === crowd.length && found;
  };
  for (const id of await until(() => all('blocked'), 'every job of the crowd asks'))
    await stack.jobById(id).signal('resume', jane);
  await until(() => all('succeeded'), 'every job of the crowd has ended');

  expect(await long.facts()).toMatchObject({ state: 'running', steps: { load: 'running' } });
  await load.release();
  expect(await long.result()).toMatchObject({ state: 'succeeded' });
  for (const name of ['long', ...crowd]) expect(await stack.people(name)).toEqual(people);
});
