/** The activities as the workflow calls them: how long each may take, and how it is tried again. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { SyncActivities } from '../activities/index.ts';

/** A complete job gives up waiting for its connector after this long. */
const patience = '24 hours';

/** Every activity heartbeats, so a worker that dies is noticed within this time. */
const heartbeatTimeout = '10 seconds';

/** Short notes in the store; they are worth trying for as long as PostgreSQL is away. */
export const { blockJob, settleDecision, endJob } = proxyActivities<SyncActivities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout,
  retry: { initialInterval: '200 ms', maximumInterval: '30 seconds' },
});

/**
 * Waiting for the connector is a matter of retries, whose delays the activity itself chooses. Cancellation waits for
 * the attempt at hand: it would take its place in the line, or the connector, after the job has given them back.
 */
export const { beginJob, beginReconciliation } = proxyActivities<SyncActivities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout,
  scheduleToCloseTimeout: patience,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 ms', maximumInterval: '30 seconds' },
});

/**
 * The long steps. Cancellation waits until they have really stopped: the connector is not given back under a running
 * export.
 */
export const { exportSource, prepareDelta, prepareRollback, prepareReconciliation, loadDelta } =
  proxyActivities<SyncActivities>({
    startToCloseTimeout: '12 hours',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 500 },
  });

/**
 * The connected system may be down for a while: what is not written yet is tried again for a day. What is written stays
 * written.
 */
export const { provisionDelta } = proxyActivities<SyncActivities>({
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: patience,
  heartbeatTimeout,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '2 seconds', maximumInterval: '5 minutes' },
});

/** The steps of an edit, which take milliseconds; somebody waits for them. */
export const { beginEdit, prepareEdit, loadEdit } = proxyActivities<SyncActivities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 ms', maximumInterval: '30 seconds', maximumAttempts: 500 },
});

/** What a person has said of a match, which takes milliseconds; somebody waits for it. */
export const { settleMatch } = proxyActivities<SyncActivities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout,
  retry: { initialInterval: '200 ms', maximumInterval: '10 seconds', maximumAttempts: 500 },
});

/** A look that nobody may wait for any more: it is tried again once, should its worker have died. */
export const { checkSources, testConnection } = proxyActivities<SyncActivities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout,
  retry: { initialInterval: '1 second', maximumAttempts: 2 },
});
