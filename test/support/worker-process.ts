// A real worker as a process of its own, which a test may stop, freeze and kill.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../local/child-process.ts';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A worker that polls its task queue. */
export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has ended, whoever ended it. */
  readonly exited: Promise<unknown>;
  /** Sends a signal; after one that ends it, waits for the end. */
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** All it wrote, stdout and stderr. */
  log(): Promise<string>;
}

/** Starts `worker/main.ts` with this environment alone, and resolves when it is ready. */
export async function startWorkerProcess(
  home: string,
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<WorkerProcess> {
  const logFile = `${home}/${name}.log`;
  const log = () => readFile(logFile, 'utf8');
  const child = await startChild({
    name,
    command: fromRoot('node_modules/.bin/node'),
    args: [fromRoot('worker/main.ts')],
    logFile,
    pidFile: `${home}/${name}.pid`,
    isReady: async () => (await log()).includes('worker is ready'),
    stopSignal: 'SIGKILL',
    // Without the caller's HOME no profile of Temporal's command line is found: those are about other servers.
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      HOME: home,
      ...environment,
    },
  });
  return {
    pid: child.pid,
    exited: child.exited,
    async kill(signal) {
      process.kill(child.pid, signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await child.exited;
    },
    log,
    [Symbol.asyncDispose]: child.stop,
  };
}
