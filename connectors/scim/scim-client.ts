/** Asks a SCIM service for JSON, as somebody. */
import { LockstepError } from '../../engine/errors.ts';
import { isJsonObject, type JsonObject } from './attribute-value.ts';
import type { Authentication } from './authentication.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from './http-client.ts';

/** An answer that is no refusal of who asks. */
export interface ScimAnswer {
  readonly status: number;
  /** Undefined when the answer is not JSON. */
  readonly body: JsonObject | readonly unknown[] | undefined;
  /** The version of the resource, as `If-Match` wants it. */
  readonly etag: string | undefined;
  readonly location: string | undefined;
}

/** Something to be changed. */
export interface ScimWrite {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly body?: JsonObject;
  /** The version that is expected to be there. */
  readonly ifMatch?: string | undefined;
  /** Names it in messages, without any value of a resource. */
  readonly what: string;
  /** See `HttpRequest`. */
  readonly wasDone?: () => Promise<boolean>;
}

/** One service, one identity. */
export class ScimClient {
  readonly #http: HttpClient;
  readonly #authentication: Authentication;
  #serviceTime: number | undefined;

  /** What the service took for the time when it gave its last answer, in ms; undefined where it does not say. */
  get serviceTime(): number | undefined {
    return this.#serviceTime;
  }

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
    const { status, ...answer } = read(await this.#send({ method: 'GET', url, headers: {}, what }));
    if (status === 403) throw refused(url.host, what, status);
    return { status, ...answer };
  }

  /**
   * Writes; a token that was refused is renewed once.
   *
   * @returns undefined when no answer came, and `wasDone` told that it was done
   * @throws LockstepError `SourceAuthenticationFailed`, `SourceUnavailable`, `SourceUnreadable`
   */
  async write(write: ScimWrite & { readonly wasDone?: never }): Promise<ScimAnswer>;
  async write(write: ScimWrite): Promise<ScimAnswer | undefined>;
  async write({ body, ifMatch, ...write }: ScimWrite): Promise<ScimAnswer | undefined> {
    const answer = await this.#send({
      ...write,
      headers: {
        ...(body && { 'content-type': 'application/scim+json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return answer && read(answer);
  }

  async #send(request: HttpRequest & { readonly wasDone?: never }): Promise<HttpAnswer>;
  async #send(request: HttpRequest): Promise<HttpAnswer | undefined>;
  async #send(request: HttpRequest): Promise<HttpAnswer | undefined> {
    for (let renewed = false; ; renewed = true) {
      const authorization = await this.#authentication.header();
      const answer = await this.#http.send({
        ...request,
        url: plainly(request.url),
        headers: {
          accept: 'application/scim+json, application/json',
          ...request.headers,
          ...(authorization !== undefined && { authorization }),
        },
      });
      const time = Date.parse(answer?.date ?? '');
      this.#serviceTime = Number.isNaN(time) ? undefined : time;
      if (answer?.status !== 401) return answer;
      if (!renewed && authorization !== undefined) {
        if (this.#authentication.renew(authorization)) continue;
      }
      throw refused(request.url.host, request.what, answer.status);
    }
  }
}

/** True for 2xx. */
export function isDone({ status }: Pick<ScimAnswer, 'status'>): boolean {
  return status >= 200 && status <= 299;
}

/** True when there is no such resource, or no more. */
export function isGone({ status }: Pick<ScimAnswer, 'status'>): boolean {
  return status === 404 || status === 410;
}

/** A blank as `%20`, which everybody reads as one; `+` is one in forms only. A plus itself is `%2B` already. */
function plainly(url: URL): URL {
  const plain = new URL(url);
  plain.search = url.search.replaceAll('+', '%20');
  return plain;
}

function read({ status, body, etag, location }: HttpAnswer): ScimAnswer {
  return { status, body: parsed(body), etag, location };
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
