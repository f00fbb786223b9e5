/** Who a SCIM connector is to the service: the Authorization header, and OAuth 2.0 tokens that are renewed in time. */
import { LockstepError } from '../../engine/errors.ts';
import type { ScimAuthentication } from '../../engine/scim-settings.ts';
import { isJsonObject } from './attribute-value.ts';
import type { Clock, HttpClient } from './http-client.ts';

type ClientCredentials = Extract<ScimAuthentication, { type: 'oauth2-client-credentials' }>;

/** Gives the header for a request. */
export interface Authentication {
  /** The value of `Authorization`; undefined when nothing is to be sent. */
  header(): Promise<string | undefined>;
  /** The service refused this header: true when another one may be accepted. */
  renew(refused: string): boolean;
}

/** Nothing is asked of a token endpoint before the first request. */
export function createAuthentication(
  settings: ScimAuthentication,
  http: HttpClient,
  clock: Clock,
): Authentication {
  switch (settings.type) {
    case 'none':
      return constant(undefined);
    case 'bearer':
      return constant(`Bearer ${settings.token}`);
    case 'basic':
      return constant(basic(settings.user, settings.password));
    case 'oauth2-client-credentials':
      return new TokenKeeper(settings, http, clock);
  }
}

function constant(header: string | undefined): Authentication {
  return { header: async () => header, renew: () => false };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

interface Token {
  readonly header: string;
  /** When it is no longer to be used; never, when the server did not say. */
  readonly usableUntil: number;
}

/** So long before its end a token is renewed; a short-lived one, when a tenth of its life is left. */
const marginMs = 60_000;

/** Keeps one access token (RFC 6749 §4.4), and asks for the next one before it ends. */
class TokenKeeper implements Authentication {
  readonly #settings: ClientCredentials;
  readonly #http: HttpClient;
  readonly #clock: Clock;
  #token: Promise<Token> | undefined;
  /** The header that is in use. */
  #current: string | undefined;

  constructor(settings: ClientCredentials, http: HttpClient, clock: Clock) {
    this.#settings = settings;
    this.#http = http;
    this.#clock = clock;
  }

  async header(): Promise<string> {
    const held = this.#held();
    let token = await held;
    if (token.usableUntil <= this.#clock.now()) {
      // Another request may have asked for the next one meanwhile.
      if (this.#token === held) this.#token = undefined;
      token = await this.#held();
    }
    this.#current = token.header;
    return token.header;
  }

  renew(refused: string): boolean {
    // Another request may have renewed it meanwhile.
    if (refused === this.#current) this.#token = undefined;
    return true;
  }

  #held(): Promise<Token> {
    if (this.#token === undefined) {
      const asked = this.#ask();
      this.#token = asked;
      // One that was not given is not kept; whoever waits for it hears why.
      asked.catch(() => {
        if (this.#token === asked) this.#token = undefined;
      });
    }
    return this.#token;
  }

  async #ask(): Promise<Token> {
    const { tokenEndpoint, clientId, clientSecret, scope, method } = this.#settings;
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (scope !== undefined) form.set('scope', scope);
    const headers: Record<string, string> = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    };
    if (method === 'client_secret_basic') {
      headers['authorization'] = basic(formEncoded(clientId), formEncoded(clientSecret));
    } else {
      form.set('client_id', clientId);
      form.set('client_secret', clientSecret);
    }
    const askedAt = this.#clock.now();
    const { status, body } = await this.#http.send({
      method: 'POST',
      url: new URL(tokenEndpoint),
      headers,
      body: form.toString(),
      what: 'the token endpoint',
    });
    const answer = parsed(body);
    const { access_token: token, expires_in: seconds, error } = answer;
    if (status !== 200 || typeof token !== 'string' || token === '') throw refusal(status, error);
    const life = Number(seconds) * 1000;
    const usableUntil =
      life > 0 ? askedAt + life - Math.min(marginMs, life / 10) : Number.POSITIVE_INFINITY;
    return { header: `Bearer ${token}`, usableUntil };
  }
}

/** RFC 6749 §2.3.1 wants both halves encoded as a form is, before they become `Basic`. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(answer) ? answer : {};
  } catch {
    return {};
  }
}

/** The codes of RFC 6749 §5.2; whatever else a server writes may quote what it was sent. */
const knownErrors: readonly unknown[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
];

function refusal(status: number, error: unknown): LockstepError {
  const code = knownErrors.includes(error) ? `, ${String(error)}` : '';
  return new LockstepError(
    'SourceAuthenticationFailed',
    `the token endpoint gave no token (${status}${code})`,
    error === 'invalid_scope'
      ? { fault: 'scope', hint: 'Correct `scope` of the connector’s `auth`.' }
      : {
          fault: 'authentication',
          hint: 'Check `tokenEndpoint`, `clientId`, `clientSecret` and `method` of the connector’s `auth`.',
        },
  );
}
