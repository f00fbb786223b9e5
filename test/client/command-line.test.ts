// Tests of the command line without servers: what it prints, where, and with which exit code.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from 'vitest';
import { runCommandLine } from '../../client/command-line.ts';
import { captured } from './captured-stream.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lockstep-cli-'));
  return () => rm(home, { recursive: true });
});

async function lockstep(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const stdout = captured();
  const stderr = captured();
  const exitCode = await runCommandLine(args, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment: { LOCKSTEP_HOME: home, ...environment },
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

async function configuration(directory = '.'): Promise<string> {
  const file = join(home, 'lockstep.yaml');
  await writeFile(
    file,
    `connectors: { hr: { kind: csv, directory: ${directory} } }
entityTypes:
  person: { connector: hr, source: people.csv, key: id, properties: { id: { column: id } } }
`,
  );
  return file;
}

test('help says what there is, with examples, on stdout and with exit code 0', async () => {
  const { exitCode, stdout, stderr } = await lockstep(['--help']);
  expect(exitCode).toBe(0);
  expect(stderr).toBe('');
  for (const command of ['run', 'resume', 'abort', 'jobs', 'job', 'changes', 'rejects']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  }
  for (const command of [
    'list',
    'show',
    'explain',
    'history',
    'schedules',
    'activate',
    'deactivate',
    'dev',
    'check',
    'test',
    'worker',
    'migrate',
  ]) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    const help = await lockstep([command, '--help']);
    expect(help.exitCode).toBe(0);
    expect(help.stdout).toContain('Examples:\n');
    expect(help.stdout).toContain('--json');
  }
});

test.each([
  { args: ['rn', 'sab'], says: "unknown command 'rn'\n(Did you mean run?)" },
  { args: ['run'], says: "missing required argument 'connector'" },
  { args: ['run', 'sab', '--mode', 'all'], says: 'Allowed choices are complete, incremental.' },
  {
    args: ['run', 'sab', '--simulat'],
    says: "unknown option '--simulat'\n(Did you mean --simulate?)",
  },
  { args: ['jobs', '--limit', 'many'], says: 'It must be a whole number from 1 on.' },
  { args: ['jobs', '--state', 'paused'], says: 'Allowed choices are running, blocked' },
  { args: [], says: 'Say what to do' },
])('a slip in `lockstep $args` is named, with exit code 2', async ({ args, says }) => {
  const plain = await lockstep(args);
  expect(plain.exitCode).toBe(2);
  expect(plain.stdout).toBe('');
  expect(plain.stderr).toContain(says);
  expect(plain.stderr).toContain('lockstep <command> --help');

  const json = await lockstep([...args, '--json']);
  expect(json.exitCode).toBe(2);
  expect(JSON.parse(json.stdout)).toEqual({
    error: {
      code: 'UsageInvalid',
      message: expect.stringContaining(says),
      hint: 'See `lockstep <command> --help`.',
    },
  });
});

test('without servers a command says how to get them', async () => {
  const { exitCode, stdout, stderr } = await lockstep(['jobs']);
  expect(exitCode).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('npx lockstep dev');
  const json = await lockstep(['jobs', '--json']);
  expect(JSON.parse(json.stdout).error.code).toBe('StoreUnavailable');
});

test('a server that does not answer is an error within seconds, and its password is not printed', async () => {
  const environment = { DATABASE_URL: 'postgresql://me:s3cret@127.0.0.1:1/x' };
  const { exitCode, stdout, stderr } = await lockstep(['jobs', '--json'], environment);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout).error.code).toBe('StoreUnavailable');
  expect(stdout + stderr).not.toContain('s3cret');
});

test('what needs no server is refused before any is looked for', async () => {
  const file = await configuration();
  const unknown = await lockstep(['run', 'hrr', '--config', file, '--json']);
  expect(unknown.exitCode).toBe(2);
  expect(JSON.parse(unknown.stdout).error).toMatchObject({
    code: 'NotFound',
    message: 'There is no connector “hrr”; did you mean “hr”?',
  });
  const incremental = await lockstep([
    'run',
    'hr',
    '--mode',
    'incremental',
    '--config',
    file,
    '--json',
  ]);
  expect(incremental.exitCode).toBe(2);
  expect(JSON.parse(incremental.stdout).error.code).toBe('IncrementalUnsupported');
});

test('check lists everything, each finding named, and fails with 2 for the configuration', async () => {
  const missing = await lockstep(['check', '--json', '--config', join(home, 'none.yaml')]);
  expect(missing.exitCode).toBe(2);
  const report = JSON.parse(missing.stdout);
  expect(report.ok).toBe(false);
  expect(report.findings.map(({ area, ok }: { area: string; ok: boolean }) => [area, ok])).toEqual([
    ['configuration', false],
    ['store', false],
    ['temporal', false],
    ['source', false],
  ]);
  expect(report.findings.at(-1).message).toBe(
    'sources and data were not looked at: the configuration is not in order',
  );

  const file = await configuration();
  const environment = { LOCKSTEP_CONFIG: file };
  const without = await lockstep(['check'], environment);
  expect(without.exitCode).toBe(1);
  expect(without.stdout).toContain(`✓ ${file}: 1 connectors, 1 entity types, 0 associations`);
  expect(without.stdout).toContain(
    '✗ sources and data were not looked at: Temporal does not answer',
  );
});

test.each([
  {
    lacks: 'a connection',
    yaml: 'connectors: { hr: { kind: csv } }',
    says: 'connectors.hr.directory',
  },
  {
    lacks: 'an entity type',
    yaml: 'connectors: { hr: { kind: csv, directory: . }, crm: { kind: csv, directory: . } }',
    says: 'crm: no entity type is mapped to this connector',
  },
  {
    lacks: 'a key',
    yaml: 'connectors: { hr: { kind: csv, directory: . } }',
    key: 'nr',
    says: '“nr” is not a property of person; did you mean “id”?',
  },
  {
    lacks: 'a mapping',
    yaml: 'connectors: { hr: { kind: csv, directory: . } }',
    property: '{}',
    says: 'person.properties.id: needs either a column or an expression',
  },
  {
    lacks: 'a limit',
    yaml: 'connectors: { hr: { kind: csv, directory: ., thresholds: { maximumDeletedLines: unlimited, maxPercentageDeletedLines: unlimited } } }',
    says: 'connectors.hr.thresholds: leaves a kind of change unguarded',
  },
  {
    lacks: 'what it refers to',
    yaml: 'connectors: { hr: { kind: csv, directory: . } }',
    property: '{ column: id, references: persn }',
    says: 'there is no entity type “persn”; did you mean “person”?',
  },
])('check names what a configuration lacks: $lacks', async ({ yaml, key, property, says }) => {
  const file = join(home, 'lockstep.yaml');
  const properties = `{ id: ${property ?? '{ column: id }'} }`;
  const type = `{ connector: hr, source: people.csv, key: ${key ?? 'id'}, properties: ${properties} }`;
  await writeFile(file, `${yaml}\nentityTypes:\n  person: ${type}\n`);
  const { exitCode, stdout } = await lockstep(['check', '--json', '--config', file]);
  expect(exitCode).toBe(2);
  const { findings } = JSON.parse(stdout) as { findings: { area: string; message: string }[] };
  const named = findings.filter(({ area, message }) => area !== 'source' && message.includes(says));
  expect(named, stdout).toHaveLength(1);
  expect(named[0]?.area).toBe('configuration');
  expect(findings.at(-1)?.message).toContain('the configuration is not in order');
});

test('check of a connector that does not exist names the nearest', async () => {
  const file = await configuration();
  const { exitCode, stderr } = await lockstep(['check', 'hrr', '--config', file]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('There is no connector “hrr”; did you mean “hr”?');
});

test('a configuration with several faults is reported fault by fault', async () => {
  const file = await configuration();
  await writeFile(file, 'connectors: { hr: { kind: csv, directry: . } }\nentityTypes: 7\n');
  const { exitCode, stdout } = await lockstep(['check', '--json', '--config', file]);
  expect(exitCode).toBe(2);
  const faults = JSON.parse(stdout).findings.filter(
    ({ area }: { area: string }) => area === 'configuration',
  );
  expect(faults.length).toBeGreaterThan(1);
  expect(faults[0].message).toContain('lockstep.yaml:');
});

test('a reader that has seen enough is no error', async () => {
  const main = fileURLToPath(new URL('../../client/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
