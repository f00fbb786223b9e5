/** How the resources of one type are read: as lists, and where a service keeps members out of lists, one by one. */
import { parseAttributePath } from '../../engine/attribute-path.ts';
import { LockstepError } from '../../engine/errors.ts';
import { effectsOf, type Quirk } from '../../engine/scim-quirk.ts';
import { isCoreSchema, isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';
import { ifFiltered, type ListQuery, listResources, type Page } from './listing.ts';
import type { ScimClient } from './scim-client.ts';
import type { ScimResourceType, ScimService } from './service.ts';

/** So many resources are asked for at a time where each has to be asked for. */
const atOnce = 4;

export interface TypeReadingOptions {
  readonly paths: readonly string[];
  readonly quirks: readonly Quirk[];
  /** Whether members are needed, which some services keep out of lists. */
  readonly members: boolean;
}

export class TypeReading {
  readonly #client: ScimClient;
  readonly #type: ScimResourceType;
  readonly #query: ListQuery;
  readonly #oneByOne: boolean;

  constructor(
    client: ScimClient,
    { capabilities }: ScimService,
    type: ScimResourceType,
    { paths, quirks, members }: TypeReadingOptions,
  ) {
    const effects = effectsOf(quirks);
    this.#client = client;
    this.#type = type;
    this.#query = {
      type,
      attributes: effects.allAttributes ? undefined : requested(paths),
      capabilities,
      alignedPages: effects.alignedPages === true,
    };
    this.#oneByOne = members && effects.membersOneByOne === true;
  }

  /** All of them, or those that pass a filter; proved complete, see {@link listResources}. */
  async *pages(seen: Set<string>, filter?: string): AsyncGenerator<Page> {
    for await (const page of listResources(this.#client, { ...this.#query, filter }, seen)) {
      yield this.#oneByOne ? { ...page, resources: await this.#whole(page.resources) } : page;
    }
  }

  /** How many resources pass a filter; undefined when the service does not say or does not filter. */
  async count(filter: string): Promise<number | undefined> {
    return (await ifFiltered(this.#client, { ...this.#query, filter }, 1))?.total;
  }

  /** Those that pass a filter, if they are few enough for one page; undefined when not, or the service does not filter. */
  async few(filter: string): Promise<readonly JsonObject[] | undefined> {
    const { pageSize } = this.#query.capabilities;
    const found = await ifFiltered(this.#client, { ...this.#query, filter }, pageSize);
    if (found === undefined || found.total !== found.resources.length) return undefined;
    return this.#oneByOne ? await this.#whole(found.resources) : found.resources;
  }

  /** The resource of an id; undefined when there is none. */
  async single(id: string): Promise<JsonObject | undefined> {
    const { name, url } = this.#type;
    const { attributes } = this.#query;
    const place = new URL(`${url.href}/${encodeURIComponent(id)}`);
    if (attributes) place.searchParams.set('attributes', attributes.join(','));
    const { status, body } = await this.#client.get(place, `a single ${name}`);
    // 400 is said of what cannot be an id there.
    if (status === 404 || status === 400) return undefined;
    if (status === 200 && isJsonObject(body) && memberOf(body, 'id') === id) return body;
    throw incomplete(name, status);
  }

  async #whole(resources: readonly JsonObject[]): Promise<JsonObject[]> {
    return await inParallel(resources, async (resource) => {
      const whole = await this.single(String(memberOf(resource, 'id')));
      if (whole === undefined) throw incomplete(this.#type.name, 404);
      return whole;
    });
  }
}

/** Does the same to all, a few at a time; gives the outcomes in order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const done: Result[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    done.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  }
  return done;
}

/** The attributes to ask for: whole ones, because their parts are chosen here. */
export function requested(paths: readonly string[]): string[] {
  const attributes = paths.map((text) => {
    const { schema, attribute } = parseAttributePath(text);
    return schema === undefined || isCoreSchema(schema) ? attribute : `${schema}:${attribute}`;
  });
  // An id is always given; where nothing else is wanted it is named, so that not everything comes.
  const others = new Set(attributes.filter((attribute) => attribute.toLowerCase() !== 'id'));
  return others.size === 0 ? ['id'] : [...others];
}

function incomplete(type: string, status: number): LockstepError {
  return new LockstepError('SourceIncomplete', `a ${type} of the list cannot be read (${status})`, {
    fault: 'service',
  });
}
