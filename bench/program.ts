/** Runs another program to its end, and ends it when the benchmark is interrupted. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly signal: AbortSignal;
}

/** What a program printed, and how long its process lived. */
export interface ProgramEnd {
  readonly output: string;
  readonly seconds: number;
}

/** @throws Error with the end of what it printed when it fails or cannot be started. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { env = process.env, input = '', signal }: ProgramOptions,
): Promise<ProgramEnd> {
  signal.throwIfAborted();
  const started = performance.now();
  const child = spawn(command, args, { env, signal });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | NodeJS.Signals>();
  child.once('error', (error: NodeJS.ErrnoException) =>
    reject(error.code === 'ENOENT' ? new Error(`${command} was not found`) : error),
  );
  child.once('close', (code, ended) => resolve(code ?? ended ?? 1));
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    promise,
  ]);
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${command} failed (${code}):\n${lastLines(errors || output)}`);
  return { output, seconds };
}

function lastLines(printed: string): string {
  return printed.trim().split('\n').slice(-15).join('\n');
}
