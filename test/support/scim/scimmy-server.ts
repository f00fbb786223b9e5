/** A real SCIM 2.0 server that this project did not write: npm `scimmy` with its routers, in the test's own process. */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';

export interface ScimmyServer extends AsyncDisposable {
  readonly url: string;
}

export interface ScimmyContents {
  users: { id: string; [attribute: string]: unknown }[];
  groups: { id: string; [attribute: string]: unknown }[];
}

/** Its declarations are the process's own, and cannot be taken back. */
let contents: ScimmyContents = { users: [], groups: [] };
let isDeclared = false;

/** What its handlers are given of a request. */
interface Asked {
  readonly id?: string;
  readonly filter?: { match(values: object[]): object[] };
}

function declare(): void {
  if (isDeclared) return;
  isDeclared = true;
  const { Resources, Schemas, Types } = SCIMMY;
  const held = (kind: keyof ScimmyContents, id: string | undefined) => {
    const found = contents[kind].find((each) => each.id === id);
    if (found === undefined) throw new Types.Error(404, null as never, `no ${id}`);
    return found;
  };
  const read = (kind: keyof ScimmyContents) => async (asked: Asked) => {
    if (asked.id !== undefined) return held(kind, asked.id);
    return asked.filter ? asked.filter.match(contents[kind]) : contents[kind];
  };
  const write =
    (kind: keyof ScimmyContents) =>
    async ({ id }: Asked, data: object) => {
      const written = JSON.parse(JSON.stringify(data));
      const others = contents[kind].filter((each) => each.id !== id);
      const isTaken = others.some(
        ({ userName }) => kind === 'users' && userName === written.userName,
      );
      if (isTaken) throw new Types.Error(409, 'uniqueness', 'the name is taken');
      const now = new Date();
      const before =
        id === undefined ? { id: randomUUID(), meta: { created: now } } : held(kind, id);
      const meta = { ...(before['meta'] as object), lastModified: now };
      const after = { ...written, id: before.id, meta };
      contents[kind] = [...others, after];
      return after;
    };
  const remove =
    (kind: keyof ScimmyContents) =>
    async ({ id }: Asked) => {
      const gone = held(kind, id);
      contents[kind] = contents[kind].filter((each) => each !== gone);
    };
  Resources.declare(Resources.User)
    .ingress(write('users') as never)
    .egress(read('users') as never)
    .degress(remove('users') as never);
  Resources.User.extend(Schemas.EnterpriseUser, false);
  Resources.declare(Resources.Group)
    .ingress(write('groups') as never)
    .egress(read('groups') as never)
    .degress(remove('groups') as never);
}

/** Starts it below `/scim`, open to whoever has the token. */
export async function startScimmyServer(
  holds: ScimmyContents,
  { token = 'right-token', user }: { token?: string; user?: [string, string] } = {},
): Promise<ScimmyServer> {
  contents = holds;
  declare();
  const basic = user && `Basic ${Buffer.from(user.join(':')).toString('base64')}`;
  const routers = new SCIMMYRouters({
    type: user ? 'basic' : 'bearer',
    handler: (request: { header(name: string): string | undefined }) => {
      if (request.header('authorization') !== (basic ?? `Bearer ${token}`)) {
        throw new Error('who are you?');
      }
      return 'reader';
    },
  } as never);
  const app = express().use('/scim', routers as never);
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/scim`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
