/** The body of a PATCH of SCIM 1.1: attributes to merge, those to remove by name, elements to remove marked as such. */
import type { MembersWrite } from '../writer.ts';
import { type AttributeEdit, edited, elementsOf } from './attribute-edit.ts';
import { attributeOf, isCoreSchema, type JsonObject, memberOf } from './attribute-value.ts';
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
  const body: Record<string, unknown> = edited(
    {},
    single.filter(({ value }) => value !== null),
  );
  const lists = Map.groupBy(
    edits.filter(({ isList }) => isList),
    ({ path }) => placeOf(path).toLowerCase(),
  );
  for (const group of lists.values()) addElements(body, resource, group);
  for (const { attribute, added, removed: gone } of members) {
    body[attribute] = [
      ...gone.map((value) => ({ value, operation: 'delete' })),
      ...added.map((value) => ({ value })),
    ];
  }
  return {
    ...body,
    ...(removed.length > 0 && { meta: { attributes: removed.map(({ text }) => text) } }),
  };
}

/** Elements are merged, so one that changes goes and comes again. */
function addElements(
  body: Record<string, unknown>,
  resource: JsonObject,
  edits: readonly AttributeEdit[],
): void {
  const path = edits[0]?.path;
  if (path === undefined) return;
  const before = elementsOf(attributeOf(resource, path));
  const after = elementsOf(attributeOf(edited(resource, edits), path));
  const without = (elements: readonly unknown[], others: readonly unknown[]) => {
    const known = new Set(others.map((each) => JSON.stringify(each)));
    return elements.filter((each) => !known.has(JSON.stringify(each)));
  };
  const elements = [
    ...without(before, after).map((each) =>
      typeof each === 'object'
        ? { ...each, operation: 'delete' }
        : { value: each, operation: 'delete' },
    ),
    ...without(after, before),
  ];
  if (elements.length === 0) return;
  if (path.schema === undefined || isCoreSchema(path.schema)) {
    body[path.attribute] = elements;
  } else {
    const extension = memberOf(body, path.schema);
    body[path.schema] = { ...(extension as JsonObject | undefined), [path.attribute]: elements };
  }
}
