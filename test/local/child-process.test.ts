// Tests of starting, watching and stopping a long-lived child, with real processes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type ChildOptions, startChild, stopLeftBehind } from '../../local/child-process.ts';
import { isRunning } from '../../local/running-process.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-child-'));
  return () => rm(directory, { recursive: true });
});

function shell(script: string, options: Partial<ChildOptions> = {}): ChildOptions {
  return {
    name: 'Example',
    command: 'sh',
    args: ['-c', script],
    logFile: join(directory, 'example.log'),
    pidFile: join(directory, 'example.pid'),
    isReady: async () => (await readFile(join(directory, 'example.log'), 'utf8')).includes('ready'),
    ...options,
  };
}

test('a child is ready when it says so, and gone after stop', async () => {
  const child = await startChild(shell('echo ready; exec sleep 60'));
  expect(isRunning(child.pid)).toBe(true);
  await child.stop();
  expect(isRunning(child.pid)).toBe(false);
  expect(existsSync(join(directory, 'example.pid'))).toBe(false);
  await child.stop();
});

test('a child that does not listen to SIGTERM is killed', async () => {
  const deaf = `trap '' TERM; echo ready; while :; do sleep 0.1; done`;
  const child = await startChild(shell(deaf, { stopTimeoutMs: 200 }));
  await child.stop();
  expect(await child.exited).toBe('SIGKILL');
});

test('a child that ends at once is an error with the end of its log', async () => {
  const start = startChild(shell('echo the port is taken >&2; exit 3'));
  await expect(start).rejects.toThrow(/Example ended at once \(3\).*the port is taken/s);
});

test('the log of an earlier run is not shown as the reason', async () => {
  await expect(startChild(shell('echo earlier; exit 1'))).rejects.toThrow(/earlier/);
  await expect(startChild(shell('echo later; exit 1'))).rejects.not.toThrow(/earlier/);
});

test('a child that is not ready in time is stopped', async () => {
  const start = startChild(shell('echo $$; exec sleep 60', { readyTimeoutMs: 200 }));
  await expect(start).rejects.toThrow(/was not ready within 0.2 s/);
  const pid = Number(await readFile(join(directory, 'example.log'), 'utf8'));
  expect(isRunning(pid)).toBe(false);
});

test('a program that does not exist is an error that names it', async () => {
  const start = startChild(shell('', { command: join(directory, 'absent') }));
  await expect(start).rejects.toThrow(/absent/);
});

test('the child of a killed owner is stopped; that of a live one is not touched', async () => {
  const child = spawn('sleep', ['61.5']);
  const pidFile = join(directory, 'example.pid');
  await writeFile(pidFile, JSON.stringify({ pid: child.pid, owner: process.pid }));
  await expect(stopLeftBehind(pidFile, '61.5')).rejects.toThrow(/in use by process/);

  const owner = spawn('true');
  await once(owner, 'exit');
  await writeFile(pidFile, JSON.stringify({ pid: child.pid, owner: owner.pid }));
  await stopLeftBehind(pidFile, 'another program that got the same pid');
  expect(isRunning(child.pid ?? 0)).toBe(true);
  await stopLeftBehind(pidFile, '61.5');
  expect(isRunning(child.pid ?? 0)).toBe(false);
});
