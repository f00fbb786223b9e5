/** The scripts of worker/ as processes: the client may not import them, it starts them. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '../local/home.ts';

/**
 * A worker keeps rows for moments only, so its heap need not be large: V8 left alone would collect late, and a first
 * load take 100 MB more.
 */
const heapFlags = ['--max-semi-space-size=8', '--max-old-space-size=320'];

/**
 * What a worker's memory depends on, as long as the environment does not say otherwise.
 *
 * Memory that a thread gave back serves the others, too: glibc would otherwise keep up to eight pools a core, some 30 MB of
 * which a first load leaves unused; and large buffers are given back to the system, not kept among small things that stay
 * (26 MB). Other C libraries ignore both. And what was compiled once is kept at user level: else the
 * worker and each of its threads need a program of 20 MB to take the types out of the sources of a checkout.
 */
export function workerEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: String(1 << 17),
    NODE_COMPILE_CACHE: join(cacheDirectory(environment), 'compiled'),
    ...environment,
  };
}

export type WorkerScript = 'main' | 'migrate' | 'purge';

/** The arguments of Node for an entry script of worker/. */
export function workerArguments(name: WorkerScript): string[] {
  return name === 'main' ? [...heapFlags, workerScript(name)] : [workerScript(name)];
}

/** Where an entry script of worker/ is: `.ts` in a checkout, `.js` in a build. */
export function workerScript(name: WorkerScript): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../worker/${name}.${extension}`, import.meta.url));
}

/**
 * Runs a script of worker/ in the foreground: its output is ours, signals are handed on.
 *
 * @returns its exit code; 128 + n when signal n ended it.
 */
export async function runInForeground(
  name: WorkerScript,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(process.execPath, workerArguments(name), {
    stdio: 'inherit',
    env: workerEnvironment(environment),
  });
  const signals = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;
  // A terminal's Ctrl-C reaches the child by itself; twice would mean "at once".
  const handOn = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, handOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']),
      );
    });
  } finally {
    for (const signal of signals) process.off(signal, handOn);
  }
}

/** Runs a script of worker/; what it prints goes to `write`. @returns its exit code. */
export async function runScript(
  name: WorkerScript,
  environment: NodeJS.ProcessEnv,
  write: (text: string) => void,
  ...parameters: readonly string[]
): Promise<number> {
  const child = spawn(process.execPath, [...workerArguments(name), ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  child.stdout.setEncoding('utf8').on('data', write);
  child.stderr.setEncoding('utf8').on('data', write);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
