/** Which file of a directory is read: by name, the newest of a pattern, all of a pattern; and which never are. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseFiles } from '../../connectors/chosen-files.ts';
import { dateInName } from '../../connectors/newest-file.ts';
import type { LockstepError } from '../../engine/errors.ts';
import type { FileSource } from '../../engine/source.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-files-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Name → the hour of a day at which it was last modified. */
type Drop = Readonly<Record<string, number>>;

async function drop(files: Drop): Promise<void> {
  for (const [name, hour] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'id\n1\n');
    const modified = new Date(Date.UTC(2026, 0, 1, hour));
    await utimes(path, modified, modified);
  }
}

async function chosen(source: FileSource): Promise<string[]> {
  return (await chooseFiles(directory, source)).map(({ file }) => file);
}

async function refusal(source: FileSource): Promise<string> {
  const error = await chooseFiles(directory, source).then(
    () => undefined,
    (reason: LockstepError) => reason,
  );
  return `${error?.code}: ${error?.message.replaceAll(directory, '…')}`;
}

const newest: FileSource = { file: 'people-*.csv', pick: 'newest' };

describe('the newest file', () => {
  test.each<[string, Drop, string]>([
    [
      'is that of the latest date in its name, although an old one was copied later',
      { 'people-20261121.csv': 9, 'people-20261122.csv': 3 },
      'people-20261122.csv',
    ],
    [
      'is found whatever way dates are written, where sorting names would put 2026-1 last',
      { 'people-2026-11-22.csv': 1, 'people-20261123.csv': 1, 'people-2026_11_20.csv': 9 },
      'people-20261123.csv',
    ],
    [
      'is the one of the latest time of a day',
      { 'people-20261122-0915.csv': 1, 'people-20261122T101500.csv': 1, 'people-20261122.csv': 1 },
      'people-20261122T101500.csv',
    ],
    [
      'of two of the same date is the one modified last',
      { 'people-20261122-a.csv': 2, 'people-20261122-b.csv': 1 },
      'people-20261122-a.csv',
    ],
    [
      'is the one modified last where no name has a date, not the last one by name',
      { 'people-9.csv': 1, 'people-10.csv': 2, 'people-z.csv': 0 },
      'people-10.csv',
    ],
    [
      'by modification where digits are no date',
      { 'people-20269999.csv': 1, 'people-31122026.csv': 2, 'people-20260230.csv': 0 },
      'people-31122026.csv',
    ],
  ])('%s', async (_, files, expected) => {
    await drop(files);
    expect(await chosen(newest)).toEqual([expected]);
  });

  test('is not guessed when two are equally new', async () => {
    await drop({ 'people-b.csv': 1, 'people-a.csv': 1, 'people-old.csv': 0 });
    expect(await refusal(newest)).toBe(
      'SourceAmbiguous: people-*.csv: people-a.csv and people-b.csv are equally new',
    );
  });

  test('is not guessed when only some names have a date', async () => {
    await drop({ 'people-20261122.csv': 1, 'people-final.csv': 2 });
    expect(await refusal(newest)).toBe(
      'SourceAmbiguous: people-*.csv: people-20261122.csv has a date in its name and people-final.csv has none, so which is newer cannot be told',
    );
  });

  test.each([
    'people-1.csv.part',
    'people-1.csv.tmp',
    '.people-1.csv',
    '.~lock.people-1.csv#',
    '~$people-1.csv',
    'people-1.csv~',
    'people-1.csv.filepart',
  ])('is never an unfinished one: %s', async (name) => {
    await drop({ 'people-0.csv': 1, [name]: 9 });
    expect(await chosen({ file: '*people-*', pick: 'newest' })).toEqual(['people-0.csv']);
  });

  test('is a file, not a folder, and is looked for in the folder of the pattern only', async () => {
    await drop({ 'in/people-1.csv': 1, 'in/people-9.csv/x': 9, 'people-2.csv': 9 });
    expect(await chosen({ file: 'in/people-*.csv', pick: 'newest' })).toEqual(['in/people-1.csv']);
  });
});

describe('a pattern', () => {
  test('stands for characters as they are but for * and ?', async () => {
    await drop({ 'people (1)+[x].csv': 1, 'peopleX(1)+[x]Xcsv': 2, 'people.csv': 3 });
    expect(await chosen({ file: 'people?(?)+[*].csv', pick: 'all' })).toEqual([
      'people (1)+[x].csv',
    ]);
  });

  test('with pick: all gives every file, in the order of their names', async () => {
    await drop({ 'people-b.csv': 1, 'people-a.csv': 2, 'teams.csv': 3 });
    expect(await chosen({ file: 'people-*.csv', pick: 'all' })).toEqual([
      'people-a.csv',
      'people-b.csv',
    ]);
  });

  test('that nothing matches is SourceUnavailable, with the nearest names', async () => {
    await drop({ 'People_20261122.csv': 1, 'people-1.csv.tmp': 1, 'something-else.txt': 1 });
    expect(await refusal(newest)).toBe(
      'SourceUnavailable: no file matches people-*.csv in …; there is “People_20261122.csv”',
    );
  });

  test('in a folder that is not there is SourceUnavailable', async () => {
    expect(await refusal({ file: 'in/people-*.csv', pick: 'newest' })).toBe(
      'SourceUnavailable: …/in does not exist',
    );
  });
});

test('a name is that file and no other, and the nearest are named when it is not there', async () => {
  await drop({ 'Users.csv': 1, 'users.csv.bak': 2, 'teams.csv': 1 });
  expect(await refusal({ file: 'users.csv' })).toBe(
    'SourceUnavailable: users.csv does not exist; there is “Users.csv”, “teams.csv”, “users.csv.bak”',
  );
});

test.each([
  ['people-2026-11-22.csv', '20261122'],
  ['people_2026.11.22_08-15.csv', '202611220815'],
  ['20261122081530-people.csv', '20261122081530'],
  ['from 2026-11-01 to 2026-11-30.csv', '20261101 20261130'],
  ['people-2026-13-01.csv', undefined],
  ['people-2026-02-29.csv', undefined],
  ['people-2026-1122.csv', undefined],
  ['people-120261122.csv', undefined],
  ['people-1763798400000.csv', undefined],
  ['people.csv', undefined],
])('the date in %s is %s', (name, date) => {
  expect(dateInName(name)).toBe(date);
});
