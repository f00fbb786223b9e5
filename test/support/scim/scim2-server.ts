/** A real SCIM 2.0 server that this project did not write: PyPI `scim2-server`, in a process of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasScim2Server, startScim2Process } from '../../../local/scim-service/scim2-server.ts';

export { hasScim2Server };

export interface ScimResource {
  readonly [attribute: string]: unknown;
}

export interface Scim2Server extends AsyncDisposable {
  /** Without the `/v2`, which works, too. */
  readonly url: string;
  /** Creates resources at `/Users` or `/Groups`; gives their ids. */
  create(place: '/Users' | '/Groups', resources: readonly ScimResource[]): Promise<string[]>;
  remove(place: '/Users' | '/Groups', id: string): Promise<void>;
  /** Sends operations of a PATCH; gives the resource as it is then. */
  patch(
    place: '/Users' | '/Groups',
    id: string,
    ...operations: readonly object[]
  ): Promise<ScimResource>;
}

const features = ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag'];

/** @param pagination what ServiceProviderConfig says of it; the server cuts pages to `maxPageSize` */
export async function startScim2Server({
  token = 'right-token',
  pagination,
}: {
  token?: string;
  pagination?: { cursor: boolean; maxPageSize: number };
} = {}): Promise<Scim2Server> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-scim-'));
  const configuration = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    ...Object.fromEntries(features.map((name) => [name, { supported: true }])),
    bulk: { supported: true, maxOperations: 1000, maxPayloadSize: 10_485_760 },
    filter: { supported: true, maxResults: pagination?.maxPageSize ?? 100 },
    ...(pagination && {
      pagination: {
        index: true,
        defaultPaginationMethod: 'index',
        defaultPageSize: pagination.maxPageSize,
        cursorTimeout: 3600,
        ...pagination,
      },
    }),
    authenticationSchemes: [],
  };
  const file = join(directory, 'configuration.json');
  await writeFile(file, JSON.stringify(configuration));
  const server = await startScim2Process(directory, token, ['--service-provider-config', file]);
  const { url } = server;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
  const ask = async (path: string, init: RequestInit) => {
    const answer = await fetch(`${url}/v2${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  return {
    url,
    async create(path, resources) {
      const ids: string[] = [];
      for (let from = 0; from < resources.length; from += 1000) {
        const some = resources.slice(from, from + 1000);
        ids.push(...(await createAll(ask, path, some)));
      }
      return ids;
    },
    async remove(path, id) {
      await ask(`${path}/${id}`, { method: 'DELETE' });
    },
    async patch(path, id, ...Operations) {
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
      const body = JSON.stringify({ schemas, Operations });
      await ask(`${path}/${id}`, { method: 'PATCH', body });
      return (await (await ask(`${path}/${id}`, {})).json()) as ScimResource;
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function createAll(
  ask: (path: string, init: RequestInit) => Promise<Response>,
  path: '/Users' | '/Groups',
  resources: readonly ScimResource[],
): Promise<string[]> {
  const schemas = [`urn:ietf:params:scim:schemas:core:2.0:${path === '/Users' ? 'User' : 'Group'}`];
  const Operations = resources.map((data, index) => ({
    method: 'POST',
    path,
    bulkId: `n${index}`,
    data: { schemas, ...data },
  }));
  const message = { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations };
  const answer = await ask('/Bulk', { method: 'POST', body: JSON.stringify(message) });
  const { Operations: done } = (await answer.json()) as {
    Operations: { status: string; location?: string; response?: unknown }[];
  };
  return done.map(({ status, location, response }) => {
    if (status !== '201') throw new Error(`not created: ${JSON.stringify(response)}`);
    return location?.split('/').at(-1) ?? '';
  });
}
