/** A directory of ugly files through the command line, with real workers and servers: zero wrong writes (S2-04, S2-10). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Reject } from '../../engine/reject.ts';
import { uglyConfiguration, writeUglyDirectory } from '../fixtures/ugly/directory.ts';
import { refusedFiles } from '../fixtures/ugly/refused-files.ts';
import { usableFiles } from '../fixtures/ugly/usable-files.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { type Type, typingAt } from '../support/typed-commands.ts';

let stack: JobStack;
let lockstep: Type;
let rejects: readonly Reject[];
/** What the store holds of all entity types, after the good part was loaded. */
let loaded: unknown;

interface JobDocument {
  readonly job: string;
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly error: { readonly code: string; readonly message: string } | null;
}

async function storedRows(): Promise<unknown> {
  const { rows } = await stack.pool.query(
    `select t.name, r.key, r.attributes, r.xmin::text
     from resource r join entity_type t on t.id = r.entity_type_id order by 1, 2`,
  );
  return rows;
}

beforeAll(async () => {
  stack = await startJobStack({ connectors: {} });
  lockstep = typingAt(stack);
  await writeFile(join(stack.home, 'lockstep.yaml'), JSON.stringify(uglyConfiguration()));
  await writeUglyDirectory(join(stack.home, 'ugly'));
  await stack.startWorker();
  const run = await lockstep<JobDocument>('run', 'usable');
  expect([run.exitCode, run.answer.state, run.answer.error]).toEqual([3, 'blocked', null]);
  const { job } = run.answer;
  const resumed = await lockstep<JobDocument>('resume', job, '--reason', 'reviewed');
  expect([resumed.exitCode, resumed.answer.state]).toEqual([0, 'succeeded-with-rejects']);
  rejects = (await lockstep<Reject[]>('rejects', job)).answer;
  expect(resumed.answer.counts['rejected']).toBe(rejects.length);
  loaded = await storedRows();
});
afterAll(() => stack[Symbol.asyncDispose]());

describe('a file that can be used: rows stored as they are meant, each other one a reject with its place', () => {
  test.each(cases(usableFiles))('%s: a naive reader %s', async (name, _, ugly) => {
    const { answer } = await lockstep<{ key: string; attributes: object }[]>('list', name);
    const stored = Object.entries(ugly.stored).map(([id, rest]) => [id, { id, ...rest }]);
    expect(answer.map(({ key, attributes }) => [key, attributes] as const).toSorted(byKey)).toEqual(
      stored.toSorted(byKey as never),
    );
    const own = rejects.filter(({ entityType }) => entityType === name);
    expect(
      own.map(({ code, line, column, value, file }) => [code, line, column, value, file]),
    ).toEqual(
      (ugly.rejects ?? []).map(([code, line, column, value, file]) => [
        code,
        line,
        column,
        value,
        file ?? `${name}.csv`,
      ]),
    );
    for (const { message } of own) expect(message).not.toBe('');
  });

  test('the same directory once more changes nothing, and lists the same rejects', async () => {
    const { exitCode, answer } = await lockstep<JobDocument>('run', 'usable');
    expect([exitCode, answer.state]).toEqual([0, 'succeeded-with-rejects']);
    expect(answer.counts).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    expect((await lockstep<Reject[]>('rejects', answer.job)).answer).toEqual(rejects);
    expect(await storedRows()).toEqual(loaded);
  });
});

describe('a file that is refused: the job fails with what is wrong, and nothing is written', () => {
  test.each(cases(refusedFiles))('%s: a naive reader %s', async (name, _, ugly) => {
    const { exitCode, answer } = await lockstep<JobDocument>('run', name);
    expect([exitCode, answer.state, answer.error?.code]).toEqual([1, 'failed', ugly.code]);
    expect(answer.error?.message).toMatch(ugly.message);
    expect(await storedRows()).toEqual(loaded);
  });
});

function cases<Ugly extends { readonly naive: string }>(files: Readonly<Record<string, Ugly>>) {
  return Object.entries(files).map(([name, ugly]) => [name, ugly.naive, ugly] as const);
}

function byKey([a]: readonly [string, object], [b]: readonly [string, object]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
