// Tests of waiting through a restart of PostgreSQL, and of giving up on one that stays away.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { inOurWords, throughOutages } from '../../client/outage.ts';
import { startPostgres } from '../../local/postgres.ts';
import { migrate } from '../../store/migrate.ts';
import { jobState } from '../../store/queries/job-document.ts';
import { openReadStore } from '../../store/queries/read-store.ts';

let dataDirectory: string;
beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-outage-'));
  dataDirectory = join(directory, 'postgres');
  return () => rm(directory, { recursive: true });
});

test('a question survives a restart of PostgreSQL, and says so once', async () => {
  const first = await startPostgres({ dataDirectory });
  await migrate(first.databaseUrl);
  const store = openReadStore(first.databaseUrl, 'test');
  const notes: string[] = [];
  const ask = () =>
    throughOutages(
      () => jobState(store, 'x'),
      (text) => notes.push(text),
    );
  expect(await ask()).toBeUndefined();
  expect(notes).toEqual([]);

  await first.stop();
  const answer = ask();
  await expect.poll(() => notes).toHaveLength(1);
  const second = await startPostgres({ dataDirectory, port: first.port });
  expect(second.port).toBe(first.port);
  expect(await answer).toBeUndefined();
  expect(notes).toEqual([
    'PostgreSQL does not answer; trying for 60 s. The job itself goes on.',
    'The server answers again.',
  ]);

  // SQL of our own and Prisma's say it in different ways; both must be understood.
  await second.stop();
  for (const question of [
    () => store.pool.query('select 1'),
    () => store.prisma.job.count(),
    () => store.prisma.$transaction([store.prisma.job.count()]),
  ]) {
    const error = await question().then(
      () => undefined,
      (reason: unknown) => inOurWords(reason),
    );
    expect(error).toMatchObject({ code: 'StoreUnavailable' });
  }
  await store.close();
});

test('an error that is not an outage is not asked again', async () => {
  let asked = 0;
  const ask = throughOutages(
    async () => {
      asked++;
      throw new Error('relation "x" has no column "y"');
    },
    () => {},
  );
  await expect(ask).rejects.toThrow('has no column');
  expect(asked).toBe(1);
});

test('who gives up waiting is not held by an outage', async () => {
  const giveUp = new AbortController();
  const ask = throughOutages(
    async () => {
      giveUp.abort();
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    },
    () => {},
    giveUp.signal,
  );
  await expect(ask).rejects.toThrow('aborted');
});
