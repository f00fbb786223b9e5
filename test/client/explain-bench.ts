// A store with extractions, and the client and command line that look at them.

import { dirname, join } from 'node:path';
import { runCommandLine } from '../../client/command-line.ts';
import type { Explanation } from '../../client/explain.ts';
import type { ExplainedProperty } from '../../client/explained-property.ts';
import { type Lockstep, lockstepOf } from '../../client/lockstep.ts';
import { Session } from '../../client/session.ts';
import { peopleConfiguration } from '../fixtures/people.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';
import { captured } from './captured-stream.ts';

/** A bench with a client of its own; `await using` closes both. */
export interface ExplainBench extends AsyncDisposable {
  readonly bench: SyncBench;
  readonly lockstep: Lockstep;
  readonly configurationFile: string;
  commandLine(...args: string[]): Promise<{ exitCode: number; stdout: string }>;
}

export async function openExplainBench(): Promise<ExplainBench> {
  const bench = await openSyncBench(peopleConfiguration());
  const home = dirname(bench.extractions);
  const configurationFile = join(home, 'lockstep.yaml');
  const environment = {
    DATABASE_URL: String(bench.store.pool.options.connectionString),
    LOCKSTEP_HOME: home,
    LOCKSTEP_CONFIG: configurationFile,
  };
  let session = new Session({ environment });
  return {
    bench,
    // Anew for every call: the configuration file changes between them.
    get lockstep() {
      const before = session;
      session = new Session({ environment });
      void before.close();
      return lockstepOf(session);
    },
    configurationFile,
    async commandLine(...args) {
      const [stdout, stderr] = [captured(), captured()];
      const streams = { stdout: stdout.stream, stderr: stderr.stream, environment };
      return { exitCode: await runCommandLine(args, streams), stdout: stdout.text() };
    },
    async [Symbol.asyncDispose]() {
      await session.close();
      await bench[Symbol.asyncDispose]();
    },
  };
}

/** What is told of one property. */
export function explained(explanation: Explanation, name: string): ExplainedProperty | undefined {
  return explanation.properties.find(({ property }) => property === name);
}
