// Tests of the Temporal dev server: it serves, keeps its workflows and leaves nothing running.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { beforeEach, expect, inject, test } from 'vitest';
import { isRunning } from '../../local/running-process.ts';
import { type RunningTemporal, startTemporal } from '../../local/temporal-server.ts';

const command = promisify(execFile);

let databaseFile: string;
beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-temporal-'));
  databaseFile = join(directory, 'temporal.db');
  return () => rm(directory, { recursive: true });
});

async function searchAttributes({ address }: RunningTemporal): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    return Object.keys(customAttributes ?? {}).filter((name) => name.startsWith('Sync'));
  } finally {
    await connection.close();
  }
}

test('it serves, remembers across a restart, and takes search attributes that came later', async () => {
  const binary = inject('temporalBinary');

  const first = await startTemporal({
    binary,
    databaseFile,
    searchAttributes: { SyncMode: 'Keyword' },
  });
  expect((await fetch(first.uiUrl ?? '')).status).toBe(200);
  expect(await searchAttributes(first)).toEqual(['SyncMode']);
  const start = ['workflow', 'start', '--type', 'x', '--task-queue', 'x', '--workflow-id', 'kept'];
  await command(binary, [...start, '--address', first.address]);
  await first.stop();
  expect(isRunning(first.pid)).toBe(false);

  const second = await startTemporal({
    binary,
    databaseFile,
    headless: true,
    searchAttributes: { SyncMode: 'Keyword', SyncBreaches: 'KeywordList' },
  });
  try {
    expect(second.uiUrl).toBeUndefined();
    expect((await searchAttributes(second)).sort()).toEqual(['SyncBreaches', 'SyncMode']);
    const describe = ['workflow', 'describe', '--workflow-id', 'kept', '--address', second.address];
    expect((await command(binary, describe)).stdout).toContain('kept');
  } finally {
    await second.stop();
  }
});

test('a port that is taken is left to its owner', async () => {
  const binary = inject('temporalBinary');
  const taken = Number(inject('temporalAddress').split(':')[1]);
  const server = await startTemporal({
    binary,
    databaseFile,
    port: taken,
    headless: true,
    searchAttributes: {},
  });
  await server.stop();
  expect(server.address).not.toBe(inject('temporalAddress'));
});
