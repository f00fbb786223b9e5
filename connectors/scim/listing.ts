/** All resources of one type, page by page, proved complete: an incomplete list never ends without an error. */
import { LockstepError } from '../../engine/errors.ts';
import { isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';
import type { ScimClient } from './scim-client.ts';
import type { ScimCapabilities, ScimResourceType } from './service.ts';

/** What is listed, and how. */
export interface ListQuery {
  readonly type: ScimResourceType;
  /** The attributes asked for; all that the service gives by default when left out. */
  readonly attributes?: readonly string[] | undefined;
  /** Which resources; all of them when left out. */
  readonly filter?: string | undefined;
  readonly capabilities: Pick<ScimCapabilities, 'paging' | 'pageSize'>;
  /** Pages must begin at multiples of their size. */
  readonly alignedPages?: boolean | undefined;
}

/** Some resources, and how far the listing is. */
export interface Page {
  readonly resources: readonly JsonObject[];
  readonly done: number;
  /** Undefined when the service does not say. */
  readonly total: number | undefined;
}

interface Answer {
  readonly resources: readonly JsonObject[];
  readonly ids: readonly string[];
  readonly total: number | undefined;
  readonly nextCursor: string | undefined;
}

/**
 * Gives the resources in pages. Whoever uses a page must be able to take that back: only after the last one is it known
 * that nothing is missing.
 *
 * @param seen takes the id of every resource
 * @throws LockstepError `SourceIncomplete`, `SourceUnreadable`, and whatever asking does
 */
export function listResources(
  client: ScimClient,
  query: ListQuery,
  seen: Set<string>,
): AsyncGenerator<Page> {
  const listing = new Listing(client, query, seen);
  return query.capabilities.paging === 'cursor' ? listing.byCursor() : listing.byIndex();
}

/** What a question about a list found. */
export interface Found {
  readonly resources: readonly JsonObject[];
  /** How many there are, as the service says. */
  readonly total: number | undefined;
}

/**
 * Asks for some resources of a list, which are not proved to be all.
 *
 * @param count how many at most
 */
export async function someResources(
  client: ScimClient,
  query: ListQuery,
  count: number,
): Promise<Found> {
  return await new Listing(client, query, new Set()).some(count);
}

/** The same where the service may refuse to filter: undefined then. */
export async function ifFiltered(
  client: ScimClient,
  query: ListQuery,
  count: number,
): Promise<Found | undefined> {
  try {
    return await someResources(client, query, count);
  } catch (error) {
    const refuses = error instanceof LockstepError && /^(schema|scope)$/.test(error.fault ?? '');
    if (refuses) return undefined;
    throw error;
  }
}

class Listing {
  readonly #client: ScimClient;
  readonly #query: ListQuery;
  readonly #seen: Set<string>;

  constructor(client: ScimClient, query: ListQuery, seen: Set<string>) {
    this.#client = client;
    this.#query = query;
    this.#seen = seen;
  }

  /**
   * RFC 7644 §3.4.2.4. Each page begins with the last resource of the one before: a resource that was added or deleted
   * further in front has moved all that follow it, so that one would be passed over.
   */
  async *byIndex(): AsyncGenerator<Page> {
    const { pageSize } = this.#query.capabilities;
    let total: number | undefined;
    let last: string | undefined;
    for (;;) {
      const overlap = last === undefined ? 0 : 1;
      const startIndex = this.#seen.size + 1 - overlap;
      const page = await this.#ask({ startIndex, count: pageSize });
      if (page.total === undefined) throw this.#unreadable('gives no totalResults');
      total ??= page.total;
      if (page.total !== total) throw this.#incomplete('changed while it was read');
      if (overlap === 1 && page.ids[0] !== last) {
        throw this.#incomplete('changed while it was read, or is in another order every time');
      }
      const resources = page.resources.slice(overlap);
      this.#take(page.ids.slice(overlap));
      if (this.#seen.size > total) throw this.#incomplete(`holds more than the ${total} it tells`);
      yield { resources, done: this.#seen.size, total };
      if (this.#seen.size === total) break;
      if (page.resources.length <= overlap && (overlap === 0 || resources.length === 0)) {
        if (overlap === 0) {
          throw this.#incomplete(`ends after ${this.#seen.size} of the ${total} it tells`);
        }
        // A page may have become too small to overlap.
        last = undefined;
        continue;
      }
      // A page of one could not overlap and go on.
      last = this.#query.alignedPages || page.ids.length < 2 ? undefined : page.ids.at(-1);
    }
    await this.#nothingFollows(total);
  }

  async some(count: number): Promise<Found> {
    const isByCursor = this.#query.capabilities.paging === 'cursor';
    return await this.#ask({ ...(isByCursor ? { cursor: '' } : { startIndex: 1 }), count });
  }

  /** RFC 9865. */
  async *byCursor(): AsyncGenerator<Page> {
    const { pageSize } = this.#query.capabilities;
    const used = new Set<string>();
    for (let cursor = ''; ; ) {
      const page = await this.#ask({ cursor, count: pageSize });
      this.#take(page.ids);
      yield { resources: page.resources, done: this.#seen.size, total: page.total };
      const { nextCursor, total } = page;
      if (nextCursor === undefined) {
        if (total === undefined || total === this.#seen.size) return;
        throw this.#incomplete(`ends after ${this.#seen.size} of the ${total} it tells`);
      }
      if (used.has(nextCursor)) throw this.#incomplete('gives the same cursor twice');
      used.add(nextCursor);
      cursor = nextCursor;
    }
  }

  /** A total that counts a page only, or is cut, is found out here. Services that start over give what is known. */
  async #nothingFollows(total: number): Promise<void> {
    const after = await this.#ask({ startIndex: total + 1, count: 1 }, 'past the end');
    if (after.ids.some((id) => !this.#seen.has(id))) {
      throw this.#incomplete(`holds more than the ${total} it tells`);
    }
  }

  #take(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#seen.has(id)) {
        throw this.#incomplete(
          'gives a resource twice: it starts over, or changed while it was read',
        );
      }
      this.#seen.add(id);
    }
  }

  async #ask(
    parameters: Readonly<Record<string, string | number>>,
    where: 'within' | 'past the end' = 'within',
  ): Promise<Answer> {
    const { type, attributes, filter } = this.#query;
    const url = new URL(type.url);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, `${value}`);
    if (attributes) url.searchParams.set('attributes', attributes.join(','));
    if (filter !== undefined) url.searchParams.set('filter', filter);
    const { status, body } = await this.#client.get(url, `the list of ${type.name}`);
    if (status !== 200 && where === 'past the end') return nothing;
    if (status !== 200) throw this.#refused(status, body);
    if (!isJsonObject(body)) throw this.#unreadable('is not a SCIM list');
    return this.#read(body);
  }

  #read(body: JsonObject): Answer {
    const items = memberOf(body, 'Resources') ?? [];
    if (!Array.isArray(items)) throw this.#unreadable('is not a SCIM list');
    const resources = items.filter(isJsonObject);
    const ids = resources.map((resource) => memberOf(resource, 'id'));
    if (items.length !== ids.length || !ids.every((id) => typeof id === 'string' && id !== '')) {
      throw this.#unreadable('holds a resource without an id');
    }
    const totalResults = memberOf(body, 'totalResults');
    const total = totalResults === undefined ? undefined : Number(totalResults);
    if (total !== undefined && !(Number.isSafeInteger(total) && total >= 0)) {
      throw this.#unreadable('gives a totalResults that is no number');
    }
    const next = memberOf(body, 'nextCursor');
    const nextCursor = typeof next === 'string' && next !== '' ? next : undefined;
    return { resources, ids: ids as string[], total, nextCursor };
  }

  #refused(status: number, body: unknown): LockstepError {
    const scimType = isJsonObject(body) ? memberOf(body, 'scimType') : undefined;
    if (scimType === 'expiredCursor' || scimType === 'invalidCursor') {
      return this.#incomplete('ended early: its cursor expired');
    }
    if (status === 404) {
      const message = `the list of ${this.#query.type.name} does not exist (404)`;
      return new LockstepError('SourceUnavailable', message, {
        fault: 'schema',
        hint: 'Check `endpoint`, `source` and `version`; `overrides: { resourceTypes: … }` names another place.',
      });
    }
    // Only words of the specification: anything else may quote a value.
    const known = typeof scimType === 'string' && /^[a-zA-Z]{1,30}$/.test(scimType);
    return this.#unreadable(`is refused (${status}${known ? `, ${scimType}` : ''})`, {
      hint: 'Where the service does not know the parameter `attributes`, add the quirk no-attribute-selection.',
    });
  }

  #incomplete(what: string): LockstepError {
    return new LockstepError('SourceIncomplete', `the list of ${this.#query.type.name} ${what}`, {
      fault: 'service',
    });
  }

  #unreadable(what: string, options: { hint?: string } = {}): LockstepError {
    const message = `the list of ${this.#query.type.name} ${what}`;
    return new LockstepError('SourceUnreadable', message, { ...options, fault: 'schema' });
  }
}

const nothing: Answer = { resources: [], ids: [], total: undefined, nextCursor: undefined };
