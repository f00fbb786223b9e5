// Tests of what can be known of a process from its pid, with real processes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { commandLine, isRunning } from '../../local/running-process.ts';

function start(script: string): number {
  const child = spawn('sh', ['-c', script, 'sh', script]);
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  if (child.pid === undefined) throw new Error('sh cannot be started');
  return child.pid;
}

// In the middle of execve a process has no command line, and is alive all the same.
test.runIf(existsSync('/proc'))(
  'a process that becomes another program, again and again, runs',
  () => {
    const pid = start('exec sh -c "$1" sh "$1"');
    let seenWithout = 0;
    for (let asked = 0; asked < 4_000; asked++) {
      expect(isRunning(pid)).toBe(true);
      if (commandLine(pid) === undefined) seenWithout++;
    }
    expect(seenWithout).toBeGreaterThan(0);
  },
);

test('a zombie does not run, and has no command line', async () => {
  // The shell becomes a program that never waits for the child that it inherits.
  const child = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [output] = await once(child.stdout, 'data');
  const pid = Number(String(output));
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  expect(commandLine(pid)).toBeUndefined();
  // It is there still: signal 0 reaches it.
  expect(process.kill(pid, 0)).toBe(true);
});

test.runIf(existsSync('/proc'))('a process that is ending does not run', async () => {
  // It takes a while to give so much memory back; its command line is gone by then.
  const child = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=400M'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  const heldBytes = () => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  await expect.poll(heldBytes).toBeGreaterThan(380_000_000);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  while (commandLine(pid) !== undefined);
  expect(isRunning(pid)).toBe(false);
  await gone;
});

test('a pid that nobody has does not run', () => {
  expect(isRunning(2 ** 30)).toBe(false);
  expect(commandLine(2 ** 30)).toBeUndefined();
});

test('the command line is the one that was started', async () => {
  const pid = start('echo "a (b) c"; sleep 60');
  await expect.poll(() => commandLine(pid)).toContain('echo "a (b) c"');
  expect(isRunning(pid)).toBe(true);
});
