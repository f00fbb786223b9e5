/** When Temporal starts the jobs of a connector by itself. */
import type { Mode } from './job.ts';

/** Days on which a weekly schedule can fire. */
export const weekdays = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;
export type Weekday = (typeof weekdays)[number];

/** `never`, an interval counted from midnight UTC, or a time of day in a time zone. */
export type Recurrence =
  | 'never'
  | { readonly kind: 'interval'; readonly everyMinutes: number }
  | {
      readonly kind: 'timeOfDay';
      readonly hour: number;
      readonly minute: number;
      /** IANA name. A time that a change to summer time skips does not fire on that day. */
      readonly timezone: string;
      /** Weekly on this day; daily without. */
      readonly weekday?: Weekday;
    };

export type Schedules = Readonly<Record<Mode, Recurrence>>;

/** Complete once a day at 02:00 UTC. */
export const defaultComplete: Recurrence = {
  kind: 'timeOfDay',
  hour: 2,
  minute: 0,
  timezone: 'UTC',
};

/** Incremental every four hours, where the connector can. */
export const defaultIncremental: Recurrence = { kind: 'interval', everyMinutes: 240 };
