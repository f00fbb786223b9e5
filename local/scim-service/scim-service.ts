/**
 * A SCIM 2.0 service for demonstrations: PyPI `scim2-server` behind an OAuth 2.0 server, neither of which knows Lockstep.
 * Everything is in memory, and on 127.0.0.1.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type OauthServer, startOauthServer } from './oauth-server.ts';
import { startScim2Process } from './scim2-server.ts';

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
  const token = randomBytes(24).toString('base64url');
  const authorization = `Bearer ${token}`;
  const server = await startScim2Process(directory, token);
  const inside = server.url;
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
