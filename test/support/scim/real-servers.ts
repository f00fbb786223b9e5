/** The real SCIM servers that tests write to, each empty at first, and open to whoever has `right-token`. */
import { hasScim2Server, startScim2Server } from './scim2-server.ts';
import { startScimmyServer } from './scimmy-server.ts';

export interface RealServer extends AsyncDisposable {
  readonly origin: string;
  /** Below the origin, where its resources are. */
  readonly base: string;
}

const servers = [
  {
    name: 'scim2-server',
    isThere: hasScim2Server,
    // It says 204, so what it did has to be asked for.
    patching: ['PATCH', 'GET'],
    open: async (): Promise<RealServer> => {
      const server = await startScim2Server();
      return {
        origin: server.url,
        base: '/v2',
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  },
  {
    name: 'scimmy',
    isThere: true,
    patching: ['PATCH'],
    open: async (): Promise<RealServer> => {
      const server = await startScimmyServer({ users: [], groups: [] });
      return {
        origin: server.url.replace('/scim', ''),
        base: '/scim',
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  },
];

/** Those that are installed: `node local/setup.js --tests` installs all. */
export const realServers = servers.filter(({ isThere }) => isThere);
