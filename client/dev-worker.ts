/** The worker of a local stack: a process of its own that is started again when it dies. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningChild, startChild, stopLeftBehind } from '../local/child-process.ts';
import { workerArguments, workerEnvironment, workerScript } from './worker-process.ts';

const readyMark = 'worker is ready';
const firstPauseMs = 200;
const longestPauseMs = 30_000;
/** A worker that lived this long is taken to be well: the next pause is short again. */
const wellAfterMs = 60_000;
/** Time for a worker to end its activities in order; longer than its own grace time. */
const stopTimeoutMs = 60_000;

export interface DevWorkerOptions {
  readonly home: string;
  /** What the worker's environment shall be. */
  readonly environment: NodeJS.ProcessEnv;
  readonly log: (text: string) => void;
  /** Called with the pid of every worker that became ready. */
  readonly onReady: (pid: number) => Promise<void>;
}

/** A worker that is kept alive. */
export interface DevWorker {
  /** Pid of the process that runs now; undefined between two. */
  readonly pid: number | undefined;
  /** Ends the process with a signal and waits for its end; another one is started by itself. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Resolves when a worker other than `pid` is ready. */
  untilReplaced(pid: number): Promise<void>;
  /** Ends it in order, for good. */
  stop(): Promise<void>;
}

/** Starts the worker and resolves when it polls. @throws ChildProcessError with the end of its log. */
export async function startDevWorker(options: DevWorkerOptions): Promise<DevWorker> {
  await stopLeftBehind(pidFileOf(options.home), workerScript('main'));
  const keeper = new Keeper(options);
  await keeper.start();
  return keeper;
}

class Keeper implements DevWorker {
  readonly #options: DevWorkerOptions;
  readonly #stopping = new AbortController();
  #child: RunningChild | undefined;
  #replaced = Promise.withResolvers<void>();
  #life: Promise<void> = Promise.resolve();

  constructor(options: DevWorkerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    this.#child = await launch(this.#options);
    await this.#options.onReady(this.#child.pid);
    this.#life = this.#keepAlive(this.#child);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    process.kill(child.pid, signal);
    await child.exited;
  }

  async untilReplaced(pid: number): Promise<void> {
    while (this.pid === undefined || this.pid === pid) await this.#replaced.promise;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#child?.stop();
    await this.#life;
  }

  async #keepAlive(first: RunningChild): Promise<void> {
    let child = first;
    let pauseMs = firstPauseMs;
    while (true) {
      const since = Date.now();
      const end = await child.exited;
      this.#child = undefined;
      if (this.#stopping.signal.aborted) return;
      if (Date.now() - since > wellAfterMs) pauseMs = firstPauseMs;
      this.#options.log(`The worker ended (${end}); it is started again.`);
      const next = await this.#startAgain(pauseMs);
      if (next === undefined) return;
      ({ child, pauseMs } = next);
      this.#child = child;
      await this.#options.onReady(child.pid);
      this.#replaced.resolve();
      this.#replaced = Promise.withResolvers();
    }
  }

  /** Tries until one is ready; undefined when we are told to stop. */
  async #startAgain(
    firstPause: number,
  ): Promise<{ child: RunningChild; pauseMs: number } | undefined> {
    for (let pauseMs = firstPause; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await sleep(pauseMs, undefined, { signal: this.#stopping.signal });
      } catch {
        return undefined;
      }
      try {
        const child = await launch(this.#options);
        if (!this.#stopping.signal.aborted) {
          return { child, pauseMs: Math.min(pauseMs * 2, longestPauseMs) };
        }
        await child.stop();
        return undefined;
      } catch (error) {
        this.#options.log((error as Error).message);
      }
    }
  }
}

async function launch({ home, environment }: DevWorkerOptions): Promise<RunningChild> {
  const logFile = join(home, 'worker.log');
  const start = await sizeOf(logFile);
  return await startChild({
    name: 'The worker',
    command: process.execPath,
    args: workerArguments('main'),
    // Who runs `dev` owns the machine, and may name any configuration file.
    env: { ...workerEnvironment(environment), LOCKSTEP_ACCEPT_CONFIGURATION_FILE: '1' },
    logFile,
    pidFile: pidFileOf(home),
    isReady: () => says(logFile, start),
    stopTimeoutMs,
  });
}

function pidFileOf(home: string): string {
  return join(home, 'worker.pid');
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

/** Whether the part of the log that this run wrote says that it is ready; a log set aside begins anew. */
async function says(logFile: string, from: number): Promise<boolean> {
  const size = await sizeOf(logFile);
  const start = size < from ? 0 : from;
  if (size === start) return false;
  await using file = await open(logFile);
  const { buffer } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  return buffer.includes(readyMark);
}
