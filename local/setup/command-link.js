// The `lockstep` command of the checkout, so that `npx lockstep` finds it in node_modules/.bin.

import { chmodSync, existsSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** npm links the commands of dependencies, not of the package itself. @param {string} root */
export function linkCommand(root) {
  const link = join(root, 'node_modules', '.bin', 'lockstep');
  const target = join('..', '..', 'local', 'lockstep.js');
  if (existsSync(link) && readlinkSync(link) === target) return 'cached';
  chmodSync(join(root, 'local', 'lockstep.js'), 0o755);
  const own = `${link}.${process.pid}`;
  symlinkSync(target, own);
  renameSync(own, link);
}
