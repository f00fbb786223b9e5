// Histories of real jobs are replayed by today's workflows: a change that breaks jobs under way is found here.
//
// The files in test/histories are kept for ever, each named by the version that wrote it. To record those of the
// present version: LOCKSTEP_RECORD_HISTORIES=1 node_modules/.bin/vitest run --project temporal replay

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { connectLockstep } from '../../client/lockstep.ts';
import manifest from '../../package.json' with { type: 'json' };
import { payloadConverterPath } from '../../worker/workflow-bundle.ts';
import { directoryConfiguration } from '../fixtures/directory.ts';
import { type StartedJob, startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';
import { quietRuntime } from '../support/quiet-runtime.ts';
import { startScimmyServer } from '../support/scim/scimmy-server.ts';

const histories = fileURLToPath(new URL('../histories/', import.meta.url));
const kinds = [
  'aborted',
  'blocked-resumed',
  'edit-refused',
  'edit-rolled-back',
  'edit-stale',
  'edited',
  'exported',
  'failed',
  'match-decided',
  'prepared',
  'provisioned',
  'reconcile-aborted',
  'reconcile-unchanged',
  'reconciled',
  'rolled-back',
  'skipped',
  'stale',
  'succeeded',
  'synchronised',
  'unchanged',
];

if (process.env['LOCKSTEP_RECORD_HISTORIES']) {
  test('record', { timeout: 240_000 }, record);
  test('record edits', { timeout: 240_000 }, recordEdits);
  test('record reconciliations', { timeout: 240_000 }, recordReconciliations);
}

async function keep(kind: string, job: StartedJob): Promise<void> {
  await job.result();
  const text = historyToJSON(await job.handle.fetchHistory());
  // Which machine it ran on, and in which folder, is nobody's business.
  const clean = text
    .replaceAll(/("identity": *)"[^"]*"/g, '$1"worker@test"')
    .replaceAll(/("stackTrace": *)"(?:[^"\\]|\\.)*"/g, '$1""');
  await writeFile(`${histories}${manifest.version}-${kind}.json`, `${clean}\n`);
}

async function recordEdits(): Promise<void> {
  await using stack = await startJobStack({ connectors: {} });
  const { entityTypes, ...rest } = directoryConfiguration();
  const role = {
    ...{ managed: true as const, key: 'name', properties: { name: {}, note: {} } },
    thresholds: { maximumDeletedLines: 0 },
  };
  const file = join(stack.home, 'lockstep.yaml');
  await writeFile(file, JSON.stringify({ ...rest, entityTypes: { ...entityTypes, role } }));
  await stack.startWorker();
  const environment = stack.environment;
  await using lockstep = await connectLockstep({ environment });
  const made = await lockstep.set('role', 'admin', {});
  await keep('edited', stack.jobById(made.job));
  const refused = await lockstep.set('user', 'jdoe', {});
  await keep('edit-refused', stack.jobById(refused.job));
  const changed = await lockstep.set('role', 'admin', { note: 'x' });
  const stale = await lockstep.delete('role', 'admin');
  const back = await lockstep.rollback(changed.job);
  await keep('edit-rolled-back', stack.jobById(back.job));
  await lockstep.resume(stale.job);
  await lockstep.resume(stale.job);
  await keep('edit-stale', stack.jobById(stale.job));
}

async function recordReconciliations(): Promise<void> {
  await using server = await startScimmyServer({ users: [], groups: [] });
  await using stack = await startJobStack({ connectors: {} });
  const file = join(stack.home, 'lockstep.yaml');
  await mkdir(join(stack.home, 'hr'));
  await writeFile(join(stack.home, 'hr', 'people.csv'), 'id\nada\nbob\n');
  const never = { schedules: { complete: 'never' } };
  const auth = { type: 'bearer', token: `\${CRM_TOKEN}` };
  const mapping = { follows: false, correlate: [{ source: 'id', target: 'id' }] };
  const configuration = {
    connectors: {
      hr: { kind: 'csv', directory: './hr', ...never },
      crm: { kind: 'scim', endpoint: server.url, auth, ...never },
    },
    entityTypes: {
      person: {
        connector: 'hr',
        source: 'people.csv',
        key: 'id',
        properties: { id: { column: 'id' } },
      },
      identity: { managed: true, key: 'id', properties: { id: {} } },
      account: {
        ...{ connector: 'crm', source: 'User', key: 'id' },
        properties: { id: { path: 'userName' } },
      },
    },
    mappings: {
      people: { source: 'person', target: 'identity', properties: { id: 'id' }, ...mapping },
      accounts: { source: 'identity', target: 'account', properties: { id: 'id' }, ...mapping },
    },
  };
  await writeFile(file, JSON.stringify(configuration));
  await stack.startWorker({ CRM_TOKEN: 'right-token' });
  const environment = {
    ...stack.environment,
    CRM_TOKEN: 'right-token',
  };
  await using lockstep = await connectLockstep({ environment });
  const reconciled = async (name: string, kind: string) => {
    const { job, state } = await lockstep.reconcile(name);
    if (state === 'blocked') await lockstep.resume(job);
    await keep(kind, stack.jobById(job));
  };
  await lockstep.resume((await lockstep.run('hr')).job);
  const { job } = await lockstep.reconcile('people');
  await lockstep.abort(job, { reason: 'not today' });
  await keep('reconcile-aborted', stack.jobById(job));
  await reconciled('people', 'reconciled');
  await reconciled('people', 'reconcile-unchanged');
  await reconciled('accounts', 'provisioned');
  for await (const { id, source } of lockstep.matches('people')) {
    if (id !== null && source === 'ada') await lockstep.unmatch(id);
  }
  const decisions = stack.client.workflow.list({ query: 'WorkflowType = "decideMatch"' });
  for await (const { workflowId, taskQueue } of decisions) {
    if (taskQueue === stack.taskQueue) await keep('match-decided', stack.jobById(workflowId));
  }
}

async function record(): Promise<void> {
  await using stack = await startJobStack({ connectors: { sab: {} } });
  await stack.startWorker();
  const ask = async (count: number, edition: number) => {
    await stack.writePeople('sab', somePeople(count, edition));
    const job = await stack.start('sab');
    await job.waitFor('blocked', 'succeeded');
    return job;
  };
  const resume = { by: 'jane', reason: 'reviewed' };
  const aborted = await ask(30, 0);
  const next = await stack.start('sab');
  await aborted.signal('resume', 42);
  await aborted.signal('abort', { by: 'jane', reason: 'wrong file' });
  await keep('aborted', aborted);
  await next.waitFor('blocked');
  await keep('skipped', await stack.start('sab', { mode: 'incremental' }));
  await next.signal('resume', resume);
  await keep('blocked-resumed', next);
  await keep('succeeded', await ask(32, 0));
  await keep('unchanged', await ask(32, 0));
  await stack.writePeople('sab', somePeople(33, 0));
  const exported = await stack.start('sab', { task: 'export' });
  await keep('exported', exported);
  await keep('prepared', await stack.start('sab', { task: 'prepare', extraction: exported.id }));
  await keep('synchronised', await stack.start('sab', { task: 'synchronize' }));
  const stale = await ask(32, 1);
  await stack.pool.query(
    `update resource set attributes = attributes || '{"name": "edited"}' where key = 'p01'`,
  );
  await stale.signal('resume', resume);
  await expect
    .poll(async () => (await stale.facts()).error?.code, { timeout: 60_000 })
    .toBe('DeltaStale');
  await stale.waitFor('blocked');
  await stale.handle.executeUpdate('resume', { args: [resume] });
  await keep('stale', stale);
  const rollback = await stack.start('sab', { rollbackOf: stale.id });
  await rollback.waitFor('blocked');
  await rollback.signal('resume', resume);
  await keep('rolled-back', rollback);
  await writeFile(`${stack.directory('sab')}/teams.csv`, '');
  await keep('failed', await stack.start('sab'));
}

beforeAll(quietRuntime);

async function replay(history: object): Promise<void> {
  const options = {
    workflowBundle: { codePath: inject('workflowBundle') },
    dataConverter: { payloadConverterPath },
  };
  await Worker.runReplayHistory(options, history);
}

async function read(file: string): Promise<string> {
  return await readFile(`${histories}${file}`, 'utf8');
}

const files = (await readdir(histories)).filter((name) => name.endsWith('.json'));

test('every kind of job of this version has its history', () => {
  expect(files).toEqual(
    expect.arrayContaining(kinds.map((kind) => `${manifest.version}-${kind}.json`)),
  );
});

describe('a history of a real job', () => {
  test.for(files)('%s is replayed without a difference', async (file) => {
    await replay(historyFromJSON(JSON.parse(await read(file))));
  });

  const tampered: [string, string, (text: string) => string][] = [
    [
      'with a renamed activity',
      'blocked-resumed',
      (text) => text.replaceAll('"prepareDelta"', '"prepareChanges"'),
    ],
    [
      'that was loaded where it is provisioned now',
      'provisioned',
      (text) => text.replaceAll('"provisionDelta"', '"loadDelta"'),
    ],
    [
      'with two steps swapped',
      'blocked-resumed',
      (text) =>
        text
          .replaceAll('"exportSource"', '"…"')
          .replaceAll('"prepareDelta"', '"exportSource"')
          .replaceAll('"…"', '"prepareDelta"'),
    ],
  ];
  test.for(tampered)('%s is refused', async ([, kind, tamper]) => {
    const text = tamper(await read(`${manifest.version}-${kind}.json`));
    await expect(replay(historyFromJSON(JSON.parse(text)))).rejects.toBeInstanceOf(
      DeterminismViolationError,
    );
  });

  test('of a stale delta has at most 90 events, every other at most 60', async () => {
    for (const file of files) {
      const { events } = JSON.parse(await read(file)) as { events: object[] };
      expect(events.length, file).toBeLessThanOrEqual(file.endsWith('-stale.json') ? 90 : 60);
    }
  });
});
