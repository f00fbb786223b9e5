/** The mistakes that users make with a source, each recognised at the gate, with its columns and three examples. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import type { Diagnosis } from '../../engine/diagnosis/diagnosis.ts';
import { jobDocument } from '../../store/queries/job-document.ts';
import { type Row, rowsOf, sabConfiguration, sabDay, tampered } from '../support/sab-example.ts';
import { openSyncBench, type PreparedJob, type SyncBench } from '../support/sync-bench.ts';

let bench: SyncBench;
let day1: Record<string, string>;
let day2: Record<string, string>;
let first: readonly Diagnosis[];
beforeAll(async () => {
  bench = await openSyncBench(await sabConfiguration());
  [day1, day2] = await Promise.all([sabDay('day-1'), sabDay('day-2')]);
  const job = await bench.sync(day1);
  first = await diagnosesOf(job);
  await bench.sync(day2);
});
afterAll(() => bench[Symbol.asyncDispose]());

async function diagnosesOf({ id }: Pick<PreparedJob, 'id'>): Promise<readonly Diagnosis[]> {
  return (await jobDocument(bench.store, id))?.diagnoses ?? [];
}

/** What a day is diagnosed with; nothing of it is loaded. */
async function diagnose(files: Readonly<Record<string, string>>): Promise<readonly Diagnosis[]> {
  const job = await bench.prepare(files);
  await job.end();
  const diagnoses = await diagnosesOf(job);
  // The workflow hears of the same, without what they quote.
  expect(job.diagnoses).toEqual(
    diagnoses.map(({ kind, scope, columns }) => ({ kind, scope, columns })),
  );
  return diagnoses;
}

/** What a day is diagnosed with that is stopped: nothing but rejects would come of it. */
async function diagnoseStopped(
  files: Readonly<Record<string, string>>,
): Promise<readonly Diagnosis[]> {
  await expect(bench.prepare(files)).rejects.toMatchObject({ type: 'SchemaDrift' });
  const last = 'select id from job order by started_at desc limit 1';
  const { rows } = await bench.store.pool.query<{ id: string }>(last);
  return await diagnosesOf(rows[0] as { id: string });
}

const users = (change: (row: Row) => Row, headings: Record<string, string> = {}) =>
  tampered(day2, 'users.csv', (rows) => rows.map(change), headings);

describe('a first run', () => {
  test('is recognised for every entity type and association, with rows, rejects and examples', () => {
    expect(first.map(({ kind, scope }) => [kind, scope])).toEqual([
      ['firstRun', 'sab_organisation'],
      ['firstRun', 'sab_user'],
      ['firstRun', 'sab_group'],
      ['firstRun', 'sab_membership'],
    ]);
    expect(first[1]).toMatchObject({
      detail:
        'nothing was stored before; 238 of 241 rows are new, rejects: 2 KeyDuplicate, 1 ReferenceUnknown, 1 ValueInvalid',
      columns: ['user_id'],
    });
    expect(first[1]?.examples).toHaveLength(3);
  });
});

describe('swapped headers', () => {
  test('of two columns of names are named, although every value could stand in either', async () => {
    const diagnoses = await diagnose(await sabDay('bad-days/swapped-headers'));
    expect(diagnoses).toHaveLength(1);
    expect(diagnoses[0]).toMatchObject({
      kind: 'swappedHeaders',
      scope: 'sab_user',
      detail: 'lastName, firstName',
      columns: ['last_name', 'first_name'],
    });
    expect(diagnoses[0]?.examples).toHaveLength(3);
  });

  test.each([
    ['email and phone', { email: 'phone', phone: 'email' }, 'mail, phone'],
    ['the key and the address', { user_id: 'email', email: 'user_id' }, 'login, mail'],
    [
      'organisation and manager',
      { org_code: 'manager_id', manager_id: 'org_code' },
      'organisation, manager',
    ],
  ])('of %s are found', async (_, headings, detail) => {
    const diagnoses = await diagnose(users((row) => row, headings));
    expect(diagnoses.filter(({ kind }) => kind === 'swappedHeaders')).toMatchObject([{ detail }]);
  });

  test.each([
    ['a date and a boolean', { hire_date: 'status', status: 'hire_date' }, 'hireDate, active'],
    ['a date and a text', { hire_date: 'phone', phone: 'hire_date' }, 'hireDate, phone'],
  ])('of %s are found, and stop the job', async (_, headings, detail) => {
    const diagnoses = await diagnoseStopped(users((row) => row, headings));
    expect(diagnoses.filter(({ kind }) => kind === 'swappedHeaders')).toMatchObject([{ detail }]);
  });
});

describe('another date format', () => {
  test('dd/MM → MM/dd is told from the dates that come out wrong and those that are no dates', async () => {
    const american = users((row) => {
      const [day, month, year] = (row['hire_date'] as string).split('/');
      return { ...row, hire_date: `${month}/${day}/${year}` };
    });
    const diagnoses = await diagnose(american);
    expect(diagnoses).toMatchObject([
      {
        kind: 'dateFormatChange',
        scope: 'sab_user',
        detail: 'hireDate: dd/MM/yyyy → MM/dd/yyyy',
        columns: ['hire_date'],
      },
    ]);
    expect(diagnoses[0]?.examples).toHaveLength(3);
  });

  test('of which nothing but rejects would come stops the job, and is named', async () => {
    const iso = users((row) => ({
      ...row,
      hire_date: (row['hire_date'] as string).split('/').toReversed().join('-'),
    }));
    expect(await diagnoseStopped(iso)).toMatchObject([
      { kind: 'typeChange', columns: ['hire_date'] },
      { kind: 'dateFormatChange', detail: 'hireDate: dd/MM/yyyy → yyyy-MM-dd' },
    ]);
  });
});

describe('another key', () => {
  test.each([
    ['a prefix was added', (key: string) => `SAB-${key}`, 'the prefix “SAB-” was added'],
    [
      'a domain was added',
      (key: string) => `${key}@sab.example`,
      'the suffix “@sab.example” was added',
    ],
    ['capitals differ', (key: string) => key.toUpperCase(), 'capitals differ'],
  ])('is recognised when %s', async (_, change, way) => {
    const diagnoses = await diagnose(
      users((row) => ({ ...row, user_id: change(row['user_id'] as string) })),
    );
    expect(diagnoses).toMatchObject([
      { kind: 'keyChange', scope: 'sab_user', columns: ['user_id'] },
    ]);
    expect(diagnoses[0]?.detail).toMatch(way);
    expect(diagnoses[0]?.examples).toHaveLength(3);
  });

  test('of an entity type with nothing but a key and a name is recognised by the keys', async () => {
    const diagnoses = await diagnose(
      tampered(day2, 'groups.csv', (rows) =>
        rows.map((row) => ({ ...row, code: `G-${row['code']}`, label: `${row['label']} (new)` })),
      ),
    );
    expect(diagnoses).toMatchObject([{ kind: 'keyChange', scope: 'sab_group' }]);
  });
});

describe('a configuration that names another key', () => {
  test('is told, with both columns, and asks however few resources it touches', async () => {
    const small = (rows: readonly string[]) => ({
      'people.csv': ['id,mail', ...rows, ''].join('\n'),
    });
    await using few = await openSyncBench(peopleBy('login'));
    const rows = Array.from({ length: 8 }, (_, at) => `p${at},p${at}`);
    await few.sync(small([...rows, 'p8,q8']));
    few.configure(peopleBy('mail'));
    // One of nine resources has another key now: far below the floor of every percentage.
    const job = await few.prepare(small([...rows, 'p8,q8']));
    await job.end();
    expect(job.counts).toMatchObject({ inserted: 1, deleted: 1 });
    expect(job.breaches).toContainEqual(
      expect.objectContaining({ threshold: 'maximumDeletedLines', planned: 1, allowed: 0 }),
    );
    expect(job.diagnoses).toEqual([
      { kind: 'keyChange', scope: 'person', columns: ['id', 'mail'] },
    ]);
    const [told] = (await jobDocument(few.store, job.id))?.diagnoses ?? [];
    expect(told?.detail).toBe(
      'the key was login (column id) at the last load and is mail (column mail)',
    );
  });
});

function peopleBy(key: string): ConfigurationDocument {
  return {
    connectors: { sab: { kind: 'csv', directory: './sab' } },
    entityTypes: {
      person: {
        connector: 'sab',
        source: 'people.csv',
        key,
        properties: { login: { column: 'id' }, mail: { column: 'mail' } },
      },
    },
  };
}

describe('broken accents', () => {
  const utf8AsLatin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  test.each([
    ['UTF-8 read as ISO 8859-1', utf8AsLatin1],
    ['letters replaced by U+FFFD', (text: string) => text.replace(/\P{ASCII}/gu, '\uFFFD')],
    ['letters replaced by question marks', (text: string) => text.replace(/\P{ASCII}/gu, '?')],
  ])('are seen: %s', async (_, broken) => {
    const diagnoses = await diagnose(
      users((row) => ({
        ...row,
        last_name: broken(row['last_name'] as string),
        first_name: broken(row['first_name'] as string),
        job_title: broken(row['job_title'] as string),
      })),
    );
    expect(diagnoses).toMatchObject([{ kind: 'encodingDamage', scope: 'sab_user' }]);
    expect(diagnoses[0]?.columns).toContain('first_name');
    expect(diagnoses[0]?.examples).toHaveLength(3);
  });
});

describe('a column that lost its values', () => {
  test('is named, with what was there', async () => {
    const diagnoses = await diagnose(users((row) => ({ ...row, phone: '', job_title: '' })));
    expect(diagnoses).toMatchObject([
      { kind: 'blankSource', scope: 'sab_user', detail: 'no values any more: title, phone' },
    ]);
  });
});

describe('a source that shrank', () => {
  test('by its end is told from where the file before went on', async () => {
    const lines = (day2['users.csv'] as string).split('\n').slice(0, 101);
    const diagnoses = await diagnose({ ...day2, 'users.csv': lines.join('\n') });
    expect(diagnoses).toMatchObject([{ kind: 'scopeShrank', scope: 'sab_user' }]);
    expect(diagnoses[0]?.detail).toMatch(/^100 of 242 rows are left; it ends after record 100/);
    expect(diagnoses[0]?.examples).toHaveLength(3);
  });

  test('by a whole department is told with its code', async () => {
    const counts = Map.groupBy(rowsOf(day2, 'users.csv'), (row) => row['org_code'] as string);
    const [largest] = [...counts].sort(([, a], [, b]) => b.length - a.length);
    const [code, gone] = largest as [string, Row[]];
    // Some 8 % of the users.
    expect(gone.length).toBeLessThan(25);
    const diagnoses = await diagnose(
      tampered(day2, 'users.csv', (rows) => rows.filter((row) => row['org_code'] !== code)),
    );
    expect(diagnoses).toMatchObject([
      { kind: 'scopeShrank', scope: 'sab_user', columns: ['org_code'] },
    ]);
    expect(diagnoses[0]?.detail).toContain(`all rows with org_code=${code} are gone`);
  });

  test('of an association is told, too', async () => {
    const diagnoses = await diagnose(
      tampered(day2, 'memberships.csv', (rows) =>
        rows.filter((row) => row['group_code'] !== 'TOUS'),
      ),
    );
    expect(diagnoses).toMatchObject([
      { kind: 'scopeShrank', scope: 'sab_membership', columns: ['group_code'] },
    ]);
    expect(diagnoses[0]?.detail).toContain('all rows with group_code=TOUS are gone');
  });
});

test('the log names the diagnosis beside the breach, by headings alone', async () => {
  const job = await bench.prepare(await sabDay('bad-days/swapped-headers'));
  await bench.run('blockJob', { ...job, error: null }, job.id);
  await job.end();
  const lines = bench.logged.filter(({ message }) => message === 'Threshold Exceeded');
  expect(lines.at(0)?.fields).toMatchObject({
    scope: 'sab_user',
    diagnosis: ['swappedHeaders of sab_user (last_name, first_name)'],
  });
});
