/** An attempt killed between a write of members and its record: another one does nothing twice and loses nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountPlan, type CrmBench, newAccount, openCrmBench } from '../support/crm-bench.ts';
import { type ProvisioningJob, planDelta, provisioned } from '../support/planned-delta.ts';
import type { ProvisioningProcessRequest } from '../support/provisioning-process.ts';

let crm: CrmBench;

beforeAll(async () => {
  crm = await openCrmBench({ concurrency: 3 });
});
afterAll(async () => {
  await crm?.[Symbol.asyncDispose]();
});

const program = fileURLToPath(new URL('../support/provisioning-process.ts', import.meta.url));

/** Starts a process that provisions; it ends by itself or is killed. */
function startWorker({ id: jobId, fence, digest }: ProvisioningJob) {
  const { connectionString } = crm.bench.store.pool.options;
  const request: ProvisioningProcessRequest = {
    databaseUrl: connectionString ?? '',
    jobId,
    connector: 'crm',
    fence,
    digest,
    environment: { CRM_TOKEN: 'right-token' },
  };
  return spawn(process.execPath, [program, JSON.stringify(request)], { stdio: 'inherit' });
}

test.each([1, 5, 6, 8])('killed with kill -9 after write %i, before its record', async (nth) => {
  await crm.begin();
  const job = await planDelta(crm.bench, {
    resources: [
      ...['eve', 'fay', 'gus', 'hal', 'ivy'].map(newAccount),
      accountPlan('ada', { ...(await crm.account('ada')), givenName: 'Ada' }),
      accountPlan('bob', null),
      { entityType: 'team', key: 'new', after: { name: 'new' } },
    ],
    links: [
      { scope: 'member', from: 'dev', to: 'eve', change: 'insert' },
      { scope: 'member', from: 'dev', to: 'bob', change: 'delete' },
      { scope: 'member', from: 'new', to: 'ivy', change: 'insert' },
    ],
  });
  let writes = 0;
  const isDone = Promise.withResolvers<void>();
  const isDead = Promise.withResolvers<void>();
  crm.intercept(async (request, forward) => {
    const answer = await forward(request);
    if (request.method === 'GET' || writes++ !== nth) return answer;
    isDone.resolve();
    // The system has done it, and nobody hears of it.
    await isDead.promise;
    return answer;
  });
  const worker = startWorker(job);
  await isDone.promise;
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  isDead.resolve();
  crm.intercept();
  const left = Object.values(await provisioned(crm.bench, job));
  expect(left.some((state) => state.endsWith('pending'))).toBe(true);

  expect(await job.provision()).toEqual({
    outcome: 'applied',
    applied: 9,
    notApplied: 0,
    failed: 0,
  });
  await job.end();
  expect(crm.contents.users.map(({ userName }) => userName).sort()).toEqual([
    'ada',
    'cyd',
    'eve',
    'fay',
    'gus',
    'hal',
    'ivy',
  ]);
  const id = (name: string) => crm.contents.users.find(({ userName }) => userName === name)?.id;
  expect(crm.members('dev')).toEqual(['id-ada', id('eve')]);
  expect(crm.members('new')).toEqual([id('ivy')]);
  const before = await crm.bench.contents();
  const again = await crm.bench.sync({}, 'crm');
  expect(again.changes).toEqual([]);
  expect(again.contents).toEqual(before);
});
