// The Prisma client: generated from prisma/schema.prisma when that has changed since the last time.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lastLines, run } from './command.js';
import { nodeOf } from './npm-packages.js';
import { SetupError } from './step.js';

/** Runs `prisma generate` unless it is not needed. @param {string} root the checkout */
export async function generatePrismaClient(root) {
  if (!existsSync(join(root, 'prisma', 'schema.prisma'))) return 'no schema yet';
  const stamp = join(root, 'node_modules', '.cache', 'lockstep', 'prisma-client');
  const wanted = digest(root, [
    'prisma/schema.prisma',
    'prisma.config.ts',
    'node_modules/prisma/package.json',
  ]);
  const generated = existsSync(join(root, 'prisma', 'generated'));
  if (generated && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 'cached';

  const prisma = join(root, 'node_modules', 'prisma', 'build', 'index.js');
  // generate would download an engine that it does not use; any existing file satisfies it.
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  };
  const { code, output } = await run(nodeOf(root), [prisma, 'generate'], { cwd: root, env });
  if (code !== 0) {
    const hint = 'Correct prisma/schema.prisma, then run setup again.';
    throw new SetupError(`prisma generate failed\n${lastLines(output)}`, hint);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** @param {string} root @param {string[]} files */
function digest(root, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const path = join(root, file);
    hash.update(file).update(existsSync(path) ? readFileSync(path) : '');
  }
  return hash.digest('hex');
}
