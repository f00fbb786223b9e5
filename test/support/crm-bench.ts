/** A bench with a connector to a real SCIM server, behind a proxy that can be told to be faulty. */
import { crmConfiguration } from '../fixtures/crm.ts';
import { type FaultyProxy, type Intercept, openProxy } from './scim/faulty-proxy.ts';
import { type ScimmyContents, startScimmyServer } from './scim/scimmy-server.ts';
import { openSyncBench, type SyncBench } from './sync-bench.ts';

export interface CrmBench extends AsyncDisposable {
  readonly bench: SyncBench;
  /** What the server holds. */
  readonly contents: ScimmyContents;
  readonly proxy: FaultyProxy;
  /** Writes that came to the proxy since the last import: method and path. */
  writes(): string[];
  /** What the proxy does from now on; nothing but passing on, when left out. */
  intercept(intercept?: Intercept): void;
  /** Ada, Bob and Cyd, of the teams dev (Ada, Bob) and ops (Cyd), on the server and in the store. */
  begin(): Promise<void>;
  /** What the store holds of an account. */
  account(key: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The ids of a team's members on the server. */
  members(name: string): string[];
}

const user = (name: string) => ({
  id: `id-${name}`,
  userName: name,
  name: { givenName: name.toUpperCase() },
  active: true,
  emails: [{ value: `${name}@example.org`, type: 'work' }],
  meta: { created: new Date(0), lastModified: new Date(0) },
});

const pass: Intercept = (request, forward) => forward(request);

type Connector = Parameters<typeof crmConfiguration>[1];

/** Every write is a request of its own, unless `overrides` of the connector say otherwise. */
export async function openCrmBench(given: Connector = {}): Promise<CrmBench> {
  const more = { overrides: { bulk: false }, ...given } as Connector;
  const contents: ScimmyContents = { users: [], groups: [] };
  const server = await startScimmyServer(contents);
  let current = pass;
  const proxy = await openProxy(server.url.replace('/scim', ''), (...asked) => current(...asked));
  const environment = { CRM_TOKEN: 'right-token' };
  const bench = await openSyncBench(crmConfiguration(`${proxy.url}/scim`, more), environment);
  let imported = 0;
  return {
    bench,
    contents,
    proxy,
    writes: () => proxy.requests.slice(imported).filter((request) => !request.startsWith('GET')),
    intercept(next = pass) {
      current = next;
    },
    async begin() {
      current = pass;
      // A test that failed may have left its job.
      await bench.store.pool.query('delete from lease');
      contents.users = ['ada', 'bob', 'cyd'].map(user);
      contents.groups = [
        { id: 'id-dev', displayName: 'dev', members: [{ value: 'id-ada' }, { value: 'id-bob' }] },
        { id: 'id-ops', displayName: 'ops', members: [{ value: 'id-cyd' }] },
      ];
      await bench.sync({}, 'crm');
      imported = proxy.requests.length;
    },
    account: async (key) =>
      (await bench.contents()).resources['account']?.[key] as Record<string, unknown> | undefined,
    members(name) {
      const team = contents.groups.find((each) => each['displayName'] === name);
      return ((team?.['members'] ?? []) as { value: string }[]).map(({ value }) => value);
    },
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A change of an account. */
export function accountPlan(key: string, after: Readonly<Record<string, unknown>> | null) {
  return { entityType: 'account', key, after };
}

/** A new account with nothing but its name. */
export function newAccount(key: string) {
  return accountPlan(key, { userName: key });
}
