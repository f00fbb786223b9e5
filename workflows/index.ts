/** What the worker's bundle holds. */
export { checkConnector } from './check-connector.ts';
export { decideMatch } from './decide-match.ts';
export { editJob } from './edit-job.ts';
export { reconcileJob } from './reconcile-job.ts';
export { syncJob } from './sync-job.ts';
export { testConnector } from './test-connector.ts';
