// Python packages that together are one program, installed with pip into a folder of the cache.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, run } from './command.js';
import { SetupError } from './step.js';

/**
 * Makes the packages available. They are installed beside their place and renamed into it, so a killed install leaves
 * nothing half done and of two at once the second is thrown away.
 *
 * @param {{ package: string, version: string, requirements: string[] }} packages @param {string} cache
 */
export async function installPythonPackages(packages, cache) {
  const platform = `${process.platform}-${process.arch}`;
  const place = join(cache, `${packages.package}-${packages.version}-${platform}`);
  if (existsSync(place)) return 'cached';
  mkdirSync(cache, { recursive: true });
  const staging = join(cache, `.installing-${packages.package}-${process.pid}`);
  try {
    const flags = [
      '--no-deps',
      '--only-binary',
      ':all:',
      '--disable-pip-version-check',
      '--no-input',
    ];
    const install = ['-m', 'pip', 'install', ...flags, '--target', staging];
    const { code, output } = await run('python3', [...install, ...packages.requirements]);
    if (code !== 0) {
      const reason =
        code === undefined ? 'python3 was not found' : `pip failed\n${lastLines(output)}`;
      throw new SetupError(
        reason,
        'Install Python 3 with pip, then run `node local/setup.js --tests` again.',
      );
    }
    if (!existsSync(place)) renameSync(staging, place);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
