/** Resources of one type: read one by one, and looked up by their key. */
import { parseAttributePath } from '../../engine/attribute-path.ts';
import type { QuirkEffects } from '../../engine/scim-quirk.ts';
import { isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';
import { listResources } from './listing.ts';

import { resourceCell } from './resource-cell.ts';
import { isDone, isGone, type ScimAnswer, type ScimClient } from './scim-client.ts';
import type { ScimResourceType, ScimService } from './service.ts';
import { requested } from './type-reading.ts';
import { refusal, WriteFailure } from './write-failure.ts';

/** A resource as it was read. */
export interface ReadResource {
  readonly id: string;
  readonly resource: JsonObject;
  /** For `If-Match`; undefined where the service has no versions. */
  readonly version: string | undefined;
}

export type ResourceKey = { readonly path: string; readonly value: string };

/** Lives as long as one run of writes. */
export class ResourceAccess {
  readonly type: ScimResourceType;
  readonly service: ScimService;
  readonly #client: ScimClient;
  readonly #effects: Omit<QuirkEffects, 'meaning'>;
  /** Whether the parameter `attributes` is sent. */
  #selects: boolean;
  /** Key, as it is compared → ids; where the service cannot look for one. */
  #index: Promise<Map<string, string[]>> | undefined;

  constructor(
    client: ScimClient,
    service: ScimService,
    type: ScimResourceType,
    effects: Omit<QuirkEffects, 'meaning'>,
  ) {
    this.#client = client;
    this.service = service;
    this.type = type;
    this.#effects = effects;
    this.#selects = !effects.allAttributes;
  }

  urlOf(id: string): URL {
    return new URL(`${this.type.url.href}/${encodeURIComponent(id)}`);
  }

  /**
   * Reads a resource.
   *
   * @param paths all that it has by default when left out
   * @returns undefined when it is not there
   * @throws WriteFailure when it cannot be read
   */
  async read(id: string, paths?: readonly string[]): Promise<ReadResource | undefined> {
    const answer = await this.#select(this.urlOf(id), paths, `a single ${this.type.name}`);
    if (isGone(answer)) return undefined;
    const read = this.readOf(answer);
    if (read?.id !== id) throw refusal(`a single ${this.type.name}`, answer);
    return read;
  }

  /**
   * Reads several resources with one request.
   *
   * @param ids no more than an address can name
   * @returns those that are there; undefined when the service cannot look for several
   */
  async readAll(
    ids: readonly string[],
    paths: readonly string[],
  ): Promise<Map<string, ReadResource> | undefined> {
    const url = new URL(this.type.url);
    const filter = ids.map((id) => filterOf({ path: 'id', value: id })).join(' or ');
    url.searchParams.set('filter', filter);
    url.searchParams.set('count', String(ids.length));
    const { resources } = await this.#search(url, paths, `${this.type.name}s`);
    if (resources === undefined) return undefined;
    const read = resources.map((each) => this.#readOf(each));
    const found = new Map(read.flatMap((each) => (each ? [[each.id, each] as const] : [])));
    // Whoever does not know the filter may give everybody.
    return ids.length >= resources.length ? found : undefined;
  }

  /** Whether the service itself sees to it that no two resources have the same value there. */
  isUnique(path: string): boolean {
    // The id of a new resource is nobody's yet.
    if (path.toLowerCase() === 'id') return true;
    return this.type.schema?.partAt(parseAttributePath(path))?.isUnique === true;
  }

  /** The resource that an answer holds. */
  readOf(answer: ScimAnswer): ReadResource | undefined {
    const { body, etag } = answer;
    return isDone(answer) && isJsonObject(body) ? this.#readOf(body, etag) : undefined;
  }

  #readOf(resource: JsonObject, etag?: string): ReadResource | undefined {
    const id = memberOf(resource, 'id');
    if (typeof id !== 'string' || id === '') return undefined;
    const meta = memberOf(resource, 'meta');
    const version = etag ?? (isJsonObject(meta) ? memberOf(meta, 'version') : undefined);
    const isUsed = this.service.capabilities.etag && typeof version === 'string' && version !== '';
    return { id, resource, version: isUsed ? version : undefined };
  }

  /**
   * Looks a resource up by its key.
   *
   * @param fresh what was listed before is not believed
   * @throws WriteFailure when several have the key, or the service does not let anybody look
   */
  async find(
    key: ResourceKey,
    paths: readonly string[],
    { fresh = false } = {},
  ): Promise<ReadResource | undefined> {
    if (key.path.toLowerCase() === 'id') return await this.read(key.value, paths);
    if (!this.service.capabilities.filter) return await this.#listed(key, paths, fresh);
    const small = key.value.toLowerCase();
    const spellings = this.#effects.caseSensitiveFilters && small !== key.value ? [small] : [];
    for (const value of [key.value, ...spellings]) {
      const found = await this.#filtered({ ...key, value }, paths);
      if (found === 'not filtered') return await this.#listed(key, paths, fresh);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #filtered(
    key: ResourceKey,
    paths: readonly string[],
  ): Promise<ReadResource | 'not filtered' | undefined> {
    const url = new URL(this.type.url);
    url.searchParams.set('filter', filterOf(key));
    const what = `the look-up of a ${this.type.name}`;
    const { answer, resources } = await this.#search(url, [key.path, ...paths], what);
    // Some cannot read every value, or compare every attribute.
    if (answer.status === 400 || answer.status === 501) return 'not filtered';
    if (resources === undefined) throw refusal(what, answer);
    const wanted = this.#compared(key.path, key.value);
    const matches = resources.filter((each) => this.#keyOf(each, key.path) === wanted);
    // Whoever does not know the filter may give everybody.
    if (matches.length < resources.length) return 'not filtered';
    return this.#only(matches.map((each) => this.#readOf(each)));
  }

  /** Asks for a list, with the versions of its resources. @returns no resources when the answer is none */
  async #search(url: URL, paths: readonly string[], what: string) {
    const version = this.service.capabilities.etag ? ['meta.version'] : [];
    const answer = await this.#select(url, [...paths, ...version], what);
    const { status, body } = answer;
    if (status !== 200 || !isJsonObject(body)) return { answer, resources: undefined };
    const list = memberOf(body, 'Resources');
    return { answer, resources: Array.isArray(list) ? list.filter(isJsonObject) : [] };
  }

  async #listed(
    key: ResourceKey,
    paths: readonly string[],
    fresh: boolean,
  ): Promise<ReadResource | undefined> {
    if (fresh) this.#index = undefined;
    this.#index ??= this.#list(key.path);
    const ids = (await this.#index).get(this.#compared(key.path, key.value)) ?? [];
    const id = this.#only(ids);
    return id === undefined ? undefined : await this.read(id, paths);
  }

  async #list(path: string): Promise<Map<string, string[]>> {
    const index = new Map<string, string[]>();
    const query = {
      type: this.type,
      attributes: this.#selects ? requested([path]) : undefined,
      capabilities: this.service.capabilities,
      alignedPages: this.#effects.alignedPages === true,
    };
    for await (const { resources } of listResources(this.#client, query, new Set())) {
      for (const each of resources) {
        const key = this.#keyOf(each, path);
        index.set(key, [...(index.get(key) ?? []), String(memberOf(each, 'id'))]);
      }
    }
    return index;
  }

  #only<Found>(found: readonly Found[]): Found | undefined {
    if (found.length < 2) return found[0];
    throw new WriteFailure(
      'TargetRefused',
      `${found.length} of ${this.type.name} have the same key; nobody can tell which one is meant`,
    );
  }

  #keyOf(resource: JsonObject, path: string): string {
    const cell = resourceCell(resource, parseAttributePath(path), this);
    return this.#compared(path, cell);
  }

  /** Text is the same whatever its case, unless the schema says otherwise. */
  #compared(path: string, value: string): string {
    const isExact = this.type.schema?.partAt(parseAttributePath(path))?.isCaseExact ?? false;
    return isExact ? value : value.toLowerCase();
  }

  /** Asks for what the paths lead to; for everything, once the service has shown that it cannot select. */
  async #select(url: URL, paths: readonly string[] | undefined, what: string): Promise<ScimAnswer> {
    if (paths === undefined || !this.#selects) return await this.#client.get(url, what);
    const selecting = new URL(url);
    selecting.searchParams.set('attributes', requested(paths).join(','));
    const answer = await this.#client.get(selecting, what);
    if (answer.status !== 400) return answer;
    const whole = await this.#client.get(url, what);
    if (whole.status === 200) this.#selects = false;
    return whole;
  }
}

/** The id in an address, which may be relative. */
export function idAt(location: string | undefined): string | undefined {
  const id = location
    ?.replace(/[?#].*$/, '')
    .split('/')
    .at(-1);
  return id === undefined || id === '' ? undefined : decodeURIComponent(id);
}

/** RFC 7644 §3.4.2.2: a value is written as JSON. */
function filterOf({ path, value }: ResourceKey): string {
  const open = path.indexOf('[');
  if (open === -1) return `${path} eq ${JSON.stringify(value)}`;
  const close = path.lastIndexOf(']');
  const part = path.slice(close + 2) || 'value';
  const condition = `(${path.slice(open + 1, close)}) and ${part} eq ${JSON.stringify(value)}`;
  return `${path.slice(0, open)}[${condition}]`;
}
