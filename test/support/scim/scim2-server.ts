/** A real SCIM 2.0 server that this project did not write: PyPI `scim2-server`, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '../../../local/home.ts';
import { freePort } from '../../../local/port.ts';
import packages from '../../../local/scim-test-server.json' with { type: 'json' };

const place = join(
  cacheDirectory(process.env),
  `${packages.package}-${packages.version}-${process.platform}-${process.arch}`,
);

/** False where `node local/setup.js --tests` could not install it: tests that need it are skipped then. */
export const hasScim2Server = existsSync(place);

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
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = spawn(
    'python3',
    [
      join(place, 'bin', 'scim2-server'),
      ...['--port', `${port}`, '--service-provider-config', file, '--bearer-token', token],
    ],
    { env: { ...process.env, PYTHONPATH: place }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
  await answers(`${url}/v2/ServiceProviderConfig`, headers, server);
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
      server.kill('SIGKILL');
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

/** Resolves once the server answers. */
async function answers(
  url: string,
  headers: Record<string, string>,
  server: ChildProcess,
): Promise<void> {
  let output = '';
  server.stderr?.on('data', (text) => {
    output += text;
  });
  for (let attempt = 0; server.exitCode === null && attempt < 300; attempt++) {
    const answer = await fetch(url, { headers }).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  server.kill('SIGKILL');
  throw new Error(`scim2-server did not start: ${output}`);
}
