/** The search attributes that a job is started with, and what it means when a server does not know them. */
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { LockstepError } from '../engine/errors.ts';
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

/** The error of a server that does not know our search attributes, in our words; undefined for any other. */
export function searchAttributesMissing(error: unknown): LockstepError | undefined {
  const { cause, message = '' } = error as { cause?: Error; message?: string };
  if (!/search attribute/i.test(`${message} ${cause?.message ?? ''}`)) return undefined;
  return new LockstepError(
    'TemporalUnavailable',
    'The Temporal server does not know the search attributes of Lockstep',
    {
      hint: 'Register them once in its namespace; docs/operations.md has the command.',
      cause: error,
    },
  );
}
