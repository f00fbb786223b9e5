/** The findings of a look at sources in words: what is wrong, where, and what to do. */
import { expect, test } from 'vitest';
import { findingsOfFacts } from '../../client/check-words.ts';
import type { CheckFact, ColumnFact } from '../../engine/check-fact.ts';

const missing = (column: string, headings: readonly string[]): ColumnFact => ({
  fact: 'column-missing',
  source: 'users.csv',
  scope: 'sab_user',
  property: 'hireDate',
  column,
  headings,
});

const one = (fact: CheckFact) => findingsOfFacts('sab', [fact])[0];

test('a missing column is told with its property and the nearest heading, or with all of them', () => {
  expect(one(missing('hire_date', ['user_id', 'hiredate']))).toMatchObject({
    area: 'source',
    ok: false,
    message:
      'sab: users.csv has no column “hire_date”, which sab_user.hireDate is mapped to; did you mean “hiredate”?',
    hint: expect.stringContaining('Restore the column'),
    connector: 'sab',
    entityType: 'sab_user',
    column: 'hire_date',
  });
  expect(one(missing('hire_date', ['user_id', 'mail']))?.message).toContain(
    '; there is user_id, mail',
  );
  expect(one(missing('hire_date', []))?.message).toContain('does not seem to be a header');
});

test('rows are told with their first lines and how many more there are', () => {
  const problem = {
    fact: 'data-problem',
    scope: 'sab_user',
    source: 'users.csv',
    code: 'ValueInvalid',
    column: 'hire_date',
    rows: 7,
    places: [5, 9].map((line) => ({ file: 'users.csv', line })),
  } as const;
  expect(one(problem)).toMatchObject({
    area: 'data',
    ok: false,
    message:
      'sab: sab_user: 7 rows of users.csv hold a value that does not convert in hire_date: lines 5, 9 and 5 more (ValueInvalid)',
    column: 'hire_date',
    file: 'users.csv',
    line: 5,
  });
  const places = [
    { file: 'a.csv', line: 5 },
    { file: 'b.csv', line: 2 },
  ];
  expect(one({ ...problem, places })?.message).toContain('a.csv:5, b.csv:2 and 5 more');
  expect(one({ ...problem, rows: 1, places: [{ file: 'users.csv', line: 5 }] })?.message).toContain(
    '1 row of users.csv',
  );
  expect(one({ ...problem, rows: 1, places: [{ file: 'users.csv', line: 5 }] })?.message).toContain(
    ': line 5 (',
  );
});

test('a source that fails keeps the hint of its error, one that is silent is told as such', () => {
  expect(
    one({
      fact: 'source-failed',
      source: 'users.csv',
      code: 'SourceEmpty',
      message: 'users.csv is blank',
      hint: 'Write it.',
    }),
  ).toMatchObject({ ok: false, message: 'sab: users.csv is blank', hint: 'Write it.' });
  expect(one({ fact: 'source-silent', source: 'users.csv', seconds: 30 })?.message).toBe(
    'sab: users.csv said nothing for 30 s and was given up',
  );
});

test('of one kind ten are told and the others counted; kinds do not hide one another', () => {
  const columns = Array.from({ length: 14 }, (_, index) => missing(`c${index}`, []));
  const read: CheckFact = { fact: 'source-read', source: 'groups.csv', rows: 2 };
  const findings = findingsOfFacts('sab', [...columns, read]);
  expect(findings).toHaveLength(12);
  expect(findings[10]).toMatchObject({ ok: false, message: 'sab: … and 4 more like these' });
  expect(findings[11]).toMatchObject({ ok: true, message: 'sab: groups.csv: 2 rows' });
});
