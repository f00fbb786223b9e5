// A blocked job outlives a kill -9 of everything: Temporal, PostgreSQL and the worker.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { startPostgres } from '../../local/postgres.ts';
import { startTemporal } from '../../local/temporal-server.ts';
import { searchAttributes } from '../../workflows/identifiers.ts';
import { startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';

test('a blocked job is resumed after everything was killed and started again', {
  timeout: 240_000,
}, async () => {
  await using cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-restart-'));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const startServers = async () => {
    const databaseFile = join(directory, 'temporal.db');
    const binary = inject('temporalBinary');
    const [postgres, temporal] = await Promise.all([
      startPostgres({ dataDirectory: join(directory, 'postgres') }),
      startTemporal({ binary, databaseFile, headless: true, searchAttributes }),
    ]);
    cleanUp.defer(() => postgres.stop());
    cleanUp.defer(() => temporal.stop());
    const { databaseUrl } = postgres;
    return { postgres, temporal, servers: { databaseUrl, temporalAddress: temporal.address } };
  };

  const first = await startServers();
  const connectors = { sab: { approvers: ['jane@test'] } };
  const stack = await startJobStack({ connectors, servers: first.servers });
  cleanUp.use(stack);
  const worker = await stack.startWorker();
  const people = somePeople(20);
  await stack.writePeople('sab', people);
  const { id, waitFor } = await stack.start('sab');
  const reviewed = await waitFor('blocked');

  for (const { pid } of [worker, first.temporal, first.postgres]) process.kill(pid, 'SIGKILL');
  await Promise.all([worker.exited, first.temporal.exited, first.postgres.exited]);

  const second = await startServers();
  await stack.connect(second.servers);
  await stack.startWorker();
  const job = stack.jobById(id);
  expect(await job.facts()).toEqual(reviewed);
  await job.signal('resume', { by: 'jane', reason: 'after the power failure' });
  expect(await job.result()).toMatchObject({ state: 'succeeded', counts: { inserted: 23 } });
  expect(await stack.people('sab')).toEqual(people);
  const { deltas, decisions } = await job.facts();
  expect(deltas).toMatchObject([{ digest: reviewed.deltas[0]?.digest, applied: true }]);
  expect(decisions).toMatchObject([{ effect: 'applied', identity: 'jane@test' }]);
});
