// Where Lockstep keeps things on this machine: the state of a local run, and what setup installed.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../config/settings.ts';

/**
 * The folder of a local run: databases, logs, secrets, `dev.json`. `LOCKSTEP_HOME`, by default
 * `.lockstep` in the current directory; always absolute, never created here.
 */
export function lockstepHome(env: NodeJS.ProcessEnv): string {
  return readSettings(env).home;
}

/**
 * The user-level cache of installed programs, shared by all checkouts; `setup.js` fills it.
 * `$XDG_CACHE_HOME/lockstep`, by default `~/.cache/lockstep`.
 */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'lockstep');
}
