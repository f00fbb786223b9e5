/** What a SCIM service is: its version, where its resources are, what it can, as it says itself and as is believed instead. */
import { LockstepError } from '../../engine/errors.ts';
import type { ScimSettings } from '../../engine/scim-settings.ts';
import { isJsonObject, type JsonObject, memberOf } from './attribute-value.ts';
import type { ScimAnswer, ScimClient } from './scim-client.ts';
import { ResourceSchema, readSchemas, type ServiceSchemas } from './service-schema.ts';

/** What one request of several operations may hold (RFC 7644 §3.7.4). */
export interface BulkLimits {
  readonly operations: number;
  readonly bytes: number;
}

export interface ScimCapabilities {
  readonly paging: 'index' | 'cursor';
  /** How many resources a page is asked to hold. */
  readonly pageSize: number;
  readonly patch: boolean;
  /** Undefined where every write is a request of its own. */
  readonly bulk: BulkLimits | undefined;
  readonly filter: boolean;
  readonly etag: boolean;
  /** Whether mapped paths are checked. */
  readonly schemas: boolean;
}

/** Resources that are listed at one place. */
export interface ScimResourceType {
  readonly name: string;
  readonly url: URL;
  /** URN of the schema whose attributes stand in the resource itself; undefined when the service does not say. */
  readonly urn?: string | undefined;
  /** Undefined when the service does not say. */
  readonly schema: ResourceSchema | undefined;
}

export interface ScimService {
  readonly version: '2.0' | '1.1';
  readonly base: string;
  readonly capabilities: ScimCapabilities;
  /** Those the service names. */
  readonly resourceTypes: readonly ScimResourceType[];
  /** @throws LockstepError `SourceUnreadable` when the service says that there is none of this name */
  resourceType(name: string): ScimResourceType;
}

type Version = ScimService['version'];

const configurationOf = { '2.0': '/ServiceProviderConfig', '1.1': '/ServiceProviderConfigs' };
const segmentOf = { '2.0': '/v2', '1.1': '/v1' };

/** Resources in a page unless the service or the configuration says otherwise. */
const defaultPageSize = 100;
const largestPageSize = 1000;

/**
 * Asks a service what it is.
 *
 * @throws LockstepError `SourceUnreadable` when nothing there answers as SCIM
 */
export async function discoverService(
  client: ScimClient,
  settings: ScimSettings,
): Promise<ScimService> {
  const { version, base, configuration } = await findService(client, settings);
  const types = version === '2.0' ? await listed(client, base, '/ResourceTypes') : undefined;
  const schemas = settings.overrides.ignoreSchemas
    ? undefined
    : await listed(client, base, '/Schemas');
  const resourceTypes = readResourceTypes(
    (version === '2.0' ? types : schemas) ?? [],
    readSchemas(schemas ?? []),
    version,
    base,
  );
  return {
    version,
    base,
    capabilities: readCapabilities(configuration, version, schemas !== undefined, settings),
    resourceTypes,
    resourceType(name) {
      const own = resourceTypes.find((type) => type.name.toLowerCase() === name.toLowerCase());
      const place = settings.overrides.resourceTypes?.[name];
      if (place !== undefined) {
        return { ...own, name, schema: own?.schema, url: new URL(`${base}${place}`) };
      }
      if (own) return own;
      if (resourceTypes.length === 0) {
        return { name, schema: undefined, url: new URL(`${base}/${name}s`) };
      }
      const names = resourceTypes.map((type) => type.name).join(', ');
      throw unreadable(`the service has no resource type ${name}; it has ${names}`, {
        hint: 'Correct `source`, or name its place with `overrides: { resourceTypes: … }`.',
      });
    },
  };
}

interface Found {
  readonly version: Version;
  readonly base: string;
  readonly configuration: JsonObject;
}

async function findService(client: ScimClient, settings: ScimSettings): Promise<Found> {
  const wanted: Version[] = settings.version === 'auto' ? ['2.0', '1.1'] : [settings.version];
  const endpoint = settings.endpoint.replace(/\/+$/, '');
  for (const version of wanted) {
    for (const base of placesOf(endpoint, segmentOf[version])) {
      const answer = await client.get(
        new URL(`${base}${configurationOf[version]}`),
        configurationOf[version],
      );
      if (!isConfiguration(answer)) continue;
      return { version: versionOf(answer.body, version), base, configuration: answer.body };
    }
  }
  // Who says which version it is may be right, and the service may keep to itself what it can.
  const [only] = wanted;
  if (only && wanted.length === 1) return { version: only, base: endpoint, configuration: {} };
  throw unreadable(
    `nothing at ${endpoint} answers as SCIM: no ServiceProviderConfig there, with or without /v2, and no ServiceProviderConfigs`,
    { hint: 'Correct `endpoint`; where a service does not tell its version, set `version`.' },
  );
}

/** A path with and without the segment of its version. */
function placesOf(endpoint: string, segment: string): string[] {
  return endpoint.endsWith(segment)
    ? [endpoint, endpoint.slice(0, -segment.length)]
    : [endpoint, `${endpoint}${segment}`];
}

function isConfiguration(answer: ScimAnswer): answer is ScimAnswer & { body: JsonObject } {
  const { status, body } = answer;
  if (status !== 200 || !isJsonObject(body)) return false;
  return ['patch', 'bulk', 'filter', 'authenticationSchemes'].some(
    (feature) => memberOf(body, feature) !== undefined,
  );
}

/** The schema of the answer tells more than the place it was found at. */
function versionOf(configuration: JsonObject, asked: Version): Version {
  const schemas = memberOf(configuration, 'schemas');
  if (!Array.isArray(schemas)) return asked;
  if (schemas.some((schema) => /^urn:scim:schemas:core:1\./i.test(String(schema)))) return '1.1';
  return schemas.some((schema) => /:core:2\.0:/.test(String(schema))) ? '2.0' : asked;
}

/** What a service lists of itself; undefined when it does not. */
async function listed(
  client: ScimClient,
  base: string,
  place: string,
): Promise<JsonObject[] | undefined> {
  let answer: ScimAnswer;
  try {
    answer = await client.get(new URL(`${base}${place}`), place);
  } catch (error) {
    // Some let only administrators look at it.
    if (error instanceof LockstepError && error.fault === 'scope') return undefined;
    throw error;
  }
  const { status, body } = answer;
  if (status !== 200 || body === undefined) return undefined;
  const items = isJsonObject(body) ? memberOf(body, 'Resources') : body;
  return Array.isArray(items) ? items.filter(isJsonObject) : undefined;
}

/** @param version 1.1 has no /ResourceTypes: its schemas tell name and endpoint themselves */
function readResourceTypes(
  types: readonly JsonObject[],
  schemas: ServiceSchemas,
  version: Version,
  base: string,
): ScimResourceType[] {
  return types.flatMap((type) => {
    const name = memberOf(type, 'name');
    const place = memberOf(type, 'endpoint');
    if (typeof name !== 'string' || typeof place !== 'string') return [];
    const url = URL.parse(place.startsWith('/') ? `${base}${place}` : place, `${base}/`);
    // A place on another host is none that the credentials are for.
    if (url === null || url.origin !== new URL(base).origin) return [];
    const core = memberOf(type, version === '1.1' ? 'id' : 'schema');
    const isKnown = typeof core === 'string' && schemas.has(core.toLowerCase());
    const extensions = version === '1.1' ? [...schemas.keys()] : extensionsOf(type);
    const urn = typeof core === 'string' ? core : undefined;
    const schema = isKnown ? new ResourceSchema(schemas, core, extensions) : undefined;
    return [{ name, url, urn, schema }];
  });
}

function extensionsOf(type: JsonObject): string[] {
  const extensions = memberOf(type, 'schemaExtensions');
  if (!Array.isArray(extensions)) return [];
  return extensions
    .filter(isJsonObject)
    .map((extension) => memberOf(extension, 'schema'))
    .filter((schema) => typeof schema === 'string');
}

/** Whoever does not say how much it takes at once is not asked to. */
function readBulkLimits(
  bulk: JsonObject,
  version: Version,
  { overrides }: ScimSettings,
): BulkLimits | undefined {
  if (version !== '2.0') return undefined;
  if (memberOf(bulk, 'supported') !== true || overrides.bulk === false) return undefined;
  const [operations, bytes] = ['maxOperations', 'maxPayloadSize'].map((name) =>
    Number(memberOf(bulk, name)),
  ) as [number, number];
  return operations > 1 && bytes > 0 ? { operations, bytes } : undefined;
}

function readCapabilities(
  configuration: JsonObject,
  version: Version,
  schemas: boolean,
  settings: ScimSettings,
): ScimCapabilities {
  const { overrides } = settings;
  const part = (name: string): JsonObject => {
    const value = memberOf(configuration, name);
    return isJsonObject(value) ? value : {};
  };
  const supports = (name: string) => memberOf(part(name), 'supported') === true;
  const pagination = part('pagination');
  const hasCursors = memberOf(pagination, 'cursor') === true;
  const limits = [memberOf(pagination, 'maxPageSize'), memberOf(part('filter'), 'maxResults')];
  const limit = limits.find((each) => Number.isInteger(each) && Number(each) > 0);
  const pageSize = limit === undefined ? defaultPageSize : Math.min(Number(limit), largestPageSize);
  return {
    paging: overrides.paging ?? (hasCursors ? 'cursor' : 'index'),
    pageSize: overrides.pageSize ?? pageSize,
    patch: supports('patch'),
    bulk: readBulkLimits(part('bulk'), version, settings),
    filter: overrides.filter ?? supports('filter'),
    etag: supports('etag'),
    schemas,
  };
}

function unreadable(message: string, options: { hint: string }): LockstepError {
  return new LockstepError('SourceUnreadable', message, { ...options, fault: 'schema' });
}
