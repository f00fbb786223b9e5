/** The resources of one type that changed since a moment, and those that share a key with one of them. */
import type { AttributePath } from '../../engine/attribute-path.ts';
import { LockstepError } from '../../engine/errors.ts';
import { cellAt, type JsonObject, memberOf } from './attribute-value.ts';
import { modifiedSince } from './last-modified.ts';
import type { Page } from './listing.ts';
import { inParallel, type TypeReading } from './type-reading.ts';

/** Of so many keys it is asked who else has them; with more, everything is read. */
const mostKeys = 50;

export interface ChangesQuery {
  /** In ms. */
  readonly since: number;
  readonly sharedKeys: readonly AttributePath[];
  readonly take: (page: Page) => Promise<void>;
}

/**
 * Takes what changed. Where two resources have the same key, both are taken, as if everything were read.
 *
 * A service that finds nothing, or not even what it has just returned, is not believed.
 *
 * @returns false when everything has to be read instead, whatever was taken
 */
export async function takeChanges(reading: TypeReading, query: ChangesQuery): Promise<boolean> {
  const { since, sharedKeys, take } = query;
  const seen = new Set<string>();
  const values = sharedKeys.map(() => new Set<string>());
  const tooMany = () => values.reduce((sum, { size }) => sum + size, 0) > mostKeys;
  try {
    for await (const page of reading.pages(seen, modifiedSince(since))) {
      for (const resource of tooMany() ? [] : page.resources) {
        for (const [index, path] of sharedKeys.entries()) {
          const value = cellAt(resource, path);
          if (value !== '') values[index]?.add(value);
        }
      }
      await take(page);
    }
  } catch (error) {
    // A filter that is refused now is no reason not to read at all.
    if (error instanceof LockstepError && /^(schema|scope)$/.test(error.fault ?? '')) return false;
    throw error;
  }
  if (seen.size === 0 || tooMany()) return false;
  for (const [index, path] of sharedKeys.entries()) {
    const found = await inParallel([...(values[index] ?? [])], (value) =>
      sharing(reading, path, value),
    );
    if (!found.every((resources) => resources !== undefined)) return false;
    const others = found.flat().filter((resource) => !seen.has(String(memberOf(resource, 'id'))));
    for (const resource of others) seen.add(String(memberOf(resource, 'id')));
    await take({ resources: others, done: seen.size, total: seen.size });
  }
  return true;
}

async function sharing(
  reading: TypeReading,
  path: AttributePath,
  value: string,
): Promise<readonly JsonObject[] | undefined> {
  const { schema, attribute, subAttribute } = path;
  const name = `${schema === undefined ? '' : `${schema}:`}${attribute}${subAttribute === undefined ? '' : `.${subAttribute}`}`;
  const found = await reading.few(`${name} eq ${JSON.stringify(value)}`);
  return found?.some((resource) => cellAt(resource, path) === value) ? found : undefined;
}
