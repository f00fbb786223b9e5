/** Asks a SCIM service for JSON, as somebody. */
import { LockstepError } from '../../engine/errors.ts';
import { isJsonObject, type JsonObject } from './attribute-value.ts';
import type { Authentication } from './authentication.ts';
import type { HttpClient } from './http-client.ts';

/** An answer that is no refusal of who asks. */
export interface ScimAnswer {
  readonly status: number;
  /** Undefined when the answer is not JSON. */
  readonly body: JsonObject | readonly unknown[] | undefined;
}

/** One service, one identity. */
export class ScimClient {
  readonly #http: HttpClient;
  readonly #authentication: Authentication;

  constructor(http: HttpClient, authentication: Authentication) {
    this.#http = http;
    this.#authentication = authentication;
  }

  /**
   * Reads; a token that was refused is renewed once.
   *
   * @param what names it in messages, without any value of a resource
   * @throws LockstepError `SourceAuthenticationFailed`, `SourceUnavailable`, `SourceUnreadable`
   */
  async get(url: URL, what: string): Promise<ScimAnswer> {
    for (let renewed = false; ; renewed = true) {
      const authorization = await this.#authentication.header();
      const { status, body } = await this.#http.send({
        method: 'GET',
        url,
        headers: {
          accept: 'application/scim+json, application/json',
          ...(authorization !== undefined && { authorization }),
        },
        what,
      });
      if (status === 401 && !renewed && authorization !== undefined) {
        if (this.#authentication.renew(authorization)) continue;
      }
      if (status === 401 || status === 403) throw refused(url.host, what, status);
      return { status, body: parsed(body) };
    }
  }
}

function parsed(body: Buffer): ScimAnswer['body'] {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(json) || Array.isArray(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function refused(host: string, what: string, status: 401 | 403): LockstepError {
  return status === 401
    ? new LockstepError('SourceAuthenticationFailed', `${host} refuses the credentials (401)`, {
        fault: 'authentication',
      })
    : new LockstepError('SourceAuthenticationFailed', `${host}: ${what} is not allowed (403)`, {
        fault: 'scope',
        hint: 'The credentials are known but lack a right: give the client the scope or role to read.',
      });
}
