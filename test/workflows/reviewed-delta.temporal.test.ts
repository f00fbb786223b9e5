// A resume applies exactly what was reviewed, once: whatever happened to store, source, extraction or workflow since.

import { randomUUID } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAppliedChanges, readLeftovers } from '../support/job-facts.ts';
import { type JobStack, type StartedJob, startJobStack, until } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';

const before = somePeople(12);
const after = somePeople(12, 1);
const jane = { by: 'jane', reason: 'reviewed' };

let stack: JobStack;
beforeAll(async () => {
  const names = ['edited', 'source', 'tampered', 'again', 'late'];
  stack = await startJobStack({
    connectors: Object.fromEntries(names.map((name) => [name, {}])),
  });
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** A connector that has `before` in the store, and a job that asks to make it `after`. */
async function jobThatAsks(connector: string): Promise<StartedJob> {
  await stack.writePeople(connector, before);
  expect((await stack.synchronise(connector)).state).toBe('succeeded');
  await stack.writePeople(connector, after);
  const job = await stack.start(connector);
  await job.waitFor('blocked');
  return job;
}

async function eventsOf(job: StartedJob) {
  return (await job.handle.fetchHistory()).events ?? [];
}

/** Resets a workflow to the task that scheduled an activity; to its first task without one. */
async function reset(job: StartedJob, activity?: string): Promise<StartedJob> {
  const events = await eventsOf(job);
  const at = events.findIndex(
    ({ activityTaskScheduledEventAttributes: scheduled }) =>
      activity !== undefined && scheduled?.activityType?.name === activity,
  );
  const completed = (index: number) => events[index]?.workflowTaskCompletedEventAttributes;
  let task = at === -1 ? events.findIndex((_, index) => completed(index)) : at;
  while (!completed(task)) task -= 1;
  await stack.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: job.id, runId: (await job.handle.describe()).runId },
    reason: 'a test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: events[task]?.eventId ?? null,
  });
  return stack.jobById(job.id);
}

describe.concurrent('a reviewed delta', { timeout: 180_000 }, () => {
  test('goes stale when the store is edited: it is prepared and asked anew, and nothing is written before', async () => {
    const job = await jobThatAsks('edited');
    const [reviewed] = (await job.facts()).deltas;
    await stack.pool.query(
      `update resource set attributes = attributes || '{"name": "edited by hand"}'
       where key = 'p03' and entity_type_id = (select id from entity_type where name = 'edited_person')`,
    );
    const edited = before.map((person) =>
      person.login === 'p03' ? { ...person, name: 'edited by hand' } : person,
    );
    await job.signal('resume', jane);
    await until(async () => (await job.facts()).error?.code === 'DeltaStale', 'it is stale');
    const asked = await job.waitFor('blocked');
    expect(await stack.people('edited')).toEqual(edited);
    expect(asked.deltas.filter(({ applied }) => applied)).toEqual([]);
    expect(asked.deltas.at(-1)?.digest).not.toBe(reviewed?.digest);
    expect((await job.progress()).delta).toBe(asked.deltas.at(-1)?.digest);

    await job.signal('resume', jane);
    await job.result();
    const { state, error, deltas, audit } = await job.facts();
    expect({ state, error }).toEqual({ state: 'succeeded', error: null });
    expect(deltas.at(-1)).toMatchObject({ applied: true, counts: { updated: 12 } });
    expect(audit.filter((action) => action === 'delta-applied')).toHaveLength(1);
    expect(await stack.people('edited')).toEqual(after);
    expect((await eventsOf(job)).length).toBeLessThanOrEqual(90);
  });

  test('is what the extraction held: a source written anew since waits for the next job', async () => {
    const job = await jobThatAsks('source');
    await stack.writePeople('source', somePeople(13, 2));
    await job.signal('resume', jane);
    await job.result();
    expect((await job.facts()).state).toBe('succeeded');
    expect(await stack.people('source')).toEqual(after);
    // A job that stops at the gate and is resumed fits on one page of the Temporal UI.
    expect((await eventsOf(job)).length).toBeLessThanOrEqual(60);
  });

  test('is not loaded when one byte of its extraction was changed', async () => {
    const job = await jobThatAsks('tampered');
    const { extraction } = await job.facts();
    const file = join(stack.home, 'extractions', extraction ?? '', 'people.csv');
    const text = await readFile(file, 'utf8');
    await using handle = await open(file, 'r+');
    await handle.write('X', text.indexOf('Person 05'));
    await job.signal('resume', jane);
    expect(await job.result()).toMatchObject({ cause: { type: 'ExtractionModified' } });
    const { state, error, deltas } = await job.facts();
    expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'ExtractionModified' });
    expect(deltas).toMatchObject([{ applied: false }]);
    expect(await stack.people('tampered')).toEqual(before);
    expect(await readLeftovers(stack.pool, 'tampered')).toEqual({ dangling: 0, held: 0, open: 0 });
  });

  test('is not loaded twice by a workflow that is reset to its begin', async () => {
    const job = await jobThatAsks('again');
    await job.signal('resume', jane);
    await job.result();
    const events = await eventsOf(job);
    const again = await reset(job);
    expect(await again.result()).toMatchObject({ state: 'succeeded', counts: { updated: 0 } });
    expect(await stack.people('again')).toEqual(after);
    const changes = await readAppliedChanges(stack.pool, 'again');
    expect(changes['p01']).toEqual(['insert', 'update']);
    // The old resume came to the new run before it asked for anything.
    expect((await again.facts()).decisions.map(({ effect }) => effect)).toEqual([
      'applied',
      'ignored',
    ]);
    expect(await readLeftovers(stack.pool, 'again')).toEqual({ dangling: 0, held: 0, open: 0 });
    expect(events.length).toBeLessThanOrEqual(60);
  });

  test('is not loaded twice by a workflow that is reset to its load', async () => {
    const job = await jobThatAsks('late');
    await job.signal('resume', jane);
    await job.result();
    const stored = `select r.id, d.job_id as changed_by, r.changed_at
      from resource r left join delta d on d.id = r.delta_id order by r.id`;
    const { rows } = await stack.pool.query(`${stored}`);
    const again = await reset(job, 'loadDelta');
    expect(await again.result()).toMatchObject({ state: 'succeeded', counts: { updated: 12 } });
    const { state, deltas, audit } = await again.facts();
    expect(state).toBe('succeeded');
    expect(deltas).toMatchObject([{ applied: true }]);
    expect(audit.filter((action) => action === 'delta-applied')).toHaveLength(1);
    const own = (all: { changed_by: string }[]) => all.filter((row) => row.changed_by === job.id);
    expect(own((await stack.pool.query(stored)).rows)).toEqual(own(rows));
    expect(own(rows)).toHaveLength(12);
  });
});
