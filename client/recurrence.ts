/** A recurrence as a specification for Temporal, and such a specification in words. */
import type { DayOfWeek, ScheduleOptions, ScheduleSpecDescription } from '@temporalio/client';
import type { Recurrence } from '../engine/schedule.ts';

const minuteMs = 60_000;

/** An interval counts from midnight UTC of 1970; a time of day follows the clock of its zone. */
export function toSpec(recurrence: Exclude<Recurrence, 'never'>): ScheduleOptions['spec'] {
  if (recurrence.kind === 'interval') {
    return { intervals: [{ every: recurrence.everyMinutes * minuteMs, offset: 0 }] };
  }
  const { hour, minute, timezone, weekday } = recurrence;
  const day = weekday === undefined ? {} : { dayOfWeek: weekday.toUpperCase() as DayOfWeek };
  return { calendars: [{ hour, minute, ...day }], timezone };
}

/** `every 4 h`, `daily at 04:30 Europe/Paris`, `sundays at 01:00 UTC`. */
export function recurrenceInWords(spec: ScheduleSpecDescription): string {
  const [interval] = spec.intervals ?? [];
  const [calendar] = spec.calendars ?? [];
  if ((spec.intervals?.length ?? 0) + (spec.calendars?.length ?? 0) !== 1)
    return 'as set in Temporal';
  if (interval) return `every ${inUnits(interval.every / minuteMs)}`;
  const [hour] = calendar?.hour ?? [];
  const [minute] = calendar?.minute ?? [];
  const [day] = calendar?.dayOfWeek ?? [];
  if (!hour || !minute || !day) return 'as set in Temporal';
  const time = `${pad(hour.start)}:${pad(minute.start)} ${spec.timezone || 'UTC'}`;
  return day.start === day.end ? `${day.start.toLowerCase()}s at ${time}` : `daily at ${time}`;
}

function inUnits(minutes: number): string {
  for (const [unit, size] of [
    ['weeks', 10_080],
    ['days', 1440],
    ['h', 60],
  ] as const) {
    if (minutes % size !== 0) continue;
    const count = minutes / size;
    return count === 1 && unit !== 'h' ? unit.slice(0, -1) : `${count} ${unit}`;
  }
  return `${minutes} min`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
