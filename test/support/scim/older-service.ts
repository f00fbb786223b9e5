/** A SCIM 1.1 service: a real server's resources, told in the words of the older version by a proxy, for want of a server of it. */
import { isJsonObject, type JsonObject } from '../../../connectors/scim/attribute-value.ts';
import {
  type FaultyProxy,
  type Forward,
  openProxy,
  type ProxiedAnswer,
  type ProxiedRequest,
} from './faulty-proxy.ts';
import type { ScimmyServer } from './scimmy-server.ts';

export const enterprise = 'urn:scim:schemas:extension:enterprise:1.0';
const core = 'urn:scim:schemas:core:1.0';

const attribute = (name: string, more: object = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  schema: core,
  caseExact: false,
  ...more,
});

/** RFC-less, but in draft-ietf-scim-core-schema-01: schemas say where their resources are. */
const schemas = [
  {
    id: `${core}:User`,
    name: 'User',
    schema: core,
    endpoint: '/Users',
    attributes: [
      attribute('userName'),
      attribute('title'),
      attribute('name', {
        type: 'complex',
        subAttributes: [attribute('givenName'), attribute('familyName')],
      }),
      attribute('emails', {
        type: 'complex',
        multiValued: true,
        multiValuedAttributeChildName: 'email',
        subAttributes: [attribute('value'), attribute('type')],
      }),
      attribute('department', { schema: enterprise }),
    ],
  },
  {
    id: `${core}:Group`,
    name: 'Group',
    schema: core,
    endpoint: '/Groups',
    attributes: [
      attribute('displayName'),
      attribute('members', { type: 'complex', multiValued: true }),
    ],
  },
];

const json = (body: object): ProxiedAnswer => ({ status: 200, body: JSON.stringify(body) });

const latest = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const latestCore = 'urn:ietf:params:scim:schemas:core:2.0';

/** Everything below `/v1`; what only version 2.0 has is not there. */
export async function startOlderService(
  server: ScimmyServer,
  { patches = false }: { patches?: boolean } = {},
): Promise<FaultyProxy> {
  return await openProxy(server.url, async (request, forward) => {
    const path = request.url.pathname;
    if (request.headers['authorization'] !== 'Bearer right-token') return { status: 401, body: '' };
    if (path === '/v1/ServiceProviderConfigs') {
      return json({
        schemas: [core],
        patch: { supported: patches },
        bulk: { supported: false },
        filter: { supported: true, maxResults: 3 },
      });
    }
    if (path === '/v1/Schemas')
      return json({ totalResults: 2, schemas: [core], Resources: schemas });
    if (!/^\/v1\/(Users|Groups)(\/|$)/.test(path)) return { status: 404, body: '<html>' };
    const translated = inLatestWords(request);
    const answer =
      request.method === 'PATCH' && patches
        ? await merge(translated, forward)
        : await forward(translated);
    return { ...answer, body: answer.body.replaceAll(latest, enterprise) };
  });
}

function inLatestWords(request: ProxiedRequest): ProxiedRequest {
  const url = new URL(
    request.url.href.replaceAll(encodeURIComponent(enterprise), encodeURIComponent(latest)),
  );
  url.pathname = url.pathname.slice(3);
  const type = url.pathname.startsWith('/Users') ? 'User' : 'Group';
  const body = request.body
    ?.replaceAll(enterprise, latest)
    .replaceAll(`"${core}"`, `"${latestCore}:${type}"`);
  return { ...request, url, ...(body !== undefined && { body }) };
}

/** A PATCH of version 1.1 (§3.3.2 of its protocol): attributes are merged, unless `meta.attributes` takes them away. */
async function merge(request: ProxiedRequest, forward: Forward): Promise<ProxiedAnswer> {
  const { body = '{}', ...rest } = request;
  const { meta, schemas: _, ...changes } = JSON.parse(body) as Record<string, unknown>;
  const before = await forward({ ...rest, method: 'GET' });
  if (before.status !== 200) return before;
  const resource = JSON.parse(before.body) as Record<string, unknown>;
  for (const name of (meta as { attributes?: string[] } | undefined)?.attributes ?? []) {
    const [attribute = '', part] = name.startsWith(latest)
      ? [latest, name.slice(latest.length + 1)]
      : name.split('.');
    if (part === undefined) delete resource[attribute];
    else resource[attribute] = without(resource[attribute], part);
  }
  for (const [name, value] of Object.entries(changes)) {
    const present = resource[name];
    if (Array.isArray(value)) resource[name] = mergedElements(present, value);
    else if (isJsonObject(value)) resource[name] = { ...(present as JsonObject), ...value };
    else resource[name] = value;
  }
  return await forward({ ...request, method: 'PUT', body: JSON.stringify(resource) });
}

function without(complex: unknown, part: string): JsonObject {
  const { [part]: _, ...rest } = complex as JsonObject;
  return rest;
}

function mergedElements(present: unknown, changes: readonly JsonObject[]): unknown[] {
  const elements = (Array.isArray(present) ? present : []) as JsonObject[];
  const leaving = changes.filter(({ operation }) => operation === 'delete');
  const kept = elements.filter(
    (element) => !leaving.some(({ value }) => value === element['value']),
  );
  return [...kept, ...changes.filter(({ operation }) => operation !== 'delete')];
}
