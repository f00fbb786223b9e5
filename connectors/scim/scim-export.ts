/** Exports the sources of a SCIM service: every resource type is listed once, whatever is mapped to it. */
import { parseAttributePath } from '../../engine/attribute-path.ts';
import type { ConnectionFacts } from '../../engine/connection-test.ts';
import { LockstepError } from '../../engine/errors.ts';
import { effectsOf, type Quirk } from '../../engine/scim-quirk.ts';
import type { ScimSource, ScimTarget, Source } from '../../engine/source.ts';
import type { ExportRequest, ExtractedFile } from '../connector.ts';
import { isCoreSchema, isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';
import { KeyIndex } from './key-index.ts';
import { firstResource, listResources } from './listing.ts';
import {
  checkedPath,
  isMembersSource,
  MemberRows,
  ResourceRows,
  type RowSource,
} from './row-source.ts';
import type { ScimClient } from './scim-client.ts';
import type { ScimResourceType, ScimService } from './service.ts';

/** So many resources are asked for at a time where each has to be asked for. */
const atOnce = 4;

/**
 * Leaves a file for each source. Every path is checked before the first list is read.
 *
 * @throws LockstepError `SourceColumnMissing`, `SourceIncomplete`, `SourceEmpty`, and whatever asking does
 */
export async function exportSources(
  client: ScimClient,
  service: ScimService,
  quirks: readonly Quirk[],
  request: ExportRequest,
): Promise<ExtractedFile[]> {
  const { sources, directory, signal } = request;
  const keys = new KeyIndex(sources.flatMap(targetsOf));
  await using opened = new AsyncDisposableStack();
  const rows: { source: Source; type: string; rows: RowSource }[] = [];
  for (const source of sources) {
    const name = typeNameOf(source);
    const place = { directory, service, type: service.resourceType(name) };
    const own = opened.use(
      isMembersSource(source)
        ? await MemberRows.open(source, place)
        : await ResourceRows.open(source as Source<ScimSource>, place),
    );
    rows.push({ source, type: name, rows: own });
  }
  const types = new Set([...rows.map(({ type }) => type), ...keys.resourceTypes]);
  const ids = new Map<string, Set<string>>();
  const progress = new ListProgress(request.onProgress);
  for (const name of types) {
    const own = rows.filter(({ type }) => type === name);
    const paths = [...own.flatMap((each) => each.rows.paths), ...keys.pathsOf(name)];
    const seen = new Set<string>();
    ids.set(name, seen);
    const reading = new TypeReading(client, service, service.resourceType(name), {
      attributes: requested(paths),
      quirks,
      oneByOne: own.some(({ source }) => isMembersSource(source)),
    });
    for await (const { resources, done, total } of reading.pages(seen)) {
      signal.throwIfAborted();
      for (const resource of resources) {
        keys.add(name, resource);
        for (const each of own) each.rows.take(resource);
      }
      for (const each of own) await each.rows.flushIfFull();
      progress.at(done, total);
    }
    progress.add(seen.size);
  }
  const isKnown = (id: string, exceptType: string) =>
    [...ids].some(([name, seen]) => name !== exceptType && seen.has(id));
  const files: ExtractedFile[] = [];
  for (const each of rows) files.push(await each.rows.end(keys, isKnown));
  return files;
}

/**
 * Checks every path, and reads one resource of each type: that takes the credentials that an export does.
 *
 * @throws LockstepError what the export would throw, but for the resources
 */
export async function testSources(
  client: ScimClient,
  service: ScimService,
  quirks: readonly Quirk[],
  sources: readonly Source[],
): Promise<ConnectionFacts> {
  for (const source of sources) {
    const type = service.resourceType(typeNameOf(source));
    for (const path of pathsOf(source)) checkedPath(path, source.name, type);
  }
  const mapped = [...sources.map(typeNameOf), ...sources.flatMap(targetsOf).map(typeOfTarget)];
  const types = mapped.length > 0 ? mapped : service.resourceTypes.map(({ name }) => name);
  for (const name of new Set(types)) {
    const own = sources.filter((source) => typeNameOf(source) === name);
    const selects = own.length > 0 && !effectsOf(quirks).allAttributes;
    await firstResource(client, {
      type: service.resourceType(name),
      attributes: selects ? requested(own.flatMap(pathsOf)) : undefined,
      capabilities: service.capabilities,
    });
  }
  return {
    version: service.version,
    objectTypes: service.resourceTypes.map(({ name }) => name),
    capabilities: { ...service.capabilities },
  };
}

function pathsOf(source: Source): string[] {
  if (isMembersSource(source)) return [source.options.attribute, source.options.holder];
  return [...(source as Source<ScimSource>).options.paths];
}

function typeOfTarget({ resourceType }: ScimTarget): string {
  return resourceType;
}

function typeNameOf({ options }: Source): string {
  return 'resourceType' in options ? options.resourceType : '';
}

function targetsOf(source: Source): ScimTarget[] {
  if (isMembersSource(source)) return [source.options.member];
  return (source as Source<ScimSource>).options.references.map(({ target }) => target);
}

/** The attributes to ask for: whole ones, because their parts are chosen here. */
function requested(paths: readonly string[]): string[] {
  const attributes = paths.map((text) => {
    const { schema, attribute } = parseAttributePath(text);
    return schema === undefined || isCoreSchema(schema) ? attribute : `${schema}:${attribute}`;
  });
  // An id is always given.
  return [...new Set(attributes)].filter((attribute) => attribute.toLowerCase() !== 'id');
}

interface TypeReadingOptions {
  readonly attributes: readonly string[];
  readonly quirks: readonly Quirk[];
  /** Whether members are needed, which some services keep out of lists. */
  readonly oneByOne: boolean;
}

/** How the resources of one type are read. */
class TypeReading {
  readonly #client: ScimClient;
  readonly #service: ScimService;
  readonly #type: ScimResourceType;
  readonly #attributes: readonly string[] | undefined;
  readonly #alignedPages: boolean;
  readonly #oneByOne: boolean;

  constructor(
    client: ScimClient,
    service: ScimService,
    type: ScimResourceType,
    { attributes, quirks, oneByOne }: TypeReadingOptions,
  ) {
    const effects = effectsOf(quirks);
    this.#client = client;
    this.#service = service;
    this.#type = type;
    this.#attributes = effects.allAttributes ? undefined : attributes;
    this.#alignedPages = effects.alignedPages === true;
    this.#oneByOne = oneByOne && effects.membersOneByOne === true;
  }

  async *pages(seen: Set<string>) {
    const { capabilities } = this.#service;
    const query = {
      type: this.#type,
      attributes: this.#attributes,
      capabilities,
      alignedPages: this.#alignedPages,
    };
    for await (const page of listResources(this.#client, query, seen)) {
      yield this.#oneByOne ? { ...page, resources: await this.#each(page.resources) } : page;
    }
  }

  async #each(resources: readonly JsonObject[]): Promise<JsonObject[]> {
    const whole: JsonObject[] = [];
    for (let from = 0; from < resources.length; from += atOnce) {
      const some = resources.slice(from, from + atOnce);
      whole.push(...(await Promise.all(some.map((resource) => this.#whole(resource)))));
    }
    return whole;
  }

  async #whole(resource: JsonObject): Promise<JsonObject> {
    const { name, url } = this.#type;
    const id = String(memberOf(resource, 'id'));
    const place = new URL(`${url.href}/${encodeURIComponent(id)}`);
    if (this.#attributes) place.searchParams.set('attributes', this.#attributes.join(','));
    const { status, body } = await this.#client.get(place, `a single ${name}`);
    if (status === 200 && isJsonObject(body) && memberOf(body, 'id') === id) return body;
    throw new LockstepError(
      'SourceIncomplete',
      `a ${name} of the list cannot be read (${status})`,
      {
        fault: 'service',
      },
    );
  }
}

/** Tells how many resources are read, of how many is known. */
class ListProgress {
  readonly #tell: ExportRequest['onProgress'];
  #before = 0;

  constructor(tell: ExportRequest['onProgress']) {
    this.#tell = tell;
  }

  at(done: number, total: number | undefined): void {
    this.#tell({
      done: this.#before + done,
      total: this.#before + Math.max(done, total ?? 0),
      unit: 'rows',
    });
  }

  add(resources: number): void {
    this.#before += resources;
  }
}
