// What can be known of a process from its pid: whether it runs, and which command it is.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Whether the pid is a live process. One that is about to end, or only waits to be reaped (a zombie), does not run. */
export function isRunning(pid: number): boolean {
  return hasProc ? runsInProc(pid) : /^[^ZX]/.test(field(pid, 'stat') ?? '');
}

/**
 * The command line of a live process, undefined when there is none, and for the moment in which it
 * becomes another program (execve). Pids are reused: compare it with what you started before you
 * signal a pid that you have read from a file.
 */
export function commandLine(pid: number): string | undefined {
  if (!hasProc) return isRunning(pid) ? field(pid, 'args') : undefined;
  return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() || undefined;
}

const hasProc = existsSync('/proc/self/stat');

/** PF_EXITING of Linux: set before anything of the process is given up. */
const isExiting = 4;

function runsInProc(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return false;
  // `pid (command) state …` (proc(5)), and the command may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', flags] = [fields[0], fields[6]];
  return !/^[ZX]/.test(state) && (Number(flags) & isExiting) === 0;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function field(pid: number, name: 'args' | 'stat'): string | undefined {
  try {
    const output = execFileSync('ps', ['-o', `${name}=`, '-p', String(pid)], { encoding: 'utf8' });
    return output.trim() || undefined;
  } catch {
    return undefined;
  }
}
