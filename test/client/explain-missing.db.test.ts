// Tests of `lockstep explain` for keys that are not stored, of `lockstep history`, and of how both are printed.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Lockstep } from '../../client/lockstep.ts';
import { peopleConfiguration, peopleFiles, usualRows } from '../fixtures/people.ts';
import type { SyncBench } from '../support/sync-bench.ts';
import { type ExplainBench, explained, openExplainBench } from './explain-bench.ts';

let opened: ExplainBench;
let bench: SyncBench;
beforeAll(async () => {
  opened = await openExplainBench();
  bench = opened.bench;
});
afterAll(() => opened[Symbol.asyncDispose]());

let lockstep: Lockstep;
beforeEach(async () => {
  await bench.reset(peopleConfiguration());
  lockstep = opened.lockstep;
});

const [ada, bob, cyd] = usualRows.people;

describe('a key that is not stored', () => {
  test('was deleted: by which job', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.sync(peopleFiles({ people: [ada, bob] }));
    expect(await lockstep.explain('person', 'cyd')).toMatchObject({
      state: 'deleted',
      notes: [`It was deleted by ${job.id}.`],
      lastChange: { job: job.id, change: 'delete' },
      source: { missing: 'no row of it has this key', places: [] },
    });
  });

  test('was rejected: on which line, and why', async () => {
    const job = await bench.sync(peopleFiles({ people: [ada, bob, 'dan,Dan,soon,,,'] }));
    const explanation = await lockstep.explain('person', 'dan');
    expect(explanation).toMatchObject({ state: 'rejected', source: { places: [{ line: 4 }] } });
    expect(explanation.rejects[0]).toMatchObject({ job: job.id, line: 4, value: 'soon' });
    expect(explained(explanation, 'hired')?.raw).toBe('soon');
  });

  test('is planned by a job that waits for a decision', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.prepare(peopleFiles({ people: [ada, bob, cyd, 'dan,Dan,,,,'] }));
    await bench.store.pool.query(`update job set state = 'blocked' where id = $1`, [job.id]);
    const explanation = await lockstep.explain('person', 'dan');
    expect(explanation.state).toBe('not loaded');
    expect(explanation.notes.join(' ')).toContain(
      `${job.id}, which is blocked, plans to insert it.`,
    );
    await job.end();
  });

  test('was never seen: the nearest key is named', async () => {
    await bench.sync(peopleFiles());
    await expect(lockstep.explain('person', 'adda')).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('did you mean “ada”?'),
    });
    await expect(lockstep.history('person', 'adda')).rejects.toMatchObject({ code: 'NotFound' });
    await expect(lockstep.explain('person', 'ada', 'nam')).rejects.toMatchObject({
      code: 'NotFound',
      message: 'person has no property “nam”; did you mean “name”?',
    });
  });
});

describe('the history of a resource', () => {
  test('has every change of it and of its links over all jobs, newest first, also before it was deleted', async () => {
    const first = await bench.sync(peopleFiles());
    const second = await bench.sync(peopleFiles({ people: [ada.replace('36', '37'), bob, cyd] }));
    const third = await bench.sync(peopleFiles({ people: [bob, cyd], memberships: ['bob,ops'] }));
    const fourth = await bench.sync(peopleFiles());
    const entries = await lockstep.history('person', 'ada');
    const told = entries.map(({ job, change }) => [
      job,
      change.change,
      'key' in change ? change.key : change.association,
    ]);
    expect(told.filter(([, , what]) => what === 'ada')).toEqual([
      [fourth.id, 'insert', 'ada'],
      [third.id, 'delete', 'ada'],
      [second.id, 'update', 'ada'],
      [first.id, 'insert', 'ada'],
    ]);
    expect(told.filter(([job]) => job === third.id).map(([, , what]) => what)).toEqual(
      expect.arrayContaining(['ada', 'membership', 'person.organisation', 'person.manager']),
    );
    const jobs = entries.map(({ job }) => job);
    expect([...new Set(jobs)]).toEqual([fourth.id, third.id, second.id, first.id]);
    expect(await lockstep.history('person', 'ada', 2)).toEqual(entries.slice(0, 2));
  });

  test('has nothing of a delta that was never applied', async () => {
    await bench.sync(peopleFiles());
    const job = await bench.prepare(peopleFiles({ people: [ada.replace('36', '37'), bob, cyd] }));
    await job.end();
    expect((await lockstep.history('person', 'ada')).map((entry) => entry.job)).not.toContain(
      job.id,
    );
  });
});

describe('the command line', () => {
  test('prints it for people, and as one document with --json', async () => {
    const job = await bench.sync(peopleFiles());
    const { exitCode, stdout } = await opened.commandLine('explain', 'person', 'ada');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('person ada  stored, last changed (insert)');
    expect(stdout).toContain(`people.csv:2 of extraction ${job.extraction}`);
    expect(stdout).toContain('hired  "2020-02-01"  ✓ as read');
    expect(stdout).toContain(
      'column hired "01/02/2020", a date written as dd/MM/yyyy → "2020-02-01"',
    );
    expect(stdout).toContain('resumed by somebody@bench: reviewed');
    expect(stdout).toMatch(/teams dev from line 2 {2}membership, /);
    const json = await opened.commandLine('explain', 'person', 'ada', 'age', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ key: 'ada', properties: [{ raw: '36' }] });
    const past = await opened.commandLine('history', 'person', 'ada');
    expect(past.stdout).toContain('+ person ada');
    expect(past.stdout).toContain('(line 2)');
    expect(
      JSON.parse((await opened.commandLine('history', 'person', 'ada', '--json')).stdout),
    ).toEqual(await lockstep.history('person', 'ada'));
    const unknown = await opened.commandLine('explain', 'person', 'nobody-like-that');
    expect(unknown.exitCode).toBe(2);
  });
});
