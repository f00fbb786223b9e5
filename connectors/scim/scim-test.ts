/** Tests the connection to a SCIM service: what it is and can, as it says itself and as was tried. */
import type { ConnectionFacts } from '../../engine/connection-test.ts';
import { effectsOf } from '../../engine/scim-quirk.ts';
import type { Source } from '../../engine/source.ts';
import { someResources } from './listing.ts';
import { type OpenSource, pathsOf, targetsOf } from './open-sources.ts';
import { checkedPath } from './row-source.ts';
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
  const named = mapped.flatMap((source) => [
    source.options.resourceType,
    ...targetsOf(source).map(({ resourceType }) => resourceType),
  ]);
  const types = named.length > 0 ? named : service.resourceTypes.map(({ name }) => name);
  for (const name of new Set(types)) {
    const own = mapped.filter(({ options }) => options.resourceType === name);
    const selects = own.length > 0 && !effectsOf(settings.quirks).allAttributes;
    const attributes = selects ? requested(own.flatMap(pathsOf)) : undefined;
    await someResources(client, { type: service.resourceType(name), attributes, capabilities }, 1);
  }
  return {
    version: service.version,
    objectTypes: service.resourceTypes.map(({ name }) => name),
    capabilities: { ...capabilities },
  };
}
