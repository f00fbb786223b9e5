// A rollback as people start it: a job of its own, with the lease, the gate, a story, and no export.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectLockstep, type Lockstep } from '../../client/lockstep.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';

const before = somePeople(12);
const after = somePeople(12, 1);
const jane = { by: 'jane', reason: 'reviewed' };

let stack: JobStack;
let lockstep: Lockstep;
beforeAll(async () => {
  stack = await startJobStack({
    connectors: { whole: {}, simulated: {}, moved: {}, refused: {} },
  });
  await stack.startWorker();
  lockstep = await connectLockstep({
    environment: stack.environment,
    identity: 'jane@test',
  });
});
afterAll(async () => {
  await lockstep?.close();
  await stack[Symbol.asyncDispose]();
});

/** Loads one day and the next; the id of the latter's job. */
async function twoDays(connector: string): Promise<string> {
  await stack.writePeople(connector, before);
  await lockstep.resume((await lockstep.run(connector)).job, jane);
  await stack.writePeople(connector, after);
  const { job, state } = await lockstep.run(connector);
  expect(state).toBe('blocked');
  await lockstep.resume(job, jane);
  expect(await stack.people(connector)).toEqual(after);
  return job;
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe.concurrent('a rollback', { timeout: 240_000 }, () => {
  test('asks at the gate, restores the store, and is found from both its ends', async () => {
    const undone = await twoDays('whole');
    const asked = await lockstep.rollback(undone);
    expect(asked).toMatchObject({
      state: 'blocked',
      rollbackOf: undone,
      mode: 'complete',
      task: 'all',
      extraction: null,
      counts: { read: 0, updated: 12, rejected: 0 },
    });
    expect(asked.job).toMatch(/^whole\.rollback\.\d{8}T\d{6}Z-[a-z0-9]{4}$/);
    expect(asked.breaches).toContainEqual(
      expect.objectContaining({ threshold: 'maxPercentageUpdatedLines', planned: 12, base: 12 }),
    );
    const job = stack.jobById(asked.job);
    const { currentDetails } = await job.handle.query<{ currentDetails: string }>(
      '__temporal_workflow_metadata',
    );
    expect(currentDetails).toContain(`takes back what **${undone}** has changed`);
    expect(await stack.people('whole')).toEqual(after);

    const done = await lockstep.resume(asked.job, jane);
    expect(done).toMatchObject({ state: 'succeeded', rollbackOf: undone });
    expect(await stack.people('whole')).toEqual(before);
    const { steps, audit } = await job.facts();
    expect(Object.keys(steps).sort()).toEqual(['gate', 'load', 'prepare']);
    expect(audit).toContain('delta-applied');
    expect((await stack.jobById(undone).facts()).audit).toContain('rolled-back');
    const changes = await collect(lockstep.changes(asked.job, { limit: 100 }));
    expect(changes.filter((change) => 'entityType' in change)).toHaveLength(12);

    // The source still says what it said.
    const again = await lockstep.run('whole');
    expect(again).toMatchObject({ state: 'blocked', counts: { updated: 12 } });
    await lockstep.abort(again.job, jane);
  });

  test('that is simulated writes nothing', async () => {
    const undone = await twoDays('simulated');
    expect(await lockstep.rollback(undone, { simulate: true })).toMatchObject({
      state: 'succeeded',
      simulated: true,
      counts: { updated: 12 },
    });
    expect(await stack.people('simulated')).toEqual(after);
  });

  test('is prepared again, without what was edited, when the store moves while it is blocked', async () => {
    const undone = await twoDays('moved');
    const asked = await lockstep.rollback(undone);
    await stack.pool.query(
      `update resource r set attributes = attributes || '{"name": "edited"}' from entity_type t
       where t.id = r.entity_type_id and t.name = 'moved_person' and r.key = 'p03'`,
    );
    const stale = await lockstep.resume(asked.job, jane);
    expect(stale).toMatchObject({
      state: 'blocked',
      error: { code: 'DeltaStale' },
      counts: { updated: 11, rejected: 1 },
    });
    expect(await lockstep.resume(asked.job, jane)).toMatchObject({
      state: 'succeeded-with-rejects',
    });
    expect(await collect(lockstep.rejects(asked.job))).toMatchObject([
      { key: 'p03', column: 'name', value: 'edited', code: 'ChangedSince' },
    ]);
    const people = await stack.people('moved');
    expect(people.find(({ login }) => login === 'p03')?.name).toBe('edited');
    expect(people.filter((_, at) => at !== 2)).toEqual(before.filter((_, at) => at !== 2));
  });

  test('of what cannot be taken back is refused before anything is started', async () => {
    await stack.writePeople('refused', before);
    const asked = await lockstep.run('refused');
    await expect(lockstep.rollback(asked.job)).rejects.toMatchObject({ code: 'NothingToRollBack' });
    await expect(lockstep.rollback('refused.complete.never')).rejects.toMatchObject({
      code: 'NotFound',
    });
    await lockstep.resume(asked.job, jane);
    await stack.pool.query(
      'delete from resource_change where delta_id in (select id from delta where job_id = $1)',
      [asked.job],
    );
    await expect(lockstep.rollback(asked.job)).rejects.toMatchObject({ code: 'ChangesPurged' });
    const jobs = await lockstep.jobs({ connector: 'refused' });
    expect(jobs).toHaveLength(1);
  });
});
