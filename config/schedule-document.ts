/** The schedules of a connector as written, with the defaults, as recurrences. */
import { type ConnectorKind, withoutIncremental } from '../engine/connector-kind.ts';
import type { Mode } from '../engine/job.ts';
import {
  defaultComplete,
  defaultIncremental,
  type Recurrence,
  type Schedules,
} from '../engine/schedule.ts';
import type { ConnectorDocument, ScheduleDocument } from './document.ts';

type Report = (path: readonly string[], message: string) => void;

const minutesOf = { m: 1, h: 60, d: 1440, w: 10_080 } as const;

/** Reads both schedules; what has no incremental mode never has an incremental schedule. */
export function readSchedules(
  kind: ConnectorKind,
  modes: readonly Mode[],
  document: NonNullable<ConnectorDocument['schedules']>,
  report: Report,
): Schedules {
  const isIncremental = modes.includes('incremental');
  if (!isIncremental && (document.incremental ?? 'never') !== 'never') {
    report(
      ['incremental'],
      `is set for a ${kind} connector, ${withoutIncremental(kind)}; write never, or leave it out`,
    );
  }
  const fallback = isIncremental ? defaultIncremental : 'never';
  return {
    complete: readSchedule(document.complete, defaultComplete, 'complete', report),
    incremental: readSchedule(document.incremental, fallback, 'incremental', report),
  };
}

function readSchedule(
  document: ScheduleDocument | undefined,
  fallback: Recurrence,
  mode: string,
  report: Report,
): Recurrence {
  if (document === undefined) return fallback;
  if (document === 'never') return 'never';
  const { every, at, on, timezone } = document;
  if (timezone !== undefined && !isTimezone(timezone)) {
    report([mode, 'timezone'], `“${timezone}” is not an IANA time zone such as Europe/Paris`);
    return 'never';
  }
  if (at === undefined) {
    for (const [option, value] of Object.entries({ on, timezone })) {
      if (value !== undefined) report([mode, option], 'has a meaning only together with `at`');
    }
    const unit = every.slice(-1) as keyof typeof minutesOf;
    return { kind: 'interval', everyMinutes: Number(every.slice(0, -1)) * minutesOf[unit] };
  }
  if (every !== '1d' && every !== '1w')
    report([mode, 'at'], 'goes with every: 1d or every: 1w only');
  if (on !== undefined && every !== '1w') report([mode, 'on'], 'goes with every: 1w only');
  const [hour, minute] = at.split(':').map(Number) as [number, number];
  const weekly = every === '1w' ? { weekday: on ?? ('monday' as const) } : {};
  return { kind: 'timeOfDay', hour, minute, timezone: timezone ?? 'UTC', ...weekly };
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
