// A job that waits for days: real activities on a real PostgreSQL, in a time that is skipped.

import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { expect, inject, test } from 'vitest';
import { createSyncActivities } from '../../activities/index.ts';
import { parseConfiguration, readConfiguration } from '../../config/configuration.ts';
import { openStore } from '../../store/database.ts';
import { payloadConverterPath } from '../../worker/workflow-bundle.ts';
import { createWorkflowRegister } from '../../worker/workflow-register.ts';
import { searchAttributes } from '../../workflows/identifiers.ts';
import { startJobStack } from '../support/job-stack.ts';
import { somePeople } from '../support/people.ts';
import { quietRuntime } from '../support/quiet-runtime.ts';

const path = inject('testServerBinary');
const reason = path ? '' : ' (skipped: no time-skipping test server; "npm run setup" says why)';

/** Temporal's numbers of the types (temporal.api.enums.v1.IndexedValueType). */
const types = { Keyword: 2, KeywordList: 7 } as const;

test.skipIf(!path)(`a job blocked for seven days is resumed and applied${reason}`, async () => {
  await using cleanUp = new AsyncDisposableStack();
  quietRuntime();
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: path ?? '' } },
  });
  cleanUp.defer(() => environment.teardown());
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.entries(searchAttributes).map(([name, type]) => [name, types[type]]),
    ),
  });
  const stack = await startJobStack({ connectors: { sab: {} }, temporal: environment.client });
  cleanUp.use(stack);
  const store = openStore(stack.servers.databaseUrl, 'lockstep test');
  cleanUp.defer(() => store.close());
  const silent = { info() {}, warn() {}, error() {} };
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: stack.taskQueue,
    workflowBundle: { codePath: inject('workflowBundle') },
    dataConverter: { payloadConverterPath },
    activities: createSyncActivities({
      store,
      configurations: {
        read: () => readConfiguration(`${stack.home}/lockstep.yaml`, {}),
        parse: (source) => parseConfiguration(source, {}),
      },
      workflows: createWorkflowRegister(environment.client),
      extractions: `${stack.home}/extractions`,
      log: silent,
    }),
  });
  const people = somePeople(15);
  await stack.writePeople('sab', people);

  await worker.runUntil(async () => {
    const job = await stack.start('sab');
    await job.waitFor('blocked');
    const asked = await environment.currentTimeMs();
    await environment.sleep('7 days');
    expect((await environment.currentTimeMs()) - asked).toBeGreaterThanOrEqual(7 * 86_400_000);
    expect((await job.facts()).state).toBe('blocked');
    expect((await job.progress()).step).toBe('gate');
    await job.signal('resume', { by: 'jane', reason: 'back from holidays' });
    expect(await job.result()).toMatchObject({ state: 'succeeded', counts: { inserted: 18 } });
    expect((await job.facts()).state).toBe('succeeded');
    expect((await job.handle.fetchHistory()).events?.length).toBeLessThanOrEqual(60);
  });
  expect(await stack.people('sab')).toEqual(people);
});
