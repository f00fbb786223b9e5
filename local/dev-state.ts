// The addresses and pids of a running `lockstep dev`, in dev.json of its home, for other commands.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from './running-process.ts';

/** What `lockstep dev` started. A pid is absent when that part was given, not started. */
export interface DevState {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalUi?: string | undefined;
  readonly pids: {
    readonly dev: number;
    readonly postgres?: number | undefined;
    readonly temporal?: number | undefined;
    readonly worker?: number | undefined;
  };
}

/**
 * Writes dev.json: all of it or nothing, and for the owner's eyes only, because the database URL
 * holds the password.
 */
export async function writeDevState(home: string, state: DevState): Promise<void> {
  await mkdir(home, { recursive: true });
  const temporary = join(home, `.dev.json.${randomUUID()}`);
  await writeFile(temporary, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, join(home, 'dev.json'));
}

/**
 * The state of the `lockstep dev` that runs in this home; undefined when there is none, or when
 * dev.json is stale because that process has gone. Removes nothing.
 */
export async function readDevState(home: string): Promise<DevState | undefined> {
  let text: string;
  try {
    text = await readFile(join(home, 'dev.json'), 'utf8');
  } catch {
    return undefined;
  }
  const state = parse(text);
  return state && isRunning(state.pids.dev) ? state : undefined;
}

function parse(text: string): DevState | undefined {
  try {
    const state = JSON.parse(text) as DevState;
    return Number.isInteger(state?.pids?.dev) ? state : undefined;
  } catch {
    return undefined;
  }
}
