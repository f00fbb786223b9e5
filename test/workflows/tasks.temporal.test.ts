// Tasks alone, as jobs of their own: each with its steps, its state and its story; what comes first must have succeeded.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectLockstep } from '../../client/lockstep.ts';
import type { SyncJobRequest } from '../../workflows/messages.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';

const before = somePeople(12);
const after = somePeople(12, 1);
const jane = { by: 'jane', reason: 'reviewed' };

let stack: JobStack;
beforeAll(async () => {
  const names = ['alone', 'story', 'broken', 'touched', 'client'];
  stack = await startJobStack({
    connectors: Object.fromEntries(names.map((name) => [name, {}])),
  });
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

async function ended(connector: string, request: Partial<SyncJobRequest>) {
  const job = await stack.start(connector, request);
  await job.result();
  return { ...(await job.facts()), id: job.id };
}

describe.concurrent('a task alone', { timeout: 180_000 }, () => {
  test('is a job with its own steps; export, prepare, synchronize in a row do what all does', async () => {
    await stack.writePeople('alone', before);
    const exported = await ended('alone', { task: 'export' });
    expect(exported).toMatchObject({ state: 'succeeded', steps: { export: 'succeeded' } });
    expect(Object.keys(exported.steps)).toEqual(['export']);
    expect(exported.deltas).toEqual([]);
    // What the system holds by now does not matter any more.
    await stack.writePeople('alone', after);

    const planned = await ended('alone', { task: 'prepare' });
    expect(planned).toMatchObject({ state: 'succeeded', extraction: exported.extraction });
    expect(Object.keys(planned.steps)).toEqual(['prepare']);
    expect(planned.deltas).toMatchObject([{ applied: false, counts: { inserted: 15 } }]);
    expect(await stack.people('alone')).toEqual([]);

    const job = await stack.start('alone', { task: 'synchronize', extraction: exported.id });
    await job.waitFor('blocked');
    await job.signal('resume', jane);
    await job.result();
    const loaded = await job.facts();
    expect(loaded).toMatchObject({ state: 'succeeded', extraction: exported.extraction });
    expect(Object.keys(loaded.steps).sort()).toEqual(['gate', 'load', 'prepare']);
    expect(loaded.deltas).toMatchObject([{ applied: true }]);
    expect(await stack.people('alone')).toEqual(before);
  });

  test('tells its story in Temporal: which task, on what, and that the store goes back in time', async () => {
    await stack.writePeople('story', before);
    const old = await stack.synchronise('story');
    await stack.writePeople('story', after);
    const current = await stack.synchronise('story');
    const job = await stack.start('story', { task: 'prepare', extraction: old.extraction ?? '' });
    await job.result();
    expect((await job.progress()).notes).toEqual([
      `works on the extraction ${old.extraction}`,
      `goes back in time: the newer ${current.extraction} is loaded already`,
    ]);
  });

  test('is started by our client: its id, memo and search attributes say which, and its log tells it', async () => {
    await stack.writePeople('client', before);
    await using lockstep = await connectLockstep({
      environment: stack.environment,
    });
    const exported = await lockstep.run('client', { task: 'export', by: 'jane' });
    expect(exported).toMatchObject({ task: 'export', state: 'succeeded', simulated: false });
    expect(exported.job).toMatch(/^client\.complete\.export\.\d{8}T\d{6}Z-/);
    expect((await lockstep.log(exported.job)).map(({ message }) => message)).toEqual([
      'job began: client, complete, export alone, by jane',
      'export began',
      expect.stringMatching(/^export succeeded: 3[0-9] rows, \d+ bytes$/),
      'job ended: succeeded',
    ]);
    const planned = await lockstep.run('client', { task: 'prepare', extraction: exported.job });
    expect(planned).toMatchObject({
      task: 'prepare',
      state: 'succeeded',
      simulated: true,
      extraction: exported.extraction,
      counts: { inserted: 15 },
    });
    expect((await lockstep.extractions({ connector: 'client' }))[0]).toMatchObject({
      extraction: exported.extraction,
      loadedAt: null,
    });
    const { memo, searchAttributes } = await stack.jobById(planned.job).handle.describe();
    expect(memo).toMatchObject({ task: 'prepare', simulated: true });
    expect(searchAttributes).toMatchObject({ SyncTask: ['prepare'] });
    await expect(
      lockstep.run('client', { task: 'prepare', extraction: 'client/nothing' }),
    ).rejects.toMatchObject({ code: 'NotFound' });
    await expect(lockstep.run('client', { extraction: exported.job })).rejects.toMatchObject({
      code: 'UsageInvalid',
    });
    await expect(lockstep.run('client', { task: 'export', simulate: true })).rejects.toMatchObject({
      code: 'UsageInvalid',
    });
  });

  test('that fails is the end: nothing is prepared from what was not exported', async () => {
    await stack.writePeople('broken', before);
    await writeFile(join(stack.directory('broken'), 'teams.csv'), '');
    const exported = await ended('broken', { task: 'export' });
    expect(exported).toMatchObject({ state: 'failed', error: { code: 'SourceEmpty' } });
    const all = await ended('broken', {});
    expect(all.steps).toEqual({ export: 'failed' });
    const planned = await ended('broken', { task: 'prepare' });
    expect(planned).toMatchObject({ state: 'failed', error: { code: 'NotFound' }, steps: {} });
  });

  test('refuses a kept extraction that was touched, and nothing is written', async () => {
    await stack.writePeople('touched', before);
    const { extraction } = await ended('touched', { task: 'export' });
    const file = join(stack.home, 'extractions', extraction ?? '', 'teams.csv');
    await writeFile(file, 'code,label\nt1,Mine\n');
    for (const task of ['prepare', 'synchronize'] as const) {
      const refused = await ended('touched', { task });
      expect(refused).toMatchObject({
        state: 'failed',
        error: { code: 'ExtractionModified' },
        steps: { prepare: 'failed' },
        deltas: [],
      });
    }
    expect(await stack.people('touched')).toEqual([]);
  });
});
