/** Puts a worker together: store, configuration, activities and the workflow bundle on one task queue. */
import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createSyncActivities } from '../activities/index.ts';
import { readConfiguration } from '../config/configuration.ts';
import type { Settings } from '../config/settings.ts';
import { LockstepError } from '../engine/errors.ts';
import { openStore } from '../store/database.ts';
import { keepConfigurations } from './kept-configurations.ts';
import type { WorkerLog } from './log.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { inTurn, type TurnLimits, Turns } from './turns.ts';
import { payloadConverterPath, workflowBundle } from './workflow-bundle.ts';
import { createWorkflowRegister } from './workflow-register.ts';

/** Fewer than the connections of the store's pool: short notes must always find one. */
const turnLimits: TurnLimits = { all: 6, large: 3 };

/** Looks at sources, each with a thread of its own. */
const lookLimits: TurnLimits = { all: 2, large: 2 };

/** A worker that polls until it is told to stop. */
export interface RunningWorker {
  /** Resolves when it has stopped; rejects when it fails. */
  readonly stopped: Promise<void>;
  /** Finishes or hands back what it is doing, then stops. */
  shutdown(): void;
}

/**
 * Starts a worker with these settings.
 *
 * @throws LockstepError when the database is not given, or the configuration file is invalid
 */
export async function startWorker(settings: Settings, log: WorkerLog): Promise<RunningWorker> {
  const { environment } = settings;
  if (!settings.databaseUrl) {
    throw new LockstepError('ConfigurationInvalid', 'DATABASE_URL is not set', {
      hint: 'Set it to the PostgreSQL of the identity store, or use `lockstep dev`, which starts one.',
    });
  }
  // A configuration that cannot work is told at the start, not by the first job at night.
  await readConfiguration(settings.configurationFile, environment);
  Runtime.install({ logger: log.temporal });
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  const store = openStore(settings.databaseUrl, 'lockstep worker');
  await registerSearchAttributes(connection, namespace, log.jobs);
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: settings.taskQueue,
    workflowBundle: { codePath: await workflowBundle(settings.workflowBundle, settings.home) },
    dataConverter: { payloadConverterPath },
    activities: inTurn(
      createSyncActivities({
        store,
        configurations: keepConfigurations(environment, (file) =>
          chooseConfiguration(settings, file),
        ),
        workflows: createWorkflowRegister(new Client({ connection, namespace })),
        extractions: settings.extractions,
        log: log.jobs,
      }),
      new Turns(turnLimits),
      new Turns(lookLimits),
    ),
    // An aborted export stops within a second instead of after the default five.
    maxHeartbeatThrottleInterval: '1 second',
    shutdownGraceTime: '10 seconds',
    shutdownForceTime: '30 seconds',
    // Waiting costs next to nothing, and a job that waits must keep no other from its short notes.
    maxConcurrentActivityTaskExecutions: 100,
    maxCachedWorkflows: 200,
  });
  async function run(): Promise<void> {
    try {
      await worker.run();
    } finally {
      await store.close();
      await connection.close();
    }
  }
  return { stopped: run(), shutdown: () => worker.shutdown() };
}

/** @throws LockstepError when a job names a file that this worker may not be told to read */
function chooseConfiguration(settings: Settings, file: string | undefined): string {
  if (file === undefined || file === settings.configurationFile) return settings.configurationFile;
  if (settings.acceptsConfigurationFile) return file;
  throw new LockstepError(
    'ConfigurationInvalid',
    'this worker runs jobs with its own configuration file only',
    {
      hint: 'Leave --config out, or change the file that the worker was started with. To see what another configuration would change, simulate it with a worker of `lockstep dev`.',
    },
  );
}
