// Tests of what a person takes along: the extractions that are kept, their files, and rejects for a spreadsheet.

import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../client/command-line.ts';
import { type FinishedJob, openSyncBench, type SyncBench } from '../support/sync-bench.ts';
import { captured } from './captured-stream.ts';

const document = {
  connectors: { sab: { kind: 'csv' as const, directory: './sab' } },
  entityTypes: {
    person: {
      connector: 'sab',
      source: 'people.csv',
      key: 'id',
      properties: {
        id: { column: 'id' },
        hired: { column: 'hired', type: 'date' as const },
      },
    },
  },
};

let bench: SyncBench;
let first: FinishedJob;
let second: FinishedJob;
beforeAll(async () => {
  bench = await openSyncBench(document);
  first = await bench.sync({ 'people.csv': 'id,hired\n1,2020-01-01\n2,2021-01-01\n' });
  second = await bench.sync({
    'people.csv': 'id,hired\n1,2020-01-01\n2,=HYPERLINK(x)\n"a,b",\'no\n4,+1\n5,"two\nlines"\n',
  });
});
afterAll(() => bench[Symbol.asyncDispose]());

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'lockstep-download-'));
  return () => rm(place, { recursive: true });
});

const lockstep = (...args: string[]) => lockstepIn({}, ...args);

async function lockstepIn(environment: NodeJS.ProcessEnv, ...args: string[]) {
  const stdout = captured();
  const stderr = captured();
  const exitCode = await runCommandLine(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment: {
      LOCKSTEP_HOME: dirname(bench.extractions),
      LOCKSTEP_CONFIG: join(dirname(bench.extractions), 'lockstep.yaml'),
      DATABASE_URL: bench.store.pool.options.connectionString,
      ...environment,
    },
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

describe('lockstep extractions', () => {
  test('lists those that are kept, newest first, with who made them and whether they were loaded', async () => {
    const plan = await bench.prepareKept('prepare', first.extraction);
    await plan.end();
    const { stdout } = await lockstep('extractions', 'sab', '--json');
    expect(JSON.parse(stdout)).toEqual([
      {
        extraction: second.extraction,
        connector: 'sab',
        job: second.id,
        mode: 'complete',
        createdAt: expect.any(String),
        rows: 5,
        bytes: 67,
        loadedAt: expect.any(String),
      },
      expect.objectContaining({ extraction: first.extraction, job: first.id, rows: 2 }),
    ]);
    const text = await lockstep('extractions');
    expect(text.stdout).toMatch(/^ *Extraction +Mode +Made +Rows +Bytes +Loaded/);
    expect(text.stdout).toContain(first.extraction);
  });

  test('names the nearest connector when there is none of that name', async () => {
    const { exitCode, stderr } = await lockstep('extractions', 'sap');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('did you mean “sab”?');
  });
});

describe('lockstep extraction', () => {
  const download = (named: string, to = place) => lockstep('extraction', named, '--to', to);

  test('copies what a job read, with the manifest, for its owner alone', async () => {
    const to = join(place, 'deep', 'tuesday');
    const { exitCode, stdout } = await lockstep('extraction', first.id, '--to', to, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      extraction: first.extraction,
      files: [join(to, 'people.csv'), join(to, 'manifest.json')],
      bytes: 35,
    });
    expect(await readFile(join(to, 'people.csv'), 'utf8')).toMatch(/^id,hired\n1,2020/);
    expect(JSON.parse(await readFile(join(to, 'manifest.json'), 'utf8'))).toMatchObject({
      id: first.extraction,
    });
    expect((await stat(to)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(to)) {
      expect((await stat(join(to, name))).mode & 0o777).toBe(0o600);
    }
  });

  test('overwrites nothing', async () => {
    await writeFile(join(place, 'manifest.json'), 'mine');
    const { exitCode, stderr } = await download(first.extraction);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('manifest.json exists already');
    expect(await readdir(place)).toEqual(['manifest.json']);
    expect(await readFile(join(place, 'manifest.json'), 'utf8')).toBe('mine');
  });

  test('hands out nothing that was touched', async () => {
    const path = join(bench.extractions, first.extraction, 'people.csv');
    const text = await readFile(path, 'utf8');
    await chmod(path, 0o600);
    await writeFile(path, text.replace('2020', '2030'));
    const { exitCode, stderr } = await download(first.extraction);
    await writeFile(path, text);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is not what the export wrote');
    expect(await readdir(place)).toEqual([]);
  });

  test('says what is not kept, what is not there, and where the files are', async () => {
    expect((await download('sab/nothing')).stderr).toContain('no extraction “sab/nothing”');
    await rm(join(bench.extractions, first.extraction), { recursive: true });
    expect((await download(first.id)).stderr).toMatch(
      /are not at .*Run this where the workers run/s,
    );
    await bench.store.pool.query('update extraction set removed_at = now() where id = $1', [
      first.extraction,
    ]);
    expect((await download(first.id)).stderr).toContain('is not kept any more');
    expect(await readdir(place)).toEqual([]);
  });
});

describe('lockstep rejects', () => {
  const rows = (text: string) => parse(text, { columns: true }) as Record<string, string>[];

  test('come as CSV that reads back, in which no value of the source is a formula', async () => {
    const { stdout } = await lockstep('rejects', second.id, '--csv');
    const exact = JSON.parse((await lockstep('rejects', second.id, '--json')).stdout) as object[];
    expect(exact).toMatchObject([
      { line: 3, key: '2', value: '=HYPERLINK(x)' },
      { line: 4, key: 'a,b', value: "'no" },
      { line: 5, key: '4', value: '+1' },
      { line: 6, key: '5', value: 'two\nlines' },
    ]);
    expect(rows(stdout)).toMatchObject([
      {
        file: 'people.csv',
        line: '3',
        column: 'hired',
        value: "'=HYPERLINK(x)",
        code: 'ValueInvalid',
      },
      { line: '4', key: 'a,b', value: "'no" },
      { line: '5', value: "'+1" },
      { line: '6', value: 'two\nlines' },
    ]);
    expect(stdout.split('\n')[0]).toBe('entityType,file,line,key,column,value,code,message');
  });

  test('go into a new file for its owner alone, which nothing overwrites', async () => {
    const file = join(place, 'rejects.csv');
    const { stdout } = await lockstep('rejects', second.id, '--to', file, '--json');
    expect(JSON.parse(stdout)).toEqual({ file, rejects: 4 });
    expect(rows(await readFile(file, 'utf8'))).toHaveLength(4);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await lockstep('rejects', second.id, '--to', file)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('exists already'),
    });
    expect(rows(await readFile(file, 'utf8'))).toHaveLength(4);
  });

  test('of a job without any are a header alone', async () => {
    const { stdout } = await lockstep('rejects', first.id, '--csv');
    expect(rows(stdout)).toEqual([]);
  });
});

describe('lockstep purge', () => {
  test('removes extractions made before a day, but never the one loaded last', async () => {
    const third = await bench.sync({ 'people.csv': 'id,hired\n1,2020-01-02\n' });
    const early = await lockstep('purge', '--before', '2020-01-01', '--json');
    expect(JSON.parse(early.stdout)).toEqual({ deltas: 0, rows: 0, extractions: 0 });
    const { exitCode, stdout } = await lockstep(
      ...['purge', '--before', '9999-01-01', '--only', 'extractions'],
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'Removed 1 extractions.\n' });
    const kept = JSON.parse((await lockstep('extractions', '--json')).stdout) as object[];
    expect(kept).toMatchObject([{ extraction: third.extraction }]);
    expect(await readdir(join(bench.extractions, 'sab'))).toEqual([third.extraction.slice(4)]);
  });

  test('says where extractions can be removed when it does not see them', async () => {
    const elsewhere = { LOCKSTEP_HOME: place };
    const { stdout } = await lockstepIn(elsewhere, 'purge', '--before', '9999-01-01');
    expect(stdout).toMatch(/^Removed \d+ changes of \d+ deltas\.\nThere are no extractions at /);
  });
});
