/** What the worker's bundle holds. */
export { syncJob } from './sync-job.ts';
