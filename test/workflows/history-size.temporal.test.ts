// What a job leaves in Temporal's history: few events, however much it has to do, and none for what it need not do.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JobStack, type StartedJob, startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';

let stack: JobStack;
beforeAll(async () => {
  stack = await startJobStack({ connectors: { small: {}, large: {}, idle: {} } });
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Runs a job to its end, resuming it when it asks. */
async function run(connector: string): Promise<StartedJob> {
  const job = await stack.start(connector);
  const { state } = await job.waitFor('blocked', 'succeeded');
  if (state === 'blocked') await job.signal('resume', { by: 'jane', reason: 'reviewed' });
  await job.result();
  expect((await job.facts()).state).toBe('succeeded');
  return job;
}

async function lengthOf(job: StartedJob): Promise<number> {
  return (await job.handle.describe()).historyLength;
}

async function activitiesOf(job: StartedJob): Promise<(string | null | undefined)[]> {
  const { events } = await job.handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [scheduled.activityType?.name] : [],
  );
}

describe.concurrent('the history of a job', () => {
  test('has at most 60 events, however many rows there are', async () => {
    await stack.writePeople('small', somePeople(8));
    await stack.writePeople('large', somePeople(1500));
    const [small, large] = await Promise.all([run('small'), run('large')]);
    expect((await large.facts()).deltas).toMatchObject([{ counts: { inserted: 1503 } }]);
    const events = await lengthOf(large);
    // How many things one workflow task takes up is a matter of chance; each one of its own is three events.
    expect(events - (await lengthOf(small))).toBeLessThanOrEqual(9);
    expect(events).toBeLessThanOrEqual(60);
  });

  test('of a job with nothing to write has no load; its step is told as skipped', async () => {
    await stack.writePeople('idle', somePeople(8));
    await run('idle');
    const job = await run('idle');
    expect(await activitiesOf(job)).toEqual(['beginJob', 'exportSource', 'prepareDelta', 'endJob']);
    const { steps, deltas, audit } = await job.facts();
    expect(steps).toEqual({ export: 'succeeded', prepare: 'succeeded', load: 'skipped' });
    expect(deltas).toMatchObject([{ applied: false, counts: { inserted: 0, unchanged: 11 } }]);
    expect(audit).toEqual([]);
    expect(await lengthOf(job)).toBeLessThanOrEqual(32);
    const { searchAttributes } = await job.handle.describe();
    expect(searchAttributes['SyncJobState']).toEqual(['succeeded']);
  });
});
