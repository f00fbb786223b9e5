/**
 * A SCIM 2.0 service for demonstrations: PyPI `scim2-server` behind an OAuth 2.0 server, neither of which knows Lockstep.
 * Everything is in memory, and on 127.0.0.1.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startChild } from '../child-process.ts';
import { cacheDirectory } from '../home.ts';
import { freePort } from '../port.ts';
import packages from '../scim-test-server.json' with { type: 'json' };
import { type OauthServer, startOauthServer } from './oauth-server.ts';

/** A resource as JSON (RFC 7643). */
export type ScimResource = Readonly<Record<string, unknown>>;

export interface ScimService extends AsyncDisposable {
  /** Where clients with a token get in. */
  readonly endpoint: string;
  readonly oauth: OauthServer;
  /** Every request that clients sent: `PATCH /v2/Users/…`. */
  readonly asked: readonly string[];
  /** What an administrator of the service does there, without Lockstep. @throws Error when it is refused */
  administer(method: string, path: string, body?: ScimResource): Promise<ScimResource>;
}

const scope = 'scim';

/**
 * Starts it; `node local/setup.js --tests` must have installed it.
 *
 * @param directory for the log of the server
 * @throws Error when it is not installed, or does not start
 */
export async function startScimService(
  directory: string,
  { tokenSeconds = 300 }: { tokenSeconds?: number } = {},
): Promise<ScimService> {
  const place = join(
    cacheDirectory(process.env),
    `${packages.package}-${packages.version}-${process.platform}-${process.arch}`,
  );
  if (!existsSync(place)) {
    throw new Error(`${packages.package} is not installed: run node local/setup.js --tests`);
  }
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const inside = `http://127.0.0.1:${port}`;
  const token = randomBytes(24).toString('base64url');
  const authorization = `Bearer ${token}`;
  const server = await startChild({
    name: packages.package,
    command: 'python3',
    args: [join(place, 'bin', 'scim2-server'), '--port', `${port}`, '--bearer-token', token],
    env: { ...process.env, PYTHONPATH: place },
    logFile: join(directory, 'scim2-server.log'),
    pidFile: join(directory, 'scim2-server.pid'),
    async isReady() {
      const url = `${inside}/v2/ServiceProviderConfig`;
      const answer = await fetch(url, { headers: { authorization } }).catch(() => undefined);
      return answer?.ok === true;
    },
  });
  const oauth = await startOauthServer({ scope, lifeSeconds: tokenSeconds });
  const asked: string[] = [];
  const door = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    letIn(incoming, outgoing).catch((error: Error) => outgoing.destroy(error));
  });
  door.listen(0, '127.0.0.1');
  await new Promise((resolve) => door.once('listening', resolve));

  async function letIn(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (!(await oauth.accepts(incoming.headers.authorization))) {
      outgoing.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      return;
    }
    const forwarded = request(
      `${inside}${incoming.url}`,
      { method: incoming.method ?? 'GET', headers: { ...incoming.headers, authorization } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', (error) => outgoing.destroy(error));
    incoming.pipe(forwarded);
  }

  return {
    endpoint: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    oauth,
    asked,
    async administer(method, path, body) {
      const answer = await fetch(`${inside}/v2${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/scim+json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return text === '' ? {} : (JSON.parse(text) as ScimResource);
    },
    async [Symbol.asyncDispose]() {
      door.closeAllConnections();
      await new Promise((resolve) => door.close(resolve));
      await oauth[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}
