/** The drift contract of an entity type: what each of its words does when columns come, go, or change what they hold. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { jobDocument } from '../../store/queries/job-document.ts';
import {
  type Employee,
  employeeConfiguration,
  employeeFiles,
  employees,
} from '../fixtures/employees.ts';
import { openSyncBench } from '../support/sync-bench.ts';

const bench = await openSyncBench(employeeConfiguration());
afterAll(() => bench[Symbol.asyncDispose]());

type Contract = Parameters<typeof employeeConfiguration>[0];

const withRemark = employees.map((one) => ({ ...one, remark: 'x' }));
const everybody = (change: (employee: Employee, at: number) => object) =>
  employeeFiles({ employees: employees.map(change) });
const words = ['one', 'two', 'three', 'four', 'five'];
const levelsInWords = everybody((one, at) => ({ ...one, level: words[at % 5] }));

/** Prepares files under a contract: what comes of it, or how it is refused. */
async function prepare(contract: Contract, files: Record<string, string>) {
  bench.configure(employeeConfiguration(contract));
  const job = await bench.prepare(files, 'hr');
  await job.end();
  return { ...job, told: (await jobDocument(bench.store, job.id))?.diagnoses ?? [] };
}

beforeEach(async () => {
  await bench.reset(employeeConfiguration());
});

describe('a new column that nothing is mapped to', () => {
  test('is noted by default, and at the next load it is nothing new', async () => {
    await bench.sync(employeeFiles(), 'hr');
    const job = await bench.sync(employeeFiles({ employees: withRemark }), 'hr');
    expect(job.counts.updated).toBe(0);
    expect(job.diagnoses).toEqual([{ kind: 'newColumn', scope: 'employee', columns: ['remark'] }]);
    const again = await bench.prepare(
      employeeFiles({ employees: withRemark.map((one) => ({ ...one, remark: 'y' })) }),
      'hr',
    );
    expect(again.diagnoses).toEqual([]);
    await again.end();
  });

  test('stops the job under `stop`', async () => {
    await bench.sync(employeeFiles(), 'hr');
    await expect(
      prepare({ newColumn: 'stop' }, employeeFiles({ employees: withRemark })),
    ).rejects.toMatchObject({
      type: 'SchemaDrift',
      message: 'the columns of employees.csv are not those of the last load; new: remark',
    });
  });

  test('is no drift once it is mapped', async () => {
    await bench.sync(employeeFiles(), 'hr');
    const configuration = employeeConfiguration({ newColumn: 'stop' });
    const { employee } = configuration.entityTypes;
    if (employee) employee.properties['remark'] = { column: 'remark' };
    bench.configure(configuration);
    const job = await bench.prepare(employeeFiles({ employees: withRemark }), 'hr');
    await job.end();
    expect(job.counts.updated).toBe(40);
    expect(job.diagnoses).toEqual([]);
  });
});

describe('a lost column that nothing is mapped to', () => {
  test('is noted by default', async () => {
    await bench.sync(employeeFiles({ employees: withRemark }), 'hr');
    const job = await prepare({}, employeeFiles());
    expect(job.diagnoses).toEqual([{ kind: 'lostColumn', scope: 'employee', columns: ['remark'] }]);
  });

  test('stops the job under `stop`', async () => {
    await bench.sync(employeeFiles({ employees: withRemark }), 'hr');
    await expect(prepare({ lostColumn: 'stop' }, employeeFiles())).rejects.toMatchObject({
      type: 'SchemaDrift',
      message: 'the columns of employees.csv are not those of the last load; gone: remark',
    });
  });

  test('that is mapped always stops the job, whatever the contract says', async () => {
    await bench.sync(employeeFiles(), 'hr');
    const withoutLevel = everybody(({ level: _, ...one }) => one);
    await expect(prepare({ lostColumn: 'ignore' }, withoutLevel)).rejects.toMatchObject({
      type: 'SourceColumnMissing',
    });
  });
});

describe('a column of whole numbers that becomes text', () => {
  test('stops the job by default; the message has no value, the examples do', async () => {
    await bench.sync(employeeFiles(), 'hr');
    const error = await prepare({}, levelsInWords).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      type: 'SchemaDrift',
      message:
        'another kind of value than is stored: column “level” of employee (level: integer → text)',
    });
    const { rows } = await bench.store.pool.query(
      'select diagnoses from job order by started_at desc limit 1',
    );
    expect(rows[0].diagnoses).toMatchObject([
      { kind: 'typeChange', scope: 'employee', columns: ['level'] },
    ]);
    expect(rows[0].diagnoses[0].examples).toHaveLength(3);
  });

  test('is an update of everybody under `ignore`', async () => {
    await bench.sync(employeeFiles(), 'hr');
    const job = await prepare({ typeChange: 'ignore' }, levelsInWords);
    expect(job.counts.updated).toBe(40);
  });

  test('is a reject of every row that does not fit under `reject`, today and tomorrow', async () => {
    await bench.sync(employeeFiles(), 'hr');
    bench.configure(employeeConfiguration({ typeChange: 'reject' }));
    const mixed = everybody((one, at) => ({ ...one, level: at < 30 ? words[at % 5] : '9' }));
    const job = await bench.sync(mixed, 'hr');
    expect(job.counts).toMatchObject({ updated: 10, deleted: 0 });
    expect(job.rejects).toHaveLength(30);
    expect(job.rejects[0]).toMatchObject({
      code: 'ValueInvalid',
      file: 'employees.csv',
      line: 2,
      key: 'e0',
      column: 'level',
      value: 'one',
      message: expect.stringContaining('integer'),
    });
    const tomorrow = await bench.prepare(mixed, 'hr');
    expect(tomorrow.rejects).toHaveLength(30);
    await tomorrow.end();
  });
});

describe('a column of dates', () => {
  const iso = everybody((one) => ({ ...one, hired: one.hired.split('/').toReversed().join('-') }));

  test('in another form stops the job, and the diagnosis says in which', async () => {
    await bench.sync(employeeFiles(), 'hr');
    await expect(prepare({}, iso)).rejects.toMatchObject({ type: 'SchemaDrift' });
    const { rows } = await bench.store.pool.query(
      'select diagnoses from job order by started_at desc limit 1',
    );
    expect(rows[0].diagnoses).toMatchObject([
      { kind: 'typeChange', columns: ['hired'] },
      { kind: 'dateFormatChange', detail: 'hired: dd/MM/yyyy → yyyy-MM-dd' },
    ]);
  });

  test('is rejects under `ignore`, as any text that does not convert', async () => {
    await bench.sync(employeeFiles(), 'hr');
    const job = await prepare({ typeChange: 'ignore' }, iso);
    expect(job.counts).toMatchObject({ rejected: 40, updated: 0, deleted: 0 });
  });
});

test('a swap of headings is left to the gate: it is no other kind of value', async () => {
  const narrow = employeeConfiguration();
  narrow.connectors['hr'] = { kind: 'csv', directory: './hr' };
  bench.configure(narrow);
  await bench.sync(employeeFiles(), 'hr');
  const swapped = everybody((one) => ({ ...one, level: one.left, left: one.level }));
  const job = await bench.prepare(swapped, 'hr');
  await job.end();
  expect(job.breaches).not.toEqual([]);
  expect(job.diagnoses).toEqual([
    { kind: 'swappedHeaders', scope: 'employee', columns: ['left', 'level'] },
  ]);
});

test('a few new rows of another kind are no change of type', async () => {
  await bench.sync(employeeFiles(), 'hr');
  const job = await prepare(
    {},
    everybody((one, at) => (at < 9 ? { ...one, level: 'trainee' } : one)),
  );
  expect(job.counts.updated).toBe(9);
  expect(job.told).toEqual([]);
});
