/** Names by which Temporal knows our workflows, schedules and search attributes. None holds a `/`: its HTTP API answers 404. */
import type { Mode, Task } from '../engine/job.ts';

/** The workflow that runs one job of one connector. */
export const syncJobType = 'syncJob';

/** The workflow that runs one reconciliation of one mapping. */
export const reconcileJobType = 'reconcileJob';

/** The workflow of a person's edit of what is managed by us. */
export const editJobType = 'editJob';

/** The workflow of a person's word on a match. */
export const decideMatchType = 'decideMatch';

/** The workflow that looks at the sources of one connector, for no job. */
export const checkConnectorType = 'checkConnector';

/** The workflow that tests the connection of one connector, for no job. */
export const testConnectorType = 'testConnector';

/** Search attributes that list jobs by what people look for, also while no worker is up. */
export const searchAttributes = {
  SyncJobState: 'Keyword',
  SyncConnector: 'Keyword',
  SyncMode: 'Keyword',
  SyncTask: 'Keyword',
  SyncBreaches: 'KeywordList',
} as const;

/** Id of a job a person starts: `sab.complete.20261122T090050Z-hhz3`, with a task alone `sab.complete.export.…`, a rollback `sab.rollback.…`, a reconciliation `<connector>.<mapping>.…`; a scheduled one is `sab.complete-2026-11-22T02:00:00Z`. Unique by its instant and a random suffix. */
export function manualJobId(
  connector: string,
  kind: string,
  startedAt: Date,
  suffix: string,
  task: Task = 'all',
): string {
  const what = task === 'all' ? kind : `${kind}.${task}`;
  return `${connector}.${what}.${instantOf(startedAt)}-${suffix}`;
}

/** Id of an edit: `local.edit.20261122T090050Z-hhz3`. */
export function editJobId(startedAt: Date, suffix: string): string {
  return `local.edit.${instantOf(startedAt)}-${suffix}`;
}

/** Id of a person's word on a match: `local.match.20261122T090050Z-hhz3`. */
export function matchDecisionId(startedAt: Date, suffix: string): string {
  return `local.match.${instantOf(startedAt)}-${suffix}`;
}

/** Id of a look at the sources of a connector, or of a test of its connection. */
export function lookId(
  connector: string,
  kind: 'check' | 'test',
  startedAt: Date,
  suffix: string,
): string {
  return `${connector}.${kind}.${instantOf(startedAt)}-${suffix}`;
}

function instantOf(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}

/** Id of a schedule, and the stem of the ids of the jobs it starts. */
export function scheduleId(connector: string, mode: Mode): string {
  return `${connector}.${mode}`;
}
