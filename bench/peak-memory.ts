/** The most memory that a process has had. */
import { readFile } from 'node:fs/promises';

/** In MiB; undefined where the system does not tell (it does on Linux), or for a process that does not run. */
export async function peakMemory(pid: number | undefined): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  } catch {
    return undefined;
  }
}
