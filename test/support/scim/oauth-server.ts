/** A real OAuth 2.0 server that this project did not write: npm `oidc-provider`, in the test's own process. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export interface OauthServer extends AsyncDisposable {
  readonly tokenEndpoint: string;
  /** How many times it was asked for a token, and how the client showed who it is. */
  readonly asked: ('header' | 'body')[];
  /** True for an access token that it gave out, as long as it lasts. */
  accepts(authorization: string | undefined): Promise<boolean>;
  /** Takes back every token there is. */
  revokeAll(): Promise<void>;
}

export const client = { clientId: 'sync +1', clientSecret: 'right: secret%' };

/** @param lifeSeconds how long a token lasts */
export async function startOauthServer({ lifeSeconds = 600 } = {}): Promise<OauthServer> {
  const common = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
  const secret = { client_secret: client.clientSecret, scope: 'scim.read' };
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        token_endpoint_auth_method: 'client_secret_basic',
        ...common,
        ...secret,
      },
      {
        client_id: 'poster',
        token_endpoint_auth_method: 'client_secret_post',
        ...common,
        ...secret,
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
    },
    scopes: ['scim.read', 'scim.write'],
    ttl: { ClientCredentials: lifeSeconds },
  });
  const asked: OauthServer['asked'] = [];
  const given: string[] = [];
  provider.on('client_credentials.saved', (token) => given.push(token.jti));
  const callback = provider.callback();
  server.on('request', (request, response) => {
    asked.push(request.headers.authorization === undefined ? 'body' : 'header');
    void callback(request, response);
  });
  return {
    tokenEndpoint: `${issuer}/token`,
    asked,
    async accepts(authorization) {
      const token = await provider.ClientCredentials.find(
        authorization?.replace('Bearer ', '') ?? '',
      );
      return token?.isValid === true && token.scopes.has('scim.read');
    },
    async revokeAll() {
      for (const id of given) await (await provider.ClientCredentials.find(id))?.destroy();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
