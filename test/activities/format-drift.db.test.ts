/** What a spreadsheet does to a file on its way: the job stops before anybody could approve it, unless the contract says otherwise. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../engine/diagnosis/diagnosis.ts';
import { jobDocument } from '../../store/queries/job-document.ts';
import {
  departments,
  type Employee,
  employeeConfiguration,
  employeeFiles,
  employees,
} from '../fixtures/employees.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(employeeConfiguration());
  await bench.sync(employeeFiles(), 'hr');
});
afterAll(() => bench[Symbol.asyncDispose]());

const everybody = (change: (employee: Employee, at: number) => object) =>
  employeeFiles({ employees: employees.map(change) });
const asNumber = (text: string) => String(Number(text));

/** The diagnoses of the newest job. */
async function lastDiagnoses(): Promise<readonly Diagnosis[]> {
  const { rows } = await bench.store.pool.query(
    'select id from job order by started_at desc limit 1',
  );
  return (await jobDocument(bench.store, rows[0].id))?.diagnoses ?? [];
}

/** Prepares files that must be refused; tells the message and the diagnoses. */
async function refusal(files: Record<string, string>) {
  const before = await bench.contents();
  const error = await bench.prepare(files, 'hr').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ type: 'FormatDrift', nonRetryable: true });
  expect(await bench.contents()).toEqual(before);
  const { rows } = await bench.store.pool.query(
    'select count(*)::int as planned from resource_change c join delta d on d.id = c.delta_id where d.applied_at is null',
  );
  expect(rows[0].planned).toBe(0);
  const diagnoses = await lastDiagnoses();
  const { message } = error as Error;
  for (const { examples } of diagnoses) {
    expect(examples).toHaveLength(3);
    // The message goes into Temporal's history: it holds no value.
    for (const { before: value } of examples) expect(message).not.toContain(value);
  }
  return { message, diagnoses };
}

describe('a column that a spreadsheet took for numbers', () => {
  test('stops the job: 00123 → 123 is no update of everybody', async () => {
    const { message, diagnoses } = await refusal(
      everybody((one) => ({ ...one, badge: asNumber(one.badge) })),
    );
    expect(message).toBe('40 values of column “badge” of employee have lost their leading zeros');
    expect(diagnoses).toMatchObject([
      { kind: 'lostLeadingZeros', scope: 'employee', columns: ['badge'] },
    ]);
    expect(diagnoses[0]?.examples[0]).toEqual({
      key: 'e0',
      property: 'badge',
      before: '000012',
      after: '12',
    });
  });

  test('stops it for the key of a type, and for what refers to it', async () => {
    const { message } = await refusal(
      employeeFiles({
        departments: departments.map((one) => ({ ...one, code: asNumber(one.code) })),
      }),
    );
    expect(message).toMatch(/^4 values of column “code” of department/);
    const { message: references } = await refusal(
      everybody((one) => ({ ...one, department: asNumber(one.department) })),
    );
    expect(references).toMatch(/^40 values of column “department” of employee/);
  });

  test('stops it for an end of an association', async () => {
    const { diagnoses } = await refusal(
      employeeFiles({
        deputies: employees.map(({ id, department }) => ({
          employee: id,
          department: asNumber(department),
        })),
      }),
    );
    expect(diagnoses).toMatchObject([
      { kind: 'lostLeadingZeros', scope: 'deputy', columns: ['department'] },
    ]);
  });

  test('stops it for numbers that were rounded', async () => {
    const { diagnoses } = await refusal(
      everybody((one) => ({
        ...one,
        account: Number(one.account).toExponential(5).toUpperCase(),
      })),
    );
    expect(diagnoses).toMatchObject([{ kind: 'scientificNotation', columns: ['account'] }]);
  });

  test('stops it for dates that became day numbers, whether typed as dates or as text', async () => {
    const serial = (date: string) => String(Date.parse(`${date}T00:00:00Z`) / 86_400_000 + 25_569);
    const iso = ({ hired }: Employee) => hired.split('/').toReversed().join('-');
    const typed = await refusal(everybody((one) => ({ ...one, hired: serial(iso(one)) })));
    expect(typed.diagnoses).toMatchObject([{ kind: 'dateSerialNumber', columns: ['hired'] }]);
    const text = await refusal(everybody((one) => ({ ...one, left: serial(one.left) })));
    expect(text.diagnoses).toMatchObject([{ kind: 'dateSerialNumber', columns: ['left'] }]);
  });
});

describe('what is no drift', () => {
  test('a few numbers that were corrected are updates', async () => {
    const job = await bench.prepare(
      everybody((one, at) => (at < 12 ? { ...one, badge: asNumber(one.badge) } : one)),
      'hr',
    );
    await job.end();
    expect(job.counts.updated).toBe(12);
    expect(job.diagnoses).toEqual([]);
  });

  test('other numbers, with or without zeros, are updates', async () => {
    const job = await bench.prepare(
      everybody((one, at) => ({ ...one, badge: String(at * 7 + 1000) })),
      'hr',
    );
    await job.end();
    expect(job.counts.updated).toBe(40);
    expect(job.diagnoses).toEqual([]);
  });
});

test('a contract that ignores it lets the change come to the gate, with its diagnosis', async () => {
  bench.configure(employeeConfiguration({ valueFormat: 'ignore' }));
  const job = await bench.prepare(
    everybody((one) => ({ ...one, badge: asNumber(one.badge) })),
    'hr',
  );
  await job.end();
  bench.configure(employeeConfiguration());
  expect(job.counts.updated).toBe(40);
  expect(job.diagnoses).toEqual([
    { kind: 'lostLeadingZeros', scope: 'employee', columns: ['badge'] },
  ]);
});

test('an empty source says what its refusal protects from', async () => {
  const error = await bench
    .prepare({ ...employeeFiles(), 'departments.csv': 'code,name\n' }, 'hr')
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ type: 'SourceEmpty' });
  expect((error as { details: { hint: string }[] }).details[0]?.hint).toContain(
    'would delete all that was read from it',
  );
  expect(await lastDiagnoses()).toMatchObject([
    { kind: 'blankSource', scope: 'hr', detail: expect.stringContaining('departments.csv') },
  ]);
});
