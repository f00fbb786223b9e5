/** A proxy in front of a real SCIM server, which shows the faults that no real one shows on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request as it came in, or as it is to go on. */
export interface ProxiedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** As text; left out where there is none. */
  readonly body?: string;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** The connection is reset after so many bytes of the body; 0: no answer at all. */
  readonly resetAfter?: number;
  /** Nothing says beforehand how long the body is. */
  readonly isChunked?: true;
  /** Half of the body is sent; then the connection is closed, nothing more comes, or a byte now and then for ever. */
  readonly half?: 'closed' | 'silent' | 'dripping';
}

/** Asks the real server. */
export type Forward = (request: ProxiedRequest) => Promise<ProxiedAnswer>;

/** What is done about a request; its number counts from 1. */
export type Intercept = (
  request: ProxiedRequest,
  forward: Forward,
  number: number,
) => Promise<ProxiedAnswer> | ProxiedAnswer;

export interface FaultyProxy extends AsyncDisposable {
  readonly url: string;
  /** Path and query of every request, in order. */
  readonly asked: string[];
  /** `PATCH /v2/Users/1`: method and path of every request, in order. */
  readonly requests: string[];
  /** The body of every request that has one, in order. */
  readonly bodies: string[];
  readonly authorizations: (string | undefined)[];
}

export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** @param target the real server */
export async function openProxy(
  target: string,
  intercept: Intercept = (request, forward) => forward(request),
  tls?: TlsIdentity,
): Promise<FaultyProxy> {
  const asked: string[] = [];
  const requests: string[] = [];
  const bodies: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const forward: Forward = async ({ method, url, headers, body }) => {
    const { host: _, connection: __, 'content-length': ___, ...kept } = headers;
    const init = { method, headers: kept, ...(body !== undefined && { body }) };
    const answer = await fetch(`${target}${url.pathname}${url.search}`, init);
    const passed = ['etag', 'location'].flatMap((name) => {
      const value = answer.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    return {
      status: answer.status,
      headers: Object.fromEntries(passed),
      body: await answer.text(),
    };
  };
  const onRequest = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const headers = incoming.headers as Record<string, string>;
    const url = new URL(incoming.url ?? '/', 'http://proxy.invalid');
    const body = (await incoming.toArray()).join('');
    asked.push(incoming.url ?? '');
    requests.push(`${incoming.method} ${url.pathname}`);
    if (body !== '') bodies.push(body);
    authorizations.push(headers['authorization']);
    const number = asked.length;
    const answer = await intercept(
      { method: incoming.method ?? 'GET', url, headers, ...(body !== '' && { body }) },
      forward,
      number,
    );
    if (answer.resetAfter === 0) {
      incoming.socket.resetAndDestroy();
      return;
    }
    const content = Buffer.from(answer.body);
    outgoing.writeHead(answer.status, {
      'content-type': 'application/scim+json',
      ...(answer.status !== 204 && !answer.isChunked && { 'content-length': `${content.length}` }),
      ...answer.headers,
    });
    if (answer.half !== undefined) {
      await sendHalf(outgoing, content, answer.half);
      return;
    }
    if (answer.resetAfter === undefined) {
      outgoing.end(answer.status === 204 ? undefined : content);
      return;
    }
    outgoing.write(content.subarray(0, answer.resetAfter), () => incoming.socket.resetAndDestroy());
  };
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    onRequest(incoming, outgoing).catch((error: unknown) => {
      outgoing.writeHead(599).end(String(error));
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://localhost:${port}`,
    asked,
    requests,
    bodies,
    authorizations,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function sendHalf(
  outgoing: ServerResponse,
  content: Buffer,
  then: NonNullable<ProxiedAnswer['half']>,
): Promise<void> {
  const half = content.length >> 1;
  await new Promise((resolve) => outgoing.write(content.subarray(0, half), resolve));
  if (then === 'closed') outgoing.socket?.end();
  // The last byte never comes, however patient the client is.
  for (let at = half; then === 'dripping' && !outgoing.destroyed; ) {
    if (at < content.length - 1) outgoing.write(content.subarray(at, ++at));
    await sleep(20);
  }
}

/** A list of resources as JSON. */
export interface ScimList {
  readonly Resources: readonly { readonly id: string; readonly [attribute: string]: unknown }[];
  readonly totalResults: number;
  readonly [member: string]: unknown;
}

/** The list of an answer, changed. */
export function changed(
  answer: ProxiedAnswer,
  change: (list: ScimList) => Record<string, unknown>,
): ProxiedAnswer {
  return { ...answer, body: JSON.stringify(change(JSON.parse(answer.body) as ScimList)) };
}
