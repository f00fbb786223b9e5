// The test projects: the suffix of a test file says which servers it needs.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const SUFFIXES = ['db', 'temporal', 'time-skipping'] as const;

function project(
  name: (typeof SUFFIXES)[number],
  timeoutMs: number,
): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [`test/**/*.${name}.test.ts`],
      globalSetup: 'test/support/global-setup.ts',
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
    },
  };
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores, of which the servers need their share; but many tests wait more than they work.
    maxWorkers: 3,
    // Threads and worker processes are started by the hundred; what they load is compiled once.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'lockstep-compile-cache') },
    // What is waited for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default', './test/support/tally-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: SUFFIXES.map((suffix) => `test/**/*.${suffix}.test.ts`),
          testTimeout: 10_000,
        },
      },
      project('db', 60_000),
      project('temporal', 120_000),
      project('time-skipping', 120_000),
    ],
  },
});
