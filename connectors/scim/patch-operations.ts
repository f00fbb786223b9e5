/** The operations of a PATCH that does the edits of a resource and nothing else (RFC 7644 §3.5.2). */
import type { AttributePath } from '../../engine/attribute-path.ts';
import {
  type AttributeEdit,
  edited,
  elementsOf,
  isWholeElement,
  matching,
} from './attribute-edit.ts';
import { attributeOf, isCoreSchema, type JsonObject } from './attribute-value.ts';

export interface PatchOperation extends JsonObject {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

/** True for an edit that cannot be said without knowing what is there: one of elements that no filter names. */
export function needsReading(edit: AttributeEdit): boolean {
  return edit.isList && edit.path.filter === undefined;
}

/** The operations for a resource that has all that the edits name, as most have. */
export function operationsUnseen(edits: readonly AttributeEdit[]): PatchOperation[] {
  return edits.map(operationOf);
}

/**
 * The operations for a resource that is known: an element that is not there yet is added whole.
 *
 * @param removesFirst elements are taken away before others are put in their place
 */
export function operationsFor(
  resource: JsonObject,
  edits: readonly AttributeEdit[],
  { removesFirst }: { readonly removesFirst: boolean },
): PatchOperation[] {
  const isWholeNew = (edit: AttributeEdit) => isPartOfNothing(resource, edit);
  const groups = Map.groupBy(edits, (edit) =>
    edit.isList || isWholeNew(edit) ? placeOf(edit.path).toLowerCase() : edit.text,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first && !first.isList && isWholeNew(first)) return [addition(group, first)];
    if (!first?.isList) return group.filter((edit) => isThere(resource, edit)).map(operationOf);
    return elementOperations(resource, group, first.path, removesFirst);
  });
}

/** The attribute of a path with its schema, without filter and part. */
export function placeOf({ schema, attribute }: AttributePath): string {
  return schema === undefined || isCoreSchema(schema) ? attribute : `${schema}:${attribute}`;
}

function operationOf(edit: AttributeEdit): PatchOperation {
  const { text, value, path } = edit;
  // A filter alone means the elements; what they stand for is their value.
  const part = path.filter && path.subAttribute === undefined && !edit.isSimple ? '.value' : '';
  if (value !== null) return { op: 'replace', path: `${text}${part}`, value };
  const isElement = path.filter !== undefined && isWholeElement(edit);
  return { op: 'remove', path: isElement ? selectorOf(edit) : text };
}

/** Some services refuse a part of what is not there at all: it is added whole. */
function isPartOfNothing(resource: JsonObject, { path, isList, value }: AttributeEdit): boolean {
  const isPart = !isList && value !== null && path.subAttribute !== undefined;
  return isPart && path.filter === undefined && attributeOf(resource, path) === undefined;
}

function addition(parts: readonly AttributeEdit[], { path }: AttributeEdit): PatchOperation {
  const value = Object.fromEntries(
    parts.map(({ path: { subAttribute = '' }, value: part }) => [subAttribute, part]),
  );
  return { op: 'add', path: placeOf(path), value };
}

/** `emails[type eq "work"]` */
function selectorOf({ text }: AttributeEdit): string {
  return text.slice(0, text.lastIndexOf(']') + 1);
}

/** What is not there need not go, and some services say so. */
function isThere(resource: JsonObject, { value, path }: AttributeEdit): boolean {
  return value !== null || attributeOf(resource, path) !== undefined;
}

function elementOperations(
  resource: JsonObject,
  edits: readonly AttributeEdit[],
  path: AttributePath,
  removesFirst: boolean,
): PatchOperation[] {
  const place = placeOf(path);
  const before = elementsOf(attributeOf(resource, path));
  const after = elementsOf(attributeOf(edited(resource, edits), path));
  if (edits.some(needsReading)) {
    if (after.length === 0) return before.length === 0 ? [] : [{ op: 'remove', path: place }];
    if (!removesFirst) return [{ op: 'replace', path: place, value: after }];
    const removal: PatchOperation[] = before.length === 0 ? [] : [{ op: 'remove', path: place }];
    return [...removal, { op: 'add', path: place, value: after }];
  }
  const isFound = (edit: AttributeEdit) => matching(before, edit).length > 0;
  const found = edits.filter(isFound);
  if (removesFirst) {
    const untouched = before.filter((element) =>
      found.every((edit) => !matching([element], edit).includes(element)),
    );
    const changed = withoutThese(after, untouched);
    const selectors = [...new Set(found.map(selectorOf))];
    const removals = selectors.map(
      (selector): PatchOperation => ({ op: 'remove', path: selector }),
    );
    return changed.length === 0
      ? removals
      : [...removals, { op: 'add', path: place, value: onePerSelector(changed, edits) }];
  }
  const missing = edits.filter((edit) => !isFound(edit) && edit.value !== null);
  const whole = elementsOf(attributeOf(edited({}, missing), path));
  return [
    ...found.map(operationOf),
    ...(whole.length === 0 ? [] : ([{ op: 'add', path: place, value: whole }] as const)),
  ];
}

/** The other elements, each of these taken away once. */
function withoutThese(elements: readonly unknown[], these: readonly unknown[]): unknown[] {
  const left = these.map((element) => JSON.stringify(element));
  return elements.filter((element) => {
    const at = left.indexOf(JSON.stringify(element));
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

/** Where a replace has added an element, several are the one now; the first has the other parts. */
function onePerSelector(elements: readonly unknown[], edits: readonly AttributeEdit[]): unknown[] {
  return elements.filter((element, index) =>
    edits.every((edit) => {
      const same = matching(elements, edit);
      return !same.includes(element) || elements.indexOf(same[0]) === index;
    }),
  );
}
