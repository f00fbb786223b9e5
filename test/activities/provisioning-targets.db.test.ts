/** Several connected systems: one that is down holds up nobody but itself, and each is visible. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import { crmConfiguration } from '../fixtures/crm.ts';
import { type CrmBench, openCrmBench } from '../support/crm-bench.ts';
import { planDelta, provisioned } from '../support/planned-delta.ts';

let crm: CrmBench;

beforeAll(async () => {
  crm = await openCrmBench();
});
afterAll(async () => {
  await crm?.[Symbol.asyncDispose]();
});

/** `account` of `crm`, and the same of `mail` and of `away`, where nobody listens. */
function threeTargets(endpoint: string): ConfigurationDocument {
  const one = crmConfiguration(endpoint);
  const { crm: connector } = one.connectors;
  const properties = { userName: { path: 'userName' }, id: { path: 'id' } };
  const typeOf = (name: string) => ({
    connector: name,
    source: 'User',
    key: 'userName',
    properties,
  });
  if (connector?.kind !== 'scim') throw new Error('crm is a scim connector');
  return {
    ...one,
    connectors: {
      ...one.connectors,
      mail: connector,
      away: { ...connector, endpoint: 'http://localhost:1/scim' },
    },
    entityTypes: { ...one.entityTypes, mailbox: typeOf('mail'), badge: typeOf('away') },
  };
}

test('of three targets one is down: two are done, and the third waits with all that is planned for it', async () => {
  crm.bench.configure(threeTargets(`${crm.proxy.url}/scim`));
  await crm.begin();
  const plan = (connector: string, entityType: string) =>
    planDelta(crm.bench, {
      connector,
      resources: [{ entityType, key: `of-${entityType}`, after: { userName: `of-${entityType}` } }],
    });
  const jobs = [
    await plan('away', 'badge'),
    await plan('crm', 'account'),
    await plan('mail', 'mailbox'),
  ];
  const outcomes = await Promise.allSettled(jobs.map((job) => job.provision()));
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: { type: 'TargetUnavailable', nonRetryable: false } },
    { status: 'fulfilled', value: { applied: 1 } },
    { status: 'fulfilled', value: { applied: 1 } },
  ]);
  const states = await Promise.all(jobs.map((job) => provisioned(crm.bench, job)));
  expect(states).toEqual([
    { 'of-badge': 'create pending' },
    { 'of-account': 'create applied' },
    { 'of-mailbox': 'create applied' },
  ]);
  for (const job of jobs) await job.end();
});
