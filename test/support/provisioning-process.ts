/** A process that provisions one delta as a worker would, to be killed: `node provisioning-process.ts <request as JSON>`. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { createSyncActivities } from '../../activities/index.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { openStore } from '../../store/database.ts';

/** What the process is told. */
export interface ProvisioningProcessRequest {
  readonly databaseUrl: string;
  readonly jobId: string;
  readonly connector: string;
  readonly fence: number;
  readonly digest: string;
  readonly environment: Readonly<Record<string, string>>;
}

const { databaseUrl, jobId, environment, ...request } = JSON.parse(
  process.argv[2] ?? '',
) as ProvisioningProcessRequest;
const store = openStore(databaseUrl, 'provisioning process');
const nothing = () => {};
const activities = createSyncActivities({
  store,
  configurations: {
    read: () => Promise.reject(new Error('no configuration is read here')),
    parse: (source) => parseConfiguration(source, environment),
  },
  workflows: {
    isOpen: async () => true,
    senderOf: async () => ({ identity: null, principal: null }),
    starterOf: async () => ({ identity: null, principal: null }),
  },
  extractions: '',
  log: { info: nothing, warn: nothing, error: nothing },
});
const job = new MockActivityEnvironment({
  workflowExecution: { workflowId: jobId, runId: `run-of-${jobId}` },
});
const outcome = await job.run(activities.provisionDelta, request);
process.stdout.write(JSON.stringify(outcome));
await store.close();
