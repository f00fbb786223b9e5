// The npm packages of the lock file: installed when node_modules does not hold exactly those.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, run } from './command.js';
import { withLock } from './lock.js';
import { SetupError } from './step.js';

/**
 * Installs what the lock file says, unless it is there.
 *
 * `npm install --no-save` keeps to the lock file and does not change it. `npm ci` would do, but it
 * refuses a registry that lacks the builds of a tool for some other platform.
 *
 * The stamp is npm's own: `node_modules/.package-lock.json` is the last thing an install writes, so
 * it also knows of an install made by hand, and of one killed half way.
 *
 * @param {string} root the checkout @param {string} cache the user-level cache
 */
export async function installPackages(root, cache) {
  if (isInstalled(root)) return 'cached';
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return withLock(join(cache, `npm-${checkout}.lock`), async () => {
    if (isInstalled(root)) return 'cached';
    const { code, output } = await run('npm', ['install', '--no-save', '--no-audit', '--no-fund'], {
      cwd: root,
    });
    if (code === undefined) {
      throw new SetupError(
        'npm was not found',
        'Install Node.js 18 or later with npm, then again.',
      );
    }
    if (code !== 0) {
      const hint = 'Look for the first npm error above; most often the registry cannot be reached.';
      const errors = output.split('\n').filter((line) => line.startsWith('npm error'));
      throw new SetupError(
        `npm install failed\n${lastLines(errors.slice(0, 12).join('\n'))}`,
        hint,
      );
    }
    if (!existsSync(nodeOf(root))) {
      const hint =
        'Allow install scripts (npm config delete ignore-scripts), then: npm rebuild node';
      throw new SetupError('the package "node" did not install its binary', hint);
    }
  });
}

/** The pinned Node that runs the TypeScript sources. @param {string} root */
export function nodeOf(root) {
  return join(
    root,
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
}

/** @param {string} root */
function isInstalled(root) {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (!installed || !existsSync(nodeOf(root))) return false;
  const wanted = packagesOf(join(root, 'package-lock.json')) ?? {};
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = installed[path];
    // Optional packages of other platforms are in the lock file only.
    return found ? found.version === version && found.integrity === integrity : optional;
  });
}

/** @param {string} file @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }> | undefined} */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
