// Tests of dev.json: what other commands read of a running `lockstep dev`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readDevState, writeDevState } from '../../local/dev-state.ts';

const addresses = {
  databaseUrl: 'postgresql://127.0.0.1/lockstep',
  temporalAddress: '127.0.0.1:7233',
};

let home: string;
beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-dev-state-'));
  home = join(directory, 'home');
  return () => rm(directory, { recursive: true });
});

test('what a running dev wrote is read back', async () => {
  const state = {
    ...addresses,
    temporalUi: 'http://127.0.0.1:8233',
    pids: { dev: process.pid, worker: 7 },
  };
  await writeDevState(home, state);
  expect(await readDevState(home)).toEqual(state);
});

test('only the owner may read it, and no temporary file is left', async () => {
  await writeDevState(home, { ...addresses, pids: { dev: process.pid } });
  await writeDevState(home, { ...addresses, pids: { dev: process.pid } });
  expect((await stat(join(home, 'dev.json'))).mode & 0o777).toBe(0o600);
  expect(await readdir(home)).toEqual(['dev.json']);
});

test('the state of a dev that was killed is not given, and stays on the disk', async () => {
  const dev = spawn('sleep', ['60']);
  await writeDevState(home, { ...addresses, pids: { dev: dev.pid ?? 0 } });
  expect(await readDevState(home)).toBeDefined();
  dev.kill('SIGKILL');
  await once(dev, 'exit');
  expect(await readDevState(home)).toBeUndefined();
  expect(await readdir(home)).toEqual(['dev.json']);
});

test('no file, and a file that is not ours, are no state', async () => {
  expect(await readDevState(home)).toBeUndefined();
  await writeDevState(home, { ...addresses, pids: { dev: process.pid } });
  for (const text of ['', '{', 'null', '{"pids":{}}']) {
    await writeFile(join(home, 'dev.json'), text);
    expect(await readDevState(home)).toBeUndefined();
  }
});
