/** The search attributes that a job is started with, by a client or by the workflow it follows. */
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import type { JobTask, Mode } from '../engine/job.ts';

const connectorAttribute = defineSearchAttributeKey('SyncConnector', 'KEYWORD');
const taskAttribute = defineSearchAttributeKey('SyncTask', 'KEYWORD');
const modeAttribute = defineSearchAttributeKey('SyncMode', 'KEYWORD');

/** What a job can be found by, from its start on and without a worker. Only a task alone is named. */
export function searchAttributesOf(
  connector: string,
  mode: Mode,
  task: JobTask = 'all',
): SearchAttributePair[] {
  return [
    { key: connectorAttribute, value: connector },
    { key: modeAttribute, value: mode },
    ...(task === 'all' ? [] : [{ key: taskAttribute, value: task }]),
  ];
}
