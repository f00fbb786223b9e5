/** Rejects as lines that editors can follow: `users.csv:17  ValueInvalid  hire_date="31/02/2021"  …`. */
import type { Reject } from '../../engine/reject.ts';
import { printable, type Terminal } from './terminal.ts';

export function rejectLine({ colors }: Terminal, reject: Reject): string {
  const { file, line, code, column, value, key, message } = reject;
  const place = line === null ? file : `${file}:${line}`;
  const cell =
    column === null ? '' : `  ${column}=${value === null ? '' : printable(JSON.stringify(value))}`;
  // The key says which resource, unless the cell does already.
  const who = key === null || key === value ? '' : `  ${printable(key)}`;
  return `${colors.bold(place)}  ${colors.yellow(code)}${cell}${who}  ${printable(message)}`;
}
