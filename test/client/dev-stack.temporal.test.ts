// Tests of the local stack with its real worker: found by others, kept alive, and gone without a trace.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type DevStack, startDevStack } from '../../client/dev-stack.ts';
import { connectLockstep } from '../../client/lockstep.ts';
import { readDevState } from '../../local/dev-state.ts';
import { isRunning } from '../../local/running-process.ts';
import { temporaryDatabase } from '../support/servers.ts';

let home: string;
let configurationFile: string;
let stack: DevStack | undefined;
const lines: string[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lockstep-dev-'));
  configurationFile = join(home, 'lockstep.yaml');
  await writeFile(
    configurationFile,
    `connectors: { dev: { kind: csv, directory: ., schedules: { complete: never } } }
entityTypes: { p: { connector: dev, source: p.csv, key: id, properties: { id: { column: id } } } }
`,
  );
  lines.length = 0;
});
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
  await rm(home, { recursive: true });
});

function start(env: NodeJS.ProcessEnv): Promise<DevStack> {
  const { PATH, HOME, XDG_CACHE_HOME } = process.env;
  return startDevStack({
    env: { PATH, HOME, XDG_CACHE_HOME, ...env },
    home,
    configurationFile,
    log: (text) => lines.push(text),
  });
}

test('everything is started, found by its home, and stopped without a trace', async () => {
  stack = await start({});
  const { state } = stack;
  const pids = Object.values(state.pids).filter((pid) => pid !== undefined);
  expect(Object.keys(state.pids).sort()).toEqual(['dev', 'postgres', 'temporal', 'worker']);
  expect(pids.every(isRunning)).toBe(true);
  expect(await readDevState(home)).toEqual(state);
  expect((await fetch(state.temporalUi ?? '')).status).toBe(200);

  await expect(start({})).rejects.toMatchObject({
    code: 'UsageInvalid',
    message: expect.stringContaining('runs already'),
  });

  // Nothing but the home tells where the servers are.
  await writeFile(join(home, 'p.csv'), 'id\n1\n');
  await using lockstep = await connectLockstep({
    environment: { LOCKSTEP_HOME: home },
    configurationFile,
  });
  const job = await lockstep.run('dev');
  // Whatever is wrong, the worker's log tells more.
  expect(job, await readFile(join(home, 'worker.log'), 'utf8')).toMatchObject({
    state: 'blocked',
    error: null,
    counts: { inserted: 1 },
  });

  await stack.stop();
  expect(pids.filter((pid) => pid !== process.pid && isRunning(pid))).toEqual([]);
  expect(await readDevState(home)).toBeUndefined();
});

test('a worker that is killed is replaced, and dev.json names the new one', async () => {
  await using database = await temporaryDatabase();
  stack = await start({
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    LOCKSTEP_TASK_QUEUE: `dev-${process.pid}`,
  });
  // What was given is not started.
  expect(Object.keys(stack.state.pids).sort()).toEqual(['dev', 'worker']);
  const first = stack.worker.pid as number;
  await stack.worker.kill('SIGKILL');
  expect(isRunning(first)).toBe(false);
  await stack.worker.untilReplaced(first);
  const second = stack.worker.pid as number;
  expect(isRunning(second)).toBe(true);
  expect(JSON.parse(await readFile(join(home, 'dev.json'), 'utf8')).pids.worker).toBe(second);
  expect(lines).toContain('The worker ended (SIGKILL); it is started again.');
  await stack.stop();
  expect(isRunning(second)).toBe(false);
});

test('a configuration that is wrong stops it before anything is started', async () => {
  await writeFile(configurationFile, 'connectors: 7\n');
  await expect(start({})).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
  expect(lines).toEqual([]);
});
