/** What every connector must do, done by the SCIM connector. */
import { openProxy } from '../../support/scim/faulty-proxy.ts';
import { scimConnector } from '../../support/scim/scim-system.ts';
import { type TestedSystem, testConformance } from '../conformance.ts';

const json = (body: object) => ({ status: 200, body: JSON.stringify(body) });

testConformance('scim', async (): Promise<TestedSystem> => {
  const lists = new Map<string, object[]>();
  // The rows of this suite are no users, so no real server holds them.
  const service = await openProxy('', ({ url }) => {
    const list = lists.get(url.pathname.slice(1));
    if (url.pathname === '/ServiceProviderConfig') return json({ filter: { maxResults: 1000 } });
    if (list === undefined) return { status: 404, body: '' };
    const first = Number(url.searchParams.get('startIndex')) - 1;
    const page = list.slice(first, first + Number(url.searchParams.get('count')));
    return json({ totalResults: list.length, Resources: page });
  });
  const names = ['people', 'teams', 'absent'];
  const resourceTypes = Object.fromEntries(names.map((name) => [name, `/${name}`]));
  return {
    connector: scimConnector(service.url, { overrides: { resourceTypes } }),
    sourceOf: (name) => ({
      name,
      options: { resourceType: name, paths: ['id', 'name'], references: [] },
    }),
    async hold(source, [, ...rows]) {
      lists.set(
        source,
        rows.map(([id, name]) => ({ id, name })),
      );
    },
    async remove(source) {
      lists.delete(source);
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
});
