// Tests of the `lockstep` launcher in a scratch checkout: arguments, exit code and signals pass through.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';

let checkout: string;

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'lockstep-launcher-'));
  await mkdir(join(checkout, 'client'));
  await mkdir(join(checkout, 'local'));
  await mkdir(join(checkout, 'node_modules/node/bin'), { recursive: true });
  await cp(resolve(import.meta.dirname, '../../local/lockstep.js'), launcher());
  await symlink(process.execPath, join(checkout, 'node_modules/node/bin/node'));
  return () => rm(checkout, { recursive: true });
});

function launcher(): string {
  return join(checkout, 'local/lockstep.js');
}

async function main(source: string): Promise<void> {
  await writeFile(join(checkout, 'client/main.ts'), source);
}

function start(env: NodeJS.ProcessEnv, command = `exec "$0" "$1" one 'and two'`): ChildProcess {
  return spawn('sh', ['-c', command, process.execPath, launcher()], { cwd: checkout, env });
}

const waiting = `
  import { writeFileSync } from 'node:fs';
  process.on('SIGTERM', () => { writeFileSync('ended', 'in order'); process.exit(7); });
  setInterval(() => {}, 1000);
  writeFileSync('started', '');
`;

const exists = (file: string) => () =>
  readFile(join(checkout, file), 'utf8').catch(() => undefined);

test.each([{}, { npm_command: 'exec' }])(
  'arguments and exit code pass through (%o)',
  async (env) => {
    await main(`process.exit(process.argv.slice(2).join('+') === 'one+and two' ? 3 : 9)`);
    expect(await once(start(env), 'exit')).toEqual([3, null]);
  },
);

test.each([{}, { npm_command: 'exec' }])('SIGTERM passes through (%o)', async (env) => {
  await main(waiting);
  const child = start(env);
  await expect.poll(exists('started'), { timeout: 5000 }).toBeDefined();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([7, null]);
});

test('it ends when the shell that npx put in between has died', async () => {
  await main(waiting);
  const shell = start({ npm_command: 'exec' }, '"$0" "$1"; exit');
  await expect.poll(exists('started'), { timeout: 5000 }).toBeDefined();
  shell.kill('SIGTERM');
  await expect.poll(exists('ended'), { timeout: 5000 }).toBe('in order');
});
