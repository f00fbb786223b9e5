/** Tasks alone: what is kept is prepared and loaded again against today's store, and expressions are recomputed from it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import type { Task } from '../../engine/job.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

/** People with a first name, a last name, and what an expression makes of them. */
function people(expression = 'last'): ConfigurationDocument {
  return {
    connectors: { sab: { kind: 'csv', directory: './sab' } },
    entityTypes: {
      person: {
        connector: 'sab',
        source: 'people.csv',
        key: 'id',
        properties: {
          id: { column: 'id' },
          first: { column: 'first' },
          last: { column: 'last' },
          shown: { expression },
        },
      },
    },
  };
}

const file = (...rows: string[]) => ({ 'people.csv': ['id,first,last', ...rows, ''].join('\n') });
const tuesday = file('1,Ada,Lovelace', '2,Alan,Turing', '3,Grace,Hopper');
const wednesday = file('1,Ada,King', '2,Alan,Turing', '4,Edsger,Dijkstra');

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(people());
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(people()));

async function shown(): Promise<Record<string, unknown>> {
  const { resources } = await bench.contents();
  const all = Object.entries(resources['person'] ?? {});
  return Object.fromEntries(all.map(([key, values]) => [key, (values as { shown: string }).shown]));
}

async function refused(task: Task, extraction?: string) {
  const id = `refused-${randomUUID()}`;
  const request = {
    connector: 'sab',
    mode: 'complete' as const,
    task,
    extraction: extraction ?? null,
  };
  const rest = { simulate: false, trigger: 'person', by: null, configurationFile: null } as const;
  try {
    await bench.run('beginJob', { ...request, ...rest }, id);
    return 'accepted';
  } catch (error) {
    return `${(error as { type: string }).type}: ${(error as Error).message}`;
  } finally {
    await bench.run('endJob', { connector: 'sab', state: 'failed', error: null }, id);
  }
}

describe('a kept extraction', () => {
  test('is prepared against today’s store, whatever was loaded since, and nothing is written', async () => {
    const first = await bench.sync(tuesday);
    const second = await bench.sync(wednesday);
    const plan = await bench.prepareKept('prepare', first.extraction);
    expect(plan.counts).toMatchObject({ inserted: 1, updated: 1, deleted: 1 });
    expect(plan.diagnoses).toEqual([{ kind: 'olderExtraction', scope: 'sab', columns: [] }]);
    expect(
      plan.changes.map(({ change, ...where }) => [change, 'key' in where && where.key]),
    ).toEqual(
      expect.arrayContaining([
        ['insert', '3'],
        ['update', '1'],
        ['delete', '4'],
      ]),
    );
    await plan.end();
    expect((await bench.contents()).resources).toEqual(second.contents.resources);
  });

  test('may be named by the job that made it, and is the last one when none is named', async () => {
    const first = await bench.sync(tuesday);
    const second = await bench.sync(wednesday);
    const byJob = await bench.prepareKept('prepare', first.id);
    expect(byJob.extraction).toBe(first.extraction);
    await byJob.end();
    const last = await bench.prepareKept('prepare');
    expect(last.extraction).toBe(second.extraction);
    expect(last.empty).toBe(true);
    expect(last.diagnoses).toEqual([]);
    await last.end();
  });

  test('is loaded again through the gate: the store is what it was on that day', async () => {
    const first = await bench.sync(tuesday);
    await bench.sync(wednesday);
    const job = await bench.prepareKept('synchronize', first.extraction);
    expect(await job.load()).toBe('applied');
    expect(await job.end()).toBe('succeeded');
    expect((await bench.contents()).resources).toEqual(first.contents.resources);
    expect((await bench.prepareKept('synchronize', first.extraction)).empty).toBe(true);
  });

  test('that was prepared before is prepared anew: an edit in between is part of the plan', async () => {
    const first = await bench.sync(tuesday);
    await bench.sync(wednesday);
    const plan = await bench.prepareKept('prepare', first.extraction);
    await plan.end();
    await bench.store.pool.query(
      `update resource set attributes = attributes || '{"first": "Al"}' where key = '2'`,
    );
    const job = await bench.prepareKept('synchronize', first.extraction);
    expect(job.counts.updated).toBe(plan.counts.updated + 1);
    await job.load();
    await job.end();
    expect((await bench.contents()).resources).toEqual(first.contents.resources);
  });

  test('of another connector, of another mode, or that never was, is refused before anything is prepared', async () => {
    const { extraction } = await bench.sync(tuesday);
    expect(await refused('prepare', 'sab/nothing')).toMatch(
      /^NotFound: there is no such extraction/,
    );
    await bench.store.pool.query(`update extraction set connector = 'other'`);
    expect(await refused('prepare', extraction)).toMatch(/^NotFound: there is no such extraction/);
    expect(await refused('prepare')).toMatch(/^NotFound: there is no kept extraction/);
    await bench.store.pool.query(`update extraction set connector = 'sab', mode = 'incremental'`);
    expect(await refused('prepare', extraction)).toMatch(/^UsageInvalid: .* is incremental/);
    await bench.store.pool.query(`update extraction set mode = 'complete', removed_at = now()`);
    expect(await refused('prepare', extraction)).toMatch(/^NotFound: .* not kept any more$/);
  });

  test('cannot be chosen for a task that makes its own, and a task nobody knows is refused', async () => {
    const { extraction } = await bench.sync(tuesday);
    for (const task of ['all', 'export', 'expressions'] as const) {
      expect(await refused(task, extraction)).toMatch(/^UsageInvalid: /);
    }
    expect(await refused('delete everything' as Task)).toMatch(/^UsageInvalid: /);
  });
});

describe('the task expressions', () => {
  test('stores what a changed expression gives for what was loaded last, and nothing else', async () => {
    await bench.sync(tuesday);
    bench.configure(people('first = "Ada" ? "Countess" : last'));
    // Newer, and never loaded: it must not come in by the back door.
    await (await bench.prepare(wednesday)).end();
    const job = await bench.prepareKept('expressions');
    expect(job.counts).toMatchObject({
      read: 3,
      inserted: 0,
      updated: 1,
      deleted: 0,
      unchanged: 2,
    });
    expect(job.changes).toMatchObject([
      { key: '1', change: 'update', before: { shown: 'Lovelace' }, after: { shown: 'Countess' } },
    ]);
    expect(await job.load()).toBe('applied');
    await job.end();
    expect(await shown()).toEqual({ 1: 'Countess', 2: 'Turing', 3: 'Hopper' });
  });

  test('asks when too much would change', async () => {
    await bench.sync(file(...Array.from({ length: 200 }, (_, id) => `${id},Ada,Lovelace`)));
    bench.configure(people('first'));
    const job = await bench.prepareKept('expressions');
    expect(job.breaches).toMatchObject([
      { threshold: 'maximumUpdatedLines', planned: 200, allowed: 100 },
      {},
      {},
    ]);
    await expect(job.load()).rejects.toMatchObject({ type: 'InternalError' });
    await job.end();
  });

  test('takes what a restore loaded, not the newest extraction', async () => {
    const first = await bench.sync(tuesday);
    await bench.sync(wednesday);
    const restore = await bench.prepareKept('synchronize', first.extraction);
    await restore.load();
    await restore.end();
    bench.configure(people('first'));
    const job = await bench.prepareKept('expressions');
    expect(job.extraction).toBe(first.extraction);
    expect(job.counts).toMatchObject({ inserted: 0, updated: 3, deleted: 0 });
    await job.end();
  });

  test('is refused after a rollback: what was loaded must not come back by it', async () => {
    await bench.sync(tuesday);
    const { id } = await bench.sync(wednesday);
    await bench.store.pool.query(
      `insert into job (id, run_id, connector, mode, state, simulated, trigger, rollback_of, ended_at)
       values ('rollback', 'r', 'sab', 'complete', 'succeeded', false, 'person', $1, now())`,
      [id],
    );
    await bench.store.pool.query(
      `insert into delta (job_id, digest, counts, entity_types, associations, breaches, diagnoses, applied_at)
       values ('rollback', '', '{"updated": 1}', '{}', '{}', '[]', '[]', now())`,
    );
    expect(await refused('expressions')).toMatch(/what was loaded last was rolled back$/);
  });

  test('is refused when what was loaded last is not kept, is a part only, or nothing was loaded', async () => {
    expect(await refused('expressions')).toMatch(/nothing of it was loaded yet$/);
    await bench.sync(tuesday);
    await bench.store.pool.query(`update extraction set mode = 'incremental'`);
    expect(await refused('expressions')).toMatch(/is not all that is stored$/);
    await bench.store.pool.query(`update extraction set mode = 'complete', removed_at = now()`);
    expect(await refused('expressions')).toMatch(/is not kept any more$/);
  });
});
