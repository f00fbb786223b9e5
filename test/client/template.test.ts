/** A template becomes a valid configuration, with the words that explain it (S1-08). */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../client/command-line.ts';
import { listTemplates, type NewConfiguration, type Template } from '../../client/template.ts';
import { readConfiguration } from '../../config/configuration.ts';
import { captured } from './captured-stream.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-init-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function init<Answer>(...args: string[]): Promise<{ exitCode: number; answer: Answer }> {
  const stdout = captured();
  const stderr = captured();
  const streams = { stdout: stdout.stream, stderr: stderr.stream, environment: {} };
  const exitCode = await runCommandLine(['init', ...args, '--json'], streams);
  return { exitCode, answer: JSON.parse(stdout.text()) as Answer };
}

const templates = await listTemplates();

test('templates are listed with what they are for', async () => {
  const { answer } = await init<Template[]>();
  expect(answer).toEqual(templates);
  expect(answer.map(({ name }) => name)).toEqual(['saas-import', 'sab', 'scim-bidirectional']);
});

describe.each(templates)('$name', ({ name }) => {
  test('is written as a configuration that is valid, and explained', async () => {
    const target = join(directory, name);
    const { exitCode, answer } = await init<NewConfiguration>(name, target);
    expect(exitCode).toBe(0);
    const written = await readdir(target, { recursive: true });
    expect(written).toEqual(expect.arrayContaining(answer.files as string[]));
    expect(answer.files).toContain('lockstep.yaml');
    expect(answer.readme).toBe(await readFile(join(target, 'README.md'), 'utf8'));
    expect(answer.readme).not.toContain(`examples/${name}`);
    const file = join(target, 'lockstep.yaml');
    const text = await readFile(file, 'utf8');
    const variables = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, variable]) => variable as string);
    const environment = Object.fromEntries(variables.map((each) => [each, 'https://app.example']));
    const { configuration } = await readConfiguration(file, environment);
    expect(configuration.connectors.size).toBeGreaterThan(0);
  });
});

test('nothing is overwritten, and nothing is half-written', async () => {
  const target = await mkdtemp(join(directory, 'taken-'));
  await writeFile(join(target, 'lockstep.yaml'), 'mine');
  const { exitCode, answer } = await init<{ error: { code: string } }>('saas-import', target);
  expect([exitCode, answer.error.code]).toEqual([2, 'UsageInvalid']);
  expect(await readdir(target)).toEqual(['lockstep.yaml']);
  expect(await readFile(join(target, 'lockstep.yaml'), 'utf8')).toBe('mine');
});

test('a template that is not there is refused with those that are', async () => {
  const { exitCode, answer } = await init<{ error: { message: string } }>('nothing');
  expect(exitCode).toBe(2);
  expect(answer.error.message).toContain('saas-import, sab, scim-bidirectional');
});
