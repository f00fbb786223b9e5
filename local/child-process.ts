// A long-lived child process: started with its log in a file, waited for until ready, stopped by pid.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, isRunning } from './running-process.ts';

const LOG_LIMIT_BYTES = 10_000_000;
const POLL_MS = 20;

/** How to start a child and how to know that it is ready. */
export interface ChildOptions {
  /** What messages call it, such as `PostgreSQL`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its output goes; appended, and set aside as `.old` beyond 10 MB. */
  readonly logFile: string;
  /** Where its pid and ours are kept, so that `stopLeftBehind` finds it after we were killed. */
  readonly pidFile: string;
  /** Asked again and again until it says true; a rejection fails the start. */
  isReady(): Promise<boolean>;
  /** Default 60 s. */
  readonly readyTimeoutMs?: number;
  /** What asks it to end in order; default SIGTERM. SIGKILL follows after `stopTimeoutMs`. */
  readonly stopSignal?: NodeJS.Signals;
  /** Default 10 s. */
  readonly stopTimeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** A child that is ready. */
export interface RunningChild {
  readonly pid: number;
  /** Resolves with the exit code (or the signal) when it ends, whoever ended it. Never rejects. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Ends it and waits for its end; harmless when it has ended already. */
  stop(): Promise<void>;
}

/** A child that ended, or did not become ready in time; `log` is the end of what it wrote. */
export class ChildProcessError extends Error {
  override readonly name = 'ChildProcessError';
  readonly log: string;

  constructor(message: string, log: string, logFile: string) {
    super(`${message}. The end of ${logFile}:\n${log || '(nothing)'}`);
    this.log = log;
  }
}

/**
 * Starts a child and resolves when it is ready.
 *
 * It has a process group of its own, so that Ctrl-C in the terminal reaches only us and we stop our
 * children in order. If we end without `stop()`, it gets the stop signal as our last act; only a
 * SIGKILL of ours leaves it behind.
 *
 * @throws ChildProcessError when it ends or is not ready in time; nothing is left running then.
 */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const logStart = rotate(options.logFile);
  const stopSignal = options.stopSignal ?? 'SIGTERM';
  const child = launch(options);
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
    child.once('error', () => resolve(127));
  });
  const pid = child.pid;
  if (pid === undefined) {
    await exited;
    throw new ChildProcessError(
      `${options.name} cannot be started`,
      options.command,
      options.logFile,
    );
  }
  const atOurEnd = () => child.kill(stopSignal);
  process.once('exit', atOurEnd);
  void exited.then(() => process.off('exit', atOurEnd));

  const stop = async () => {
    await endChild(child, exited, stopSignal, options.stopTimeoutMs ?? 10_000);
    await rm(options.pidFile, { force: true });
  };
  try {
    await writeFile(options.pidFile, JSON.stringify({ pid, owner: process.pid }));
    const failure = await waitUntilReady(child, options);
    if (failure) {
      const log = await tail(options.logFile, logStart);
      throw new ChildProcessError(`${options.name} ${failure}`, log, options.logFile);
    }
    return { pid, exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Stops the child of a process that was killed before it could stop it itself.
 *
 * @param mark part of the child's command line: a pid that now is another program is left alone.
 * @throws Error when the process that started it still runs: two cannot share what it works on.
 */
export async function stopLeftBehind(pidFile: string, mark: string): Promise<void> {
  const { pid, owner } = await readPidFile(pidFile);
  const runs = () => pid !== undefined && (commandLine(pid)?.includes(mark) ?? false);
  if (pid === undefined || !runs()) return;
  if (owner !== undefined && isRunning(owner)) {
    throw new Error(
      `${mark} is in use by process ${owner}: stop that, or choose another LOCKSTEP_HOME`,
    );
  }
  process.kill(pid, 'SIGINT');
  for (const started = Date.now(); runs(); await sleep(POLL_MS)) {
    if (Date.now() - started > 10_000) process.kill(pid, 'SIGKILL');
  }
}

function launch(options: ChildOptions): ChildProcess {
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    return spawn(options.command, options.args, {
      stdio: ['ignore', log, log],
      detached: true,
      ...(options.env && { env: options.env }),
      ...(options.uid !== undefined && { uid: options.uid }),
      ...(options.gid !== undefined && { gid: options.gid }),
    });
  } finally {
    closeSync(log);
  }
}

async function waitUntilReady(
  child: ChildProcess,
  options: ChildOptions,
): Promise<string | undefined> {
  const timeoutMs = options.readyTimeoutMs ?? 60_000;
  const deadline = Date.now() + timeoutMs;
  while (!hasEnded(child)) {
    if ((await options.isReady()) && !hasEnded(child)) return undefined;
    if (Date.now() > deadline) return `was not ready within ${timeoutMs / 1000} s`;
    await sleep(POLL_MS);
  }
  return `ended at once (${child.exitCode ?? child.signalCode})`;
}

async function endChild(
  child: ChildProcess,
  exited: Promise<unknown>,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<void> {
  if (!hasEnded(child)) {
    child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    await exited;
    clearTimeout(force);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Keeps a log from growing for ever; answers where this run's part begins. */
function rotate(logFile: string): number {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size < LOG_LIMIT_BYTES) return size;
  renameSync(logFile, `${logFile}.old`);
  return 0;
}

async function tail(logFile: string, from: number, lines = 15): Promise<string> {
  await using file = await open(logFile);
  const { size } = await file.stat();
  const start = Math.max(from, size - 20_000);
  const { buffer } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

async function readPidFile(pidFile: string): Promise<{ pid?: number; owner?: number }> {
  try {
    return JSON.parse(await readFile(pidFile, 'utf8')) as { pid?: number; owner?: number };
  } catch {
    return {};
  }
}
