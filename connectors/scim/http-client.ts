/** HTTP as a SCIM connector needs it: pooled, paced, tried again, bounded in time and size, and never led to another host. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, errors } from 'undici';
import { LockstepError } from '../../engine/errors.ts';
import { meaningOf, networkError } from './network-error.ts';

export interface HttpSettings {
  /** Absolute path of the certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly timeoutSeconds: number;
  readonly requestsPerSecond: number | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Names what is asked for in messages: a path without any value of a resource. */
  readonly what: string;
  /**
   * Of a request that must not be done twice: true when it was done although no answer came. Asked before it is sent
   * again, unless the service said that it was not done.
   */
  readonly wasDone?: () => Promise<boolean>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
  readonly etag: string | undefined;
  readonly location: string | undefined;
  /** What the service took for the time, as HTTP writes it. */
  readonly date: string | undefined;
}

/** What time is to a client; tests have their own. */
export interface Clock {
  readonly now: () => number;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: Date.now,
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

const firstWaitMs = 500;
const longestRetryAfterMs = 300_000;
const maximumRedirects = 3;
const maximumAnswerBytes = 64 << 20;
/** An answer that drips is given up after so many times the silence that is allowed. */
const answerTimeouts = 10;
const passingStatuses = new Set([429, 500, 502, 503, 504]);

/** Asks one service. It keeps connections open until it is disposed of. */
export class HttpClient implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #clock: Clock;
  readonly #attempts: number;
  readonly #millisecondsApart: number;
  readonly #answerMs: number;
  readonly #signal: AbortSignal;
  readonly #waits: AbortSignal;
  #nextTurn = 0;

  private constructor(agent: Agent, settings: HttpSettings, options: HttpOptions) {
    this.#agent = agent;
    this.#clock = options.clock;
    this.#attempts = options.attempts;
    this.#signal = options.signal;
    this.#waits = options.waits ?? options.signal;
    this.#answerMs = settings.timeoutSeconds * 1000 * answerTimeouts;
    this.#millisecondsApart = 1000 / (settings.requestsPerSecond ?? Number.POSITIVE_INFINITY);
  }

  /** @throws LockstepError `ConfigurationInvalid` when the certificates cannot be read */
  static async open(settings: HttpSettings, options: HttpOptions): Promise<HttpClient> {
    const timeout = settings.timeoutSeconds * 1000;
    const ca = settings.ca === undefined ? undefined : await readAuthorities(settings.ca);
    const agent = new Agent({
      connections: Math.max(8, options.connections ?? 0),
      // Said, so that no variable of the environment turns it off.
      connect: { timeout: Math.min(timeout, 10_000), rejectUnauthorized: true, ...(ca && { ca }) },
      headersTimeout: timeout,
      bodyTimeout: timeout,
    });
    return new HttpClient(agent, settings, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  /**
   * Sends a request, again after faults that pass. Any other answer is given as it is.
   *
   * @returns undefined when no answer came, and `wasDone` told that it was done
   * @throws LockstepError `SourceUnavailable`, `SourceUnreadable`
   */
  async send(request: HttpRequest & { readonly wasDone?: never }): Promise<HttpAnswer>;
  async send(request: HttpRequest): Promise<HttpAnswer | undefined>;
  async send(request: HttpRequest): Promise<HttpAnswer | undefined> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(request, maximumRedirects);
      if ('body' in outcome) return outcome;
      if (attempt < this.#attempts) {
        const backOff = firstWaitMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
        await this.#clock.wait(Math.max(backOff, outcome.retryAfterMs), this.#waits);
      }
      if (outcome.mayBeDone && (await request.wasDone?.())) return undefined;
      if (attempt >= this.#attempts) throw outcome.error;
    }
  }

  async #attempt(request: HttpRequest, redirects: number): Promise<HttpAnswer | NoAnswer> {
    await this.#turn();
    const { method, url, headers, body, what } = request;
    const latest = performance.now() + this.#answerMs;
    try {
      const response = await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { ...headers, 'accept-encoding': 'identity' },
        body: body ?? null,
        signal: this.#signal,
      });
      const content = await readBounded(response.body, what, latest);
      const status = response.statusCode;
      const { location, etag } = response.headers;
      if (status >= 300 && status < 400 && location !== undefined) {
        if (redirects === 0) throw unreadable(`${what} redirects without end`);
        // The others make a GET of a write.
        if (method !== 'GET' && status !== 307 && status !== 308) {
          throw unreadable(`${what} redirects a write (${status})`);
        }
        const target = redirected(url, String(location), what);
        return await this.#attempt({ ...request, url: target }, redirects - 1);
      }
      if (!passingStatuses.has(status)) {
        return {
          status,
          body: content,
          etag: single(etag),
          location: single(location),
          date: single(response.headers['date']),
        };
      }
      const retryAfterMs = this.#retryAfter(String(response.headers['retry-after'] ?? ''));
      const error = unavailable(url.host, what, status);
      if (retryAfterMs > longestRetryAfterMs) throw error;
      // It is not this request alone that is one too many.
      this.#nextTurn = Math.max(this.#nextTurn, this.#clock.now() + retryAfterMs);
      return { error, retryAfterMs, mayBeDone: status !== 429 };
    } catch (error) {
      if (error instanceof LockstepError || this.#signal.aborted) throw error;
      const meaning = meaningOf(error);
      if (meaning === undefined) throw error;
      const known = networkError(url.host, meaning, error);
      if (!meaning.isPassing) throw known;
      return { error: known, retryAfterMs: 0, mayBeDone: true };
    }
  }

  /** Requests leave one after another, as far apart as the service was promised. */
  async #turn(): Promise<void> {
    const now = this.#clock.now();
    const turn = Math.max(now, this.#nextTurn);
    this.#nextTurn = turn + this.#millisecondsApart;
    if (turn > now) await this.#clock.wait(turn - now, this.#signal);
  }

  /** RFC 9110 §10.2.3: seconds, or a point in time. */
  #retryAfter(text: string): number {
    if (/^\d+$/.test(text)) return Number(text) * 1000;
    const at = Date.parse(text);
    return Number.isNaN(at) ? 0 : Math.max(0, at - this.#clock.now());
  }
}

interface NoAnswer {
  readonly error: LockstepError;
  readonly retryAfterMs: number;
  /** Whether the service may have done what it was asked for. */
  readonly mayBeDone: boolean;
}

export interface HttpOptions {
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** Ends waits for another attempt; those alone. Default `signal`. */
  readonly waits?: AbortSignal;
  readonly clock: Clock;
  /** How many requests may be under way at once; 8 always may. */
  readonly connections?: number;
  /** How often a request is sent at most. */
  readonly attempts: number;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

async function readAuthorities(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new LockstepError('ConfigurationInvalid', `the file of \`ca\`, ${path}, cannot be read`, {
      fault: 'TLS',
      hint: 'It must be readable by the worker, and hold certificates as PEM.',
      cause,
    });
  }
}

/** @param latest when the end of it must have come, by `performance.now()`: silence is bounded, dripping is not */
async function readBounded(
  body: AsyncIterable<Buffer> & { destroy(): void },
  what: string,
  latest: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (performance.now() > latest) {
      body.destroy();
      throw new errors.BodyTimeoutError();
    }
    if (bytes > maximumAnswerBytes) {
      body.destroy();
      throw unreadable(`${what} answers with more than ${maximumAnswerBytes >> 20} MiB`, {
        hint: 'Ask for smaller pages with `overrides: { pageSize: … }`.',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Credentials go to the host they were given for, and to no other. */
function redirected(from: URL, location: string, what: string): URL {
  const target = URL.parse(location, from.href);
  if (target?.origin === from.origin) return target;
  throw unreadable(`${what} redirects to another host (${target?.host ?? 'of no name'})`, {
    hint: 'Credentials are never sent on. If that is where the service is now, write it as `endpoint`.',
  });
}

function unreadable(message: string, options: { hint?: string } = {}): LockstepError {
  return new LockstepError('SourceUnreadable', message, { ...options, fault: 'service' });
}

function unavailable(host: string, what: string, status: number): LockstepError {
  const meaning =
    status === 429 ? 'too many requests for it (429)' : `an error of the service (${status})`;
  return new LockstepError('SourceUnavailable', `${host}: ${what} ends in ${meaning}`, {
    fault: 'service',
    ...(status === 429 && {
      hint: 'Lower `requestsPerSecond` of the connector. It is tried again by itself.',
    }),
  });
}
