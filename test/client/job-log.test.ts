// Tests of the log of a job: everything that was written down of it, in order.

import { expect, test } from 'vitest';
import { type LoggedJob, logOf } from '../../client/job-log.ts';
import { logText } from '../../client/output/log-text.ts';
import { plainTerminal } from '../../client/output/terminal.ts';
import { noCounts } from '../../engine/counts.ts';

const at = (second: number) => new Date(2026, 10, 22, 3, 0, second);
const counts = { ...noCounts, read: 12, updated: 9 };
const said = { via: 'signal', identity: null, principal: null, reason: null, delta: null } as const;

const blocked: LoggedJob = {
  record: {
    document: {
      job: 'sab.complete.synchronize.1',
      connector: 'sab',
      mode: 'complete',
      task: 'synchronize',
      extraction: 'sab/x~1',
      state: 'succeeded',
      simulated: false,
      counts,
      entityTypes: {},
      associations: {},
      breaches: [],
      diagnoses: [],
      error: null,
    },
    trigger: 'person',
    requestedBy: 'jane',
    startedAt: at(0),
    endedAt: at(9),
    steps: [
      { name: 'prepare', state: 'succeeded', startedAt: at(1), endedAt: at(3) },
      { name: 'gate', state: 'succeeded', startedAt: at(4), endedAt: at(7) },
      { name: 'load', state: 'succeeded', startedAt: at(7), endedAt: at(8) },
    ],
    decisions: [
      {
        ...said,
        action: 'resume',
        effect: 'ignored',
        why: 'too early',
        claimedBy: 'bob',
        at: at(2),
      },
      { ...said, action: 'resume', effect: 'applied', why: null, claimedBy: 'jane', at: at(6) },
    ],
    delta: null,
    rolledBackBy: [],
    rejects: {},
  },
  deltas: [
    {
      preparedAt: at(3),
      appliedAt: at(8),
      counts,
      breaches: [
        { threshold: 'maximumUpdatedLines', scope: 'sab_user', planned: 9, allowed: 5, base: 12 },
      ],
    },
  ],
  exported: undefined,
};

test('a job that asked is told from its begin to its end, with who said what', () => {
  expect(logText(plainTerminal, logOf(blocked))).toBe(`\
2026-11-22 03:00:00  job began: sab, complete, synchronize alone, on sab/x~1, by jane
2026-11-22 03:00:01  prepare began
2026-11-22 03:00:02  resume by bob: ignored, too early
2026-11-22 03:00:03  prepare succeeded
2026-11-22 03:00:03  prepared: read 12, updated 9
2026-11-22 03:00:03  Threshold Exceeded: maximumUpdatedLines of sab_user: 9 planned, 5 allowed, 12 stored
2026-11-22 03:00:04  blocked: waits for a person
2026-11-22 03:00:06  resume by jane
2026-11-22 03:00:07  gate succeeded
2026-11-22 03:00:07  load began
2026-11-22 03:00:08  load succeeded
2026-11-22 03:00:08  applied
2026-11-22 03:00:09  job ended: succeeded`);
});

test('a failed export says how it ended, and nothing of steps that never began', () => {
  const { record } = blocked;
  const error = { code: 'SourceEmpty', message: 'users.csv is blank', hint: '' } as const;
  const document = { ...record.document, task: 'all', state: 'failed', error } as const;
  const steps = [{ name: 'export', state: 'failed', startedAt: at(1), endedAt: at(2) }] as const;
  const failed = { ...record, document, steps, decisions: [], endedAt: at(2) };
  const log = logOf({ record: failed, deltas: [], exported: undefined });
  expect(log.map(({ level, step, message }) => [level, step, message])).toEqual([
    ['info', null, 'job began: sab, complete, by jane'],
    ['info', 'export', 'export began'],
    ['error', 'export', 'export failed'],
    ['error', null, 'job ended: failed: SourceEmpty: users.csv is blank'],
  ]);
});

test('an export says how much it read; a load with nothing to do is skipped', () => {
  const { record } = blocked;
  const steps = [
    { name: 'export', state: 'succeeded', startedAt: at(1), endedAt: at(2) },
    { name: 'load', state: 'skipped', startedAt: at(5), endedAt: at(5) },
  ] as const;
  const exported = { rows: 1300, bytes: 65_536 };
  const log = logOf({ record: { ...record, steps, decisions: [] }, deltas: [], exported });
  expect(log.map(({ message }) => message)).toEqual([
    expect.stringContaining('job began'),
    'export began',
    'export succeeded: 1300 rows, 65536 bytes',
    'load skipped',
    'job ended: succeeded',
  ]);
});

test('a job that no worker has begun has none yet', () => {
  expect(logText(plainTerminal, [])).toMatch(/no worker has begun/);
});
