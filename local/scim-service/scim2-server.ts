/** A real SCIM 2.0 server that this project did not write: PyPI `scim2-server`, in a process of its own, in memory. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningChild, startChild } from '../child-process.ts';
import { cacheDirectory } from '../home.ts';
import { freePort } from '../port.ts';
import packages from '../scim-test-server.json' with { type: 'json' };

const place = join(
  cacheDirectory(process.env),
  `${packages.package}-${packages.version}-${process.platform}-${process.arch}`,
);

/** False where `node local/setup.js --tests` has not installed it. */
export const hasScim2Server = existsSync(place);

export interface Scim2Process extends RunningChild {
  /** Without the `/v2`, which works, too. */
  readonly url: string;
}

/**
 * Starts it on 127.0.0.1, open to whoever has the token.
 *
 * @param directory for its log
 * @param args more of its own options
 * @throws Error when it is not installed; ChildProcessError when it does not start
 */
export async function startScim2Process(
  directory: string,
  token: string,
  args: readonly string[] = [],
): Promise<Scim2Process> {
  if (!hasScim2Server) {
    throw new Error(`${packages.package} is not installed: run node local/setup.js --tests`);
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${token}` };
  const server = await startChild({
    name: packages.package,
    command: 'python3',
    args: [
      join(place, 'bin', 'scim2-server'),
      // A token may begin with a hyphen.
      ...['--port', `${port}`, `--bearer-token=${token}`, ...args],
    ],
    env: { ...process.env, PYTHONPATH: place },
    logFile: join(directory, 'scim2-server.log'),
    pidFile: join(directory, 'scim2-server.pid'),
    stopSignal: 'SIGKILL',
    async isReady() {
      const answer = await fetch(`${url}/v2/ServiceProviderConfig`, { headers }).catch(() => {});
      return answer?.ok === true;
    },
  });
  return { ...server, url };
}
