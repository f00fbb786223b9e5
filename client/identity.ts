/** Who we are, for Temporal's history and for decisions. */
import { hostname, userInfo } from 'node:os';

/** Name of the operating system's user at this machine: `jdoe@laptop`. */
export function currentIdentity(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
