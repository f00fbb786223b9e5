// Tests of recurrences: as Temporal's specification, and back in words.

import type { ScheduleSpecDescription } from '@temporalio/client';
import { expect, test } from 'vitest';
import { recurrenceInWords, toSpec } from '../../client/recurrence.ts';

test('an interval is counted, a time of day follows its zone', () => {
  expect(toSpec({ kind: 'interval', everyMinutes: 240 })).toEqual({
    intervals: [{ every: 14_400_000, offset: 0 }],
  });
  expect(toSpec({ kind: 'timeOfDay', hour: 4, minute: 30, timezone: 'Europe/Paris' })).toEqual({
    calendars: [{ hour: 4, minute: 30 }],
    timezone: 'Europe/Paris',
  });
  expect(
    toSpec({ kind: 'timeOfDay', hour: 1, minute: 0, timezone: 'UTC', weekday: 'sunday' }),
  ).toEqual({ calendars: [{ hour: 1, minute: 0, dayOfWeek: 'SUNDAY' }], timezone: 'UTC' });
});

const minutes = (every: number) => ({ intervals: [{ every: every * 60_000, offset: 0 }] });

test.each([
  [90, 'every 90 min'],
  [60, 'every 1 h'],
  [240, 'every 4 h'],
  [1440, 'every day'],
  [2880, 'every 2 days'],
  [10_080, 'every week'],
])('%i minutes are “%s”', (every, text) => {
  expect(recurrenceInWords(minutes(every) as ScheduleSpecDescription)).toBe(text);
});

test('what somebody made more complicated in Temporal is not guessed at', () => {
  const two = { intervals: [...minutes(5).intervals, ...minutes(7).intervals] };
  expect(recurrenceInWords(two as ScheduleSpecDescription)).toBe('as set in Temporal');
  expect(recurrenceInWords({} as ScheduleSpecDescription)).toBe('as set in Temporal');
});
