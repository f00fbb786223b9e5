// Tests of what a person reads about a job: golden texts for a pipe, colours only for a terminal.

import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { duration } from '../../client/output/duration.ts';
import { jobDetailText, jobText } from '../../client/output/job-text.ts';
import { plainTerminal, terminalOf } from '../../client/output/terminal.ts';
import { type Counts, noCounts } from '../../engine/counts.ts';
import type { JobDocument } from '../../engine/job.ts';

const counts = (some: Partial<Counts>): Counts => ({ ...noCounts, ...some });

const blocked: JobDocument = {
  job: 'sab.complete.1',
  connector: 'sab',
  mode: 'complete',
  task: 'all',
  extraction: null,
  state: 'blocked',
  simulated: false,
  counts: counts({ read: 1300, rejected: 3, unchanged: 1284, deleted: 6, linksDeleted: 12 }),
  entityTypes: {
    sab_user: counts({ read: 94, rejected: 3, unchanged: 85, deleted: 6, linksDeleted: 12 }),
  },
  associations: { sab_membership: counts({ read: 1206, unchanged: 1199, linksDeleted: 12 }) },
  breaches: [
    { threshold: 'maximumDeletedLines', scope: 'sab_user', planned: 6, allowed: 5, base: 1000 },
  ],
  diagnoses: [
    {
      kind: 'scopeShrank',
      scope: 'sab_user',
      detail: '94 of 100 rows are left; all rows with org_code=HR are gone',
      columns: ['org_code'],
      examples: [
        { key: null, property: 'org_code=HR', before: 'about 6 rows', after: 'none' },
        { key: 'ada', property: 'user_id', before: 'ada', after: null },
      ],
      check: 'Ask whether it was exported completely.',
    },
  ],
  error: null,
};
const history = { steps: [], decisions: [], rejects: { KeyDuplicate: 2, ValueInvalid: 1 } };

test('a blocked job says what is the matter, what it would change and what to type', () => {
  expect(jobText(plainTerminal, blocked, history)).toBe(`\
■ sab.complete.1 is blocked: it asks before it goes on. Nothing was written.

Threshold Exceeded
  Limit                Scope     Planned  Allowed  Of stored
  maximumDeletedLines  sab_user        6        5      1 000

Likely cause
  scopeShrank  sab_user  94 of 100 rows are left; all rows with org_code=HR are gone
    org_code=HR: about 6 rows → none
    ada, user_id: ada → nothing
    Check: Ask whether it was exported completely.

What it would change
                   Read  Rejected  Unchanged  Inserted  Updated  Deleted  Links +  Links ~  Links -
  sab_user           94         3         85         ·        ·        6        ·        ·       12
  sab_membership  1 206         ·      1 199         ·        ·        ·        ·        ·       12
  total           1 300         3      1 284         ·        ·        6        ·        ·       12

3 rejects: 2 KeyDuplicate, 1 ValueInvalid. See lockstep rejects sab.complete.1

Next
  lockstep changes sab.complete.1              every change, before and after
  lockstep resume sab.complete.1 --reason "…"  apply exactly these changes
  lockstep abort sab.complete.1 --reason "…"   give them up; nothing is written`);
});

test('a terminal gets the same words in colour, one that refuses colours gets none', () => {
  const terminal = { isTTY: true, columns: 120 };
  const coloured = jobText(terminalOf(terminal, {}), blocked, history);
  expect(coloured).toContain('\u001b[');
  const words = (text: string) => stripVTControlCharacters(text).replace(/ +$/gm, '');
  expect(words(coloured)).toBe(jobText(plainTerminal, blocked, history));
  const refused = jobText(terminalOf(terminal, { NO_COLOR: '1' }), blocked, history);
  expect(refused).toBe(stripVTControlCharacters(refused));
  const narrow = jobText(
    terminalOf({ isTTY: true, columns: 40 }, { NO_COLOR: '1' }),
    blocked,
    history,
  );
  expect(narrow).toBe(jobText(plainTerminal, blocked, history));
});

const first = (job: Partial<JobDocument>, steps = history) =>
  jobText(plainTerminal, { ...blocked, breaches: [], ...job }, steps).split('\n')[0];

test('every other end is told in one sentence', () => {
  const nothing = { counts: noCounts, entityTypes: {}, associations: {} };
  expect(first({ state: 'succeeded' })).toBe(
    '✓ sab.complete.1 succeeded: resources 6 deleted; links 12 deleted.',
  );
  expect(first({ state: 'succeeded', ...nothing })).toBe(
    '✓ sab.complete.1 succeeded: everything was up to date.',
  );
  expect(first({ state: 'succeeded-with-rejects' })).toBe(
    '✓ sab.complete.1 succeeded, with 3 rejected: resources 6 deleted; links 12 deleted.',
  );
  expect(first({ state: 'succeeded', simulated: true })).toBe(
    '✓ sab.complete.1 was simulated: it would change resources 6 deleted; links 12 deleted. Nothing was written. A real run would pass.',
  );
  expect(first({ state: 'succeeded', simulated: true, breaches: blocked.breaches })).toMatch(
    /A real run would be blocked\.$/,
  );
  const extraction = 'sab/sab.complete.0~1a2b3c4d';
  expect(first({ state: 'succeeded', ...nothing, task: 'export', extraction })).toBe(
    `✓ sab.complete.1 left the extraction ${extraction}. The store was not looked at.`,
  );
  expect(first({ state: 'succeeded', simulated: true, task: 'prepare', extraction })).toMatch(
    /was prepared: it would change .* Nothing was written\. A real run would pass\.$/,
  );
  expect(first({ state: 'aborted' })).toBe('– sab.complete.1 was aborted. Nothing was written.');
  expect(first({ state: 'skipped', ...nothing })).toMatch(/another job has the connector/);
});

test('a task alone tells what comes after it, and its details which task on what', () => {
  const alone = { ...blocked, breaches: [], state: 'succeeded', extraction: 'sab/x~1' } as const;
  expect(jobText(plainTerminal, { ...alone, counts: noCounts, task: 'export' }, history)).toContain(
    'lockstep run sab --extraction sab/x~1 --task prepare  what would it change?',
  );
  const planned = { ...alone, task: 'prepare', simulated: true } as const;
  expect(jobText(plainTerminal, planned, history)).toContain(
    'lockstep run sab --extraction sab/x~1 --task synchronize  prepare it anew',
  );
  expect(jobDetailText(plainTerminal, planned, history)).toContain(
    'Connector sab, complete, prepare alone\nExtraction sab/x~1\n',
  );
});

test('a failed job says that nothing was written only when that is known', () => {
  const error = {
    code: 'SourceEmpty',
    message: 'users.csv is blank',
    hint: 'Have it written.',
  } as const;
  expect(jobText(plainTerminal, { ...blocked, state: 'failed', error }, history)).toContain(
    '✗ sab.complete.1 failed. Nothing was written.\n\nSourceEmpty: users.csv is blank\nHave it written.',
  );
  const at = new Date(0);
  const loaded = {
    ...history,
    steps: [{ name: 'load', state: 'succeeded', startedAt: at, endedAt: at }] as const,
  };
  expect(jobText(plainTerminal, { ...blocked, state: 'failed' }, loaded)).toMatch(
    /^✗ sab\.complete\.1 failed\.\n/,
  );
});

test('the details tell who decided, when and why, and who was not heard', () => {
  const at = new Date(2026, 10, 22, 3, 0, 5);
  const said = { via: 'update', why: null, principal: null, reason: null, delta: null, at };
  const text = jobDetailText(plainTerminal, blocked, {
    ...history,
    decisions: [
      {
        ...said,
        action: 'resume',
        effect: 'ignored',
        why: 'not an approver',
        claimedBy: 'jane',
        identity: 'mallory@cli',
      },
      {
        ...said,
        action: 'abort',
        effect: 'applied',
        claimedBy: 'jane@hr',
        identity: 'jane@hr',
        reason: 'too many',
      },
    ],
  });
  expect(text).toContain(`Decisions
  2026-11-22 03:00:05  resume by jane (sent by mallory@cli) — ignored, not an approver
  2026-11-22 03:00:05  abort by jane@hr: too many`);
});

test.each([
  [800, '0.8 s'],
  [12_400, '12 s'],
  [185_000, '3 min 05 s'],
  [3_900_000, '1 h 05 min'],
  [183_600_000, '2 d 3 h'],
])('%i ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
