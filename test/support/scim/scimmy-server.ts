/** A real SCIM 2.0 server that this project did not write: npm `scimmy` with its routers, in the test's own process. */
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

/** What its routers ask for. */
interface Asked {
  readonly id?: string;
  readonly filter?: { match<Resource>(resources: Resource[]): Resource[] };
}

/** Its declarations are the process's own, and cannot be taken back. */
let contents: ScimmyContents = { users: [], groups: [] };
let isDeclared = false;

function declare(): void {
  if (isDeclared) return;
  isDeclared = true;
  const holding = (kind: keyof ScimmyContents) => async (resource: Asked) =>
    resource.id === undefined
      ? (resource.filter?.match(contents[kind]) ?? contents[kind])
      : contents[kind].find(({ id }) => id === resource.id);
  const refuse = () => {
    throw new Error('nothing is written here');
  };
  const { Resources, Schemas } = SCIMMY;
  Resources.declare(Resources.User)
    .ingress(refuse)
    .egress(holding('users') as never)
    .degress(refuse);
  Resources.User.extend(Schemas.EnterpriseUser, false);
  Resources.declare(Resources.Group)
    .ingress(refuse)
    .egress(holding('groups') as never)
    .degress(refuse);
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
