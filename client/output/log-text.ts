/** The log of a job for people: a line for each entry, in local time. */
import type { LogEntry } from '../job-log.ts';
import { localTime } from './duration.ts';
import { printable, type Terminal } from './terminal.ts';

export function logText(terminal: Terminal, entries: readonly LogEntry[]): string {
  if (entries.length === 0) return 'Nothing yet: no worker has begun the job.';
  return entries.map((entry) => line(terminal, entry)).join('\n');
}

function line({ colors }: Terminal, { at, level, message }: LogEntry): string {
  const text = printable(message);
  const painted =
    level === 'error' ? colors.red(text) : level === 'warn' ? colors.yellow(text) : text;
  return `${colors.dim(localTime(new Date(at)))}  ${painted}`;
}
