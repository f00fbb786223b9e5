/** An OAuth 2.0 server for demonstrations: npm `oidc-provider`, with one client that gets tokens for itself. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Adapter, type AdapterPayload, Provider } from 'oidc-provider';

export interface OauthServer extends AsyncDisposable {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** True for an access token that it gave out, as long as it lasts. */
  accepts(authorization: string | undefined): Promise<boolean>;
}

/** What was given out, for as long as this process lives. */
class Tokens implements Adapter {
  readonly #payloads = new Map<string, AdapterPayload>();

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    this.#payloads.set(id, payload);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#payloads.get(id);
  }

  async destroy(id: string): Promise<void> {
    this.#payloads.delete(id);
  }

  // Client credentials have no user, no grant and are not used up.
  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

/** Starts it on 127.0.0.1. @param lifeSeconds how long a token lasts */
export async function startOauthServer({
  scope,
  lifeSeconds,
}: {
  scope: string;
  lifeSeconds: number;
}): Promise<OauthServer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [clientId, clientSecret] = ['lockstep', randomBytes(24).toString('base64url')];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        scope,
      },
    ],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    scopes: [scope],
    adapter: () => new Tokens(),
    ttl: { ClientCredentials: lifeSeconds },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig' }] },
    cookies: { keys: [randomBytes(24).toString('base64url')] },
  });
  server.on('request', provider.callback());
  return {
    tokenEndpoint: `${issuer}/token`,
    clientId,
    clientSecret,
    async accepts(authorization) {
      const id = authorization?.replace(/^Bearer /i, '') ?? '';
      const token = await provider.ClientCredentials.find(id);
      return token?.isValid === true && token.scopes.has(scope);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
