// The Temporal dev server of a local run: started on a database file, ready when its frontend serves.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import {
  ChildProcessError,
  type RunningChild,
  startChild,
  stopLeftBehind,
} from './child-process.ts';
import { freePort } from './port.ts';

const command = promisify(execFile);

/** The types a search attribute can have. */
export type SearchAttributeType =
  | 'Bool'
  | 'Datetime'
  | 'Double'
  | 'Int'
  | 'Keyword'
  | 'KeywordList'
  | 'Text';

/** What to start; ports are wishes, a free one is taken where they are not free. */
export interface TemporalOptions {
  /** The `temporal` program, see `findTemporal`. */
  readonly binary: string;
  /** Holds all workflows; created when missing. Log and pid file lie beside it. */
  readonly databaseFile: string;
  readonly port?: number | undefined;
  readonly uiPort?: number | undefined;
  /** Registered in the namespace, also in one of an older database file. */
  readonly searchAttributes: Readonly<Record<string, SearchAttributeType>>;
  /** Default `default`. */
  readonly namespace?: string;
  /** Without the web UI; default false. */
  readonly headless?: boolean;
}

/** A Temporal dev server that answers on `address`. */
export interface RunningTemporal extends RunningChild {
  readonly address: string;
  /** Undefined when headless. */
  readonly uiUrl: string | undefined;
}

/**
 * Starts the dev server on 127.0.0.1 and waits until it serves. A server that a killed process left
 * behind on the same database file is stopped first.
 *
 * @throws ChildProcessError with the end of its log; Error when a live process uses the file.
 */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const { databaseFile } = options;
  await mkdir(dirname(databaseFile), { recursive: true });
  await stopLeftBehind(`${databaseFile}.pid`, databaseFile);
  try {
    return await launch(options);
  } catch (error) {
    // Somebody took a port between our question and the server's start.
    const isTaken =
      error instanceof ChildProcessError && error.log.includes('address already in use');
    if (!isTaken) throw error;
    return await launch({ ...options, port: undefined, uiPort: undefined });
  }
}

async function launch(options: TemporalOptions): Promise<RunningTemporal> {
  const { databaseFile, searchAttributes, namespace = 'default' } = options;
  const isOldDatabase = existsSync(databaseFile);
  const port = await freePort(options.port);
  const uiPort = options.headless ? undefined : await freePort(options.uiPort);
  const address = `127.0.0.1:${port}`;
  const ui =
    uiPort === undefined ? ['--headless'] : ['--ui-port', `${uiPort}`, '--ui-disable-news-fetch'];
  // The HTTP and the metrics port are left out: the server then takes free ones.
  const child = await startChild({
    name: 'Temporal dev server',
    command: options.binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', `${port}`, ...ui],
      ...['--db-filename', databaseFile, '--namespace', namespace, '--log-level', 'warn'],
      ...Object.entries(searchAttributes).flatMap(([name, type]) => [
        '--search-attribute',
        `${name}=${type}`,
      ]),
    ],
    logFile: `${databaseFile}.log`,
    pidFile: `${databaseFile}.pid`,
    isReady: () => serves(options.binary, address),
  });
  try {
    // The flag registers them in new namespaces only.
    if (isOldDatabase) await register(options.binary, address, namespace, searchAttributes);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    ...child,
    address,
    uiUrl: uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`,
  };
}

async function serves(binary: string, address: string): Promise<boolean> {
  try {
    const { stdout } = await operator(binary, address, ['cluster', 'health']);
    return stdout.includes('SERVING');
  } catch {
    return false;
  }
}

async function register(
  binary: string,
  address: string,
  namespace: string,
  searchAttributes: Readonly<Record<string, SearchAttributeType>>,
): Promise<void> {
  const attributes = Object.entries(searchAttributes);
  if (attributes.length === 0) return;
  const flags = attributes.flatMap(([name, type]) => ['--name', name, '--type', type]);
  await operator(binary, address, [
    'search-attribute',
    'create',
    '--namespace',
    namespace,
    ...flags,
  ]);
}

function operator(binary: string, address: string, args: readonly string[]) {
  // The user's own profile and TEMPORAL_ variables are about other servers.
  const only = ['--address', address, '--disable-config-file', '--disable-config-env'];
  return command(binary, ['operator', ...args, ...only], { timeout: 10_000 });
}
