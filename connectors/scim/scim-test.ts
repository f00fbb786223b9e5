/** Tests the connection to a SCIM service: what it is and can, as it says itself and as was tried. */
import type { ConnectionFacts } from '../../engine/connection-test.ts';
import { effectsOf } from '../../engine/scim-quirk.ts';
import type { Source } from '../../engine/source.ts';
import { modifiedSince, stampOf } from './last-modified.ts';
import { ifFiltered, type ListQuery, someResources } from './listing.ts';
import { type OpenSource, pathsOf, targetsOf } from './open-sources.ts';
import { checkedPath } from './row-source.ts';
import type { ScimClient } from './scim-client.ts';
import type { ReadService } from './scim-export.ts';
import { requested } from './type-reading.ts';

/**
 * Checks every path, and reads one resource of each type: that takes the credentials that an export does.
 *
 * @throws LockstepError what the export would throw, but for the resources
 */
export async function testSources(
  { client, service, settings }: ReadService,
  sources: readonly Source[],
): Promise<ConnectionFacts> {
  const { capabilities } = service;
  const mapped = sources as readonly OpenSource['source'][];
  for (const source of mapped) {
    const type = service.resourceType(source.options.resourceType);
    for (const path of pathsOf(source)) checkedPath(path, source.name, type);
  }
  const probed: Record<string, string> = { address: service.base };
  const named = mapped.flatMap((source) => [
    source.options.resourceType,
    ...targetsOf(source).map(({ resourceType }) => resourceType),
  ]);
  const types = named.length > 0 ? named : service.resourceTypes.map(({ name }) => name);
  for (const name of new Set(types)) {
    const own = mapped.filter(({ options }) => options.resourceType === name);
    const selects = own.length > 0 && !effectsOf(settings.quirks).allAttributes;
    const attributes = selects ? requested(own.flatMap(pathsOf)) : undefined;
    const query = { type: service.resourceType(name), attributes, capabilities };
    const { total } = await someResources(client, query, 1);
    probed[name] = total === undefined ? 'answers, without a total' : `${total} of them`;
    if (!capabilities.filter) continue;
    const stamped = selects ? { ...query, attributes: ['meta'] } : query;
    probed[`${name} by lastModified`] = await tryLastModified(client, stamped);
  }
  return {
    version: service.version,
    objectTypes: service.resourceTypes.map(({ name }) => name),
    capabilities: {
      ...capabilities,
      bulk: capabilities.bulk !== undefined,
      incremental: settings.incremental !== undefined,
    },
    probed,
    quirks: settings.quirks,
  };
}

/** Later than anything that happened. */
const endOfTime = Date.UTC(9999, 11, 31);

/** Whether the filter for changes finds what is there, and not what is not. */
async function tryLastModified(client: ScimClient, query: ListQuery): Promise<string> {
  const { resources } = await someResources(client, query, 1);
  const [resource] = resources;
  if (resource === undefined) return 'nobody to try it with';
  const stamp = stampOf(resource);
  if (stamp === undefined) return 'no stamp, or one without a zone';
  const count = async (since: number) =>
    (await ifFiltered(client, { ...query, filter: modifiedSince(since) }, 1))?.total;
  const [found, toCome] = [await count(stamp), await count(endOfTime)];
  if (found === undefined || toCome === undefined) return 'the filter is refused';
  if (found === 0) return 'the filter does not find who is there';
  return toCome === 0 ? 'the filter works' : 'the filter is not heeded';
}
