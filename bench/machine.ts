/** What the benchmark ran on. */
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';

/** Facts that change what the times mean, by name. */
export type Machine = Readonly<Record<string, string>>;

/** @param programs versions of what was measured, by name */
export function describeMachine(programs: Machine): Machine {
  const processors = cpus();
  return {
    Measured: new Date().toISOString().slice(0, 16).replace('T', ' ').concat(' UTC'),
    CPU: `${processors.length} × ${processors[0]?.model.trim() ?? arch()}`,
    Memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    System: `${type()} ${release()}`,
    'Node.js': process.versions.node,
    ...programs,
  };
}

/** Processes that wanted to run in the last minute, on average: what others on this machine did. */
export function loadAverage(): number {
  return Math.round((loadavg()[0] ?? Number.NaN) * 100) / 100;
}
