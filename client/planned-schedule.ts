/** A schedule as the configuration wants it, in Temporal's terms, and whether one that exists says the same. */
import { createHash } from 'node:crypto';
import {
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { Configuration } from '../config/configuration.ts';
import type { Mode } from '../engine/job.ts';
import { scheduleId, syncJobType } from '../workflows/identifiers.ts';
import type { SyncJobRequest } from '../workflows/messages.ts';
import { searchAttributesOf } from '../workflows/search-attributes.ts';
import { toSpec } from './recurrence.ts';

/** What one schedule should be. */
export interface PlannedSchedule {
  readonly id: string;
  readonly connector: string;
  readonly mode: Mode;
  readonly spec: ScheduleOptions['spec'];
  readonly policies: NonNullable<ScheduleOptions['policies']>;
  readonly action: ScheduleOptionsStartWorkflowAction<Workflow>;
}

/** How late a tick may still start a job after the server was down: a missed night is made up for, a missed hour not. */
const catchupWindowMs = { complete: 6 * 3_600_000, incremental: 5 * 60_000 } as const;

/** The schedules a configuration wants; `never` is none, and a disabled connector has none. */
export function planSchedules(configuration: Configuration, taskQueue: string): PlannedSchedule[] {
  const planned: PlannedSchedule[] = [];
  for (const { name: connector, enabled, schedules } of configuration.connectors.values()) {
    if (!enabled) continue;
    for (const mode of ['complete', 'incremental'] as const) {
      const recurrence = schedules[mode];
      if (recurrence === 'never') continue;
      planned.push(plan(connector, mode, toSpec(recurrence), taskQueue));
    }
  }
  return planned;
}

function plan(
  connector: string,
  mode: Mode,
  spec: ScheduleOptions['spec'],
  taskQueue: string,
): PlannedSchedule {
  const id = scheduleId(connector, mode);
  const request: SyncJobRequest = { connector, mode, trigger: 'schedule' };
  const policies = {
    // Every tick leaves a job that one can see; the job itself waits its turn or ends as skipped.
    overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    catchupWindow: catchupWindowMs[mode],
    pauseOnFailure: false,
  };
  const configHash = createHash('sha256')
    .update(JSON.stringify({ spec, policies, request, taskQueue }))
    .digest('hex')
    .slice(0, 16);
  return {
    id,
    connector,
    mode,
    spec,
    policies,
    action: {
      type: 'startWorkflow',
      workflowType: syncJobType,
      workflowId: id,
      taskQueue,
      args: [request],
      memo: { connector, mode, simulated: false, by: 'schedule', configHash },
      typedSearchAttributes: searchAttributesOf(connector, mode),
      staticSummary: `${connector}, ${mode}, by schedule`,
    },
  };
}

/** The mark by which we know our schedules; Temporal does not let it change. */
export function scheduleMemo(
  taskQueue: string,
  connector: string,
  mode: Mode,
): Record<string, unknown> {
  return { owner: 'lockstep', taskQueue, connector, mode };
}

/** True when an existing schedule says what is planned: nothing changed in the configuration, and nobody edited it. */
export function isSameSchedule(planned: PlannedSchedule, existing: ScheduleDescription): boolean {
  const { action, policies, spec } = existing;
  return (
    action.memo?.['configHash'] === planned.action.memo?.['configHash'] &&
    action.workflowType === syncJobType &&
    action.workflowId === planned.id &&
    action.taskQueue === planned.action.taskQueue &&
    JSON.stringify(action.args) === JSON.stringify(planned.action.args) &&
    policies.overlap === planned.policies.overlap &&
    policies.catchupWindow === planned.policies.catchupWindow &&
    policies.pauseOnFailure === planned.policies.pauseOnFailure &&
    shapeOf(spec) === shapeOf(planned.spec)
  );
}

/** The parts of a spec that we set, in one form for what we write and what Temporal gives back. */
function shapeOf(spec: ScheduleOptions['spec'] | ScheduleDescription['spec']): string {
  return JSON.stringify({
    intervals: (spec.intervals ?? []).map(({ every, offset = 0 }) => [every, offset]),
    calendars: (spec.calendars ?? []).map(({ hour, minute, second = 0, dayOfWeek = '*' }) =>
      [hour, minute, second, dayOfWeek].map(rangesOf),
    ),
    timezone: spec.timezone || 'UTC',
    jitter: spec.jitter || 0,
    skip: spec.skip?.length ?? 0,
    bounded: spec.startAt !== undefined || spec.endAt !== undefined,
  });
}

function rangesOf(field: unknown): unknown {
  const ranges = Array.isArray(field) ? field : [field];
  const [range, ...others] = ranges as unknown[];
  if (others.length > 0) return ranges;
  if (typeof range !== 'object' || range === null) return range;
  const { start, end, step } = range as { start: unknown; end: unknown; step: unknown };
  if (start === 'SUNDAY' && end === 'SATURDAY' && step === 1) return '*';
  return start === end ? start : range;
}
