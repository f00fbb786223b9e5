// What can be known of a process from its pid: whether it runs, and which command it is.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Whether the pid is a live process. A zombie, which only waits to be reaped, does not run. */
export function isRunning(pid: number): boolean {
  return commandLine(pid) !== undefined;
}

/**
 * The command line of a live process, undefined when there is none. Pids are reused: compare it with
 * what you started before you signal a pid that you have read from a file.
 */
export function commandLine(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/cmdline')) {
      // Empty for a zombie.
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || undefined;
    }
    const [state, ...command] = execFileSync('ps', ['-o', 'stat=,args=', '-p', String(pid)], {
      encoding: 'utf8',
    })
      .trim()
      .split(/\s+/);
    return state?.startsWith('Z') ? undefined : command.join(' ');
  } catch {
    return undefined;
  }
}
