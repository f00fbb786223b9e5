// Tests of `lockstep check` with everything up: the worker looks at the sources, then at the data.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckReport } from '../../client/check.ts';
import { runCommandLine } from '../../client/command-line.ts';
import { type JobStack, startJobStack } from '../support/job-stack.ts';
import { somePeople, writeSource } from '../support/people.ts';
import { captured } from './captured-stream.ts';

let stack: JobStack;
beforeAll(async () => {
  stack = await startJobStack({ connectors: { sab: {}, hr: {} } });
  await stack.startWorker();
});
afterAll(() => stack[Symbol.asyncDispose]());

async function lockstep(...args: string[]) {
  const [stdout, stderr] = [captured(), captured()];
  const exitCode = await runCommandLine(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment: stack.environment,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

async function check(...args: string[]) {
  const { exitCode, stdout } = await lockstep('check', ...args, '--json');
  const report = JSON.parse(stdout) as CheckReport;
  return { exitCode, ...report, bad: report.findings.filter(({ ok }) => !ok) };
}

test('all is well: areas in their order, exit code 0, and nothing is left of the look', async () => {
  for (const connector of ['sab', 'hr']) await stack.writePeople(connector, somePeople(5));
  const { exitCode, ok, findings } = await check();
  expect({ exitCode, ok }, JSON.stringify(findings)).toEqual({ exitCode: 0, ok: true });
  const areas = findings.map(({ area }) => area);
  expect([...new Set(areas)]).toEqual([
    'configuration',
    'store',
    'temporal',
    'worker',
    'source',
    'data',
  ]);
  expect(areas).toEqual(areas.toSorted((a, b) => order(a) - order(b)));
  expect(findings.map(({ message }) => message)).toContain(
    'hr: hr_person: all of people.csv can be used, 5 rows',
  );
  expect(await stack.extractions('sab')).toEqual([]);
  const { stdout } = await lockstep('check', 'sab');
  expect(stdout).toContain('All is ready for a run.');
  expect(stdout).not.toContain('hr:');

  function order(area: string): number {
    return areas.indexOf(area as (typeof areas)[number]);
  }
});

test('one connector that is down does not hide the others; a mistyped column gets its nearest name', async () => {
  await stack.writePeople('hr', somePeople(5));
  await stack.writePeople('sab', somePeople(5));
  await rm(join(stack.directory('hr'), 'people.csv'));
  await writeSource(stack.directory('sab'), 'people.csv', ['login,nme,hired,team', 'a,A,,t1']);
  const { exitCode, bad, findings } = await check();
  expect(exitCode).toBe(1);
  expect(bad).toMatchObject([
    {
      area: 'source',
      connector: 'sab',
      entityType: 'sab_person',
      column: 'name',
      message: expect.stringContaining('did you mean “nme”?'),
    },
    {
      area: 'source',
      connector: 'hr',
      message: expect.stringContaining('hr: people.csv does not exist'),
    },
    { area: 'data', connector: 'sab', message: expect.stringContaining('not looked at') },
    { area: 'data', connector: 'hr' },
  ]);
  expect(findings.map(({ message }) => message)).toContain('hr: teams.csv: 3 rows');
});

test('data are told with column and lines, and a run would set those rows aside', async () => {
  await stack.writePeople('sab', somePeople(5));
  await writeSource(stack.directory('sab'), 'people.csv', [
    'login,name,hired,team',
    'ada,Ada,31/02/2020,t1',
    'bob,Bob,01/02/2020,t9',
    'bob,Bob,01/02/2020,t1',
  ]);
  const { exitCode, bad } = await check('sab');
  expect(exitCode).toBe(1);
  expect(bad).toMatchObject([
    { area: 'data', entityType: 'sab_person', column: 'hired', line: 2 },
    { area: 'data', entityType: 'sab_person', column: 'team', line: 3 },
    { area: 'data', entityType: 'sab_person', column: 'login', line: 4 },
    { area: 'data', entityType: 'sab_member', column: 'login', line: 2 },
  ]);
  const { stdout } = await lockstep('check', 'sab');
  expect(stdout).toContain('Ready for a run, which would set aside what is named.');
});

test('the text of a failed run names the look that finds out why', async () => {
  await stack.writePeople('sab', somePeople(5));
  await writeFile(join(stack.directory('sab'), 'teams.csv'), '');
  const { exitCode, stdout } = await lockstep('run', 'sab');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('SourceEmpty: teams.csv is blank');
  expect(stdout).toContain('lockstep check sab');
  const { bad } = await check('sab');
  expect(bad[0]).toMatchObject({ area: 'source', message: 'sab: teams.csv is blank' });
});

test('a configuration that is not what the last run applied is told, until the next run', async () => {
  await stack.writePeople('sab', somePeople(5));
  const told = async () => {
    const { findings } = await check('sab');
    return findings.filter(({ message }) => message.includes('not what the last run applied'));
  };
  const file = join(stack.home, 'lockstep.yaml');
  const text = await readFile(file, 'utf8');
  expect(await told()).toEqual([]);
  const { stdout } = await lockstep('run', 'sab', '--json');
  const { job } = JSON.parse(stdout) as { job: string };
  await lockstep('resume', job, '--reason', 'test');
  expect(await told()).toEqual([]);
  await writeFile(file, JSON.stringify({ ...JSON.parse(text), $schema: './schema.json' }));
  expect(await told()).toMatchObject([{ area: 'configuration', ok: true, connector: 'sab' }]);
  await lockstep('run', 'sab');
  expect(await told()).toEqual([]);
});
