/** The body of a PATCH of SCIM 1.1: attributes to merge, those to remove by name, elements to remove marked as such. */
import { type AttributePath, parseAttributePath } from '../../engine/attribute-path.ts';
import type { MembersWrite } from '../writer.ts';
import { type AttributeEdit, edited, elementsOf, withElements } from './attribute-edit.ts';
import { asElement, attributeOf, type JsonObject } from './attribute-value.ts';
import { placeOf } from './patch-operations.ts';

/**
 * Makes a body that does the edits, and adds and removes the members.
 *
 * @param resource as it is
 */
export function olderPatch(
  resource: JsonObject,
  edits: readonly AttributeEdit[],
  members: readonly MembersWrite[],
): JsonObject {
  const single = edits.filter(({ isList }) => !isList);
  const removed = single.filter(
    ({ value, path }) => value === null && attributeOf(resource, path) !== undefined,
  );
  let body = edited(
    {},
    single.filter(({ value }) => value !== null),
  );
  const lists = Map.groupBy(
    edits.filter(({ isList }) => isList),
    ({ path }) => placeOf(path).toLowerCase(),
  );
  for (const group of lists.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const elements = changedElements(resource, group, first.path);
    if (elements.length > 0) body = withElements(body, first.path, elements);
  }
  for (const { attribute, added, removed: gone } of members) {
    body = withElements(body, parseAttributePath(attribute), [
      ...gone.map((value) => ({ value, operation: 'delete' })),
      ...added.map((value) => ({ value })),
    ]);
  }
  return {
    ...body,
    ...(removed.length > 0 && { meta: { attributes: removed.map(({ text }) => text) } }),
  };
}

/** Elements are merged, so one that changes goes and comes again. */
function changedElements(
  resource: JsonObject,
  edits: readonly AttributeEdit[],
  path: AttributePath,
): unknown[] {
  const before = elementsOf(attributeOf(resource, path));
  const after = elementsOf(attributeOf(edited(resource, edits), path));
  const without = (elements: readonly unknown[], others: readonly unknown[]) => {
    const known = new Set(others.map((each) => JSON.stringify(each)));
    return elements.filter((each) => !known.has(JSON.stringify(each)));
  };
  const leaving = without(before, after).map((each) => ({
    ...asElement(each),
    operation: 'delete',
  }));
  return [...leaving, ...without(after, before)];
}
