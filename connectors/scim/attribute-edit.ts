/** What is to stand at the paths of a resource, and a resource on which it does. */
import {
  type AttributePath,
  parseAttributePath,
  type ValueFilter,
} from '../../engine/attribute-path.ts';
import type { Value } from '../../engine/value-format.ts';
import type { AttributeWrite } from '../writer.ts';
import {
  asElement,
  type IsCaseExact,
  isCoreSchema,
  isJsonObject,
  isTrue,
  type JsonObject,
  memberOf,
  passes,
  textOf,
} from './attribute-value.ts';
import type { ResourceSchema, SchemaAttribute } from './service-schema.ts';
import { WriteFailure } from './write-failure.ts';

/** One path of a write. */
export interface AttributeEdit {
  /** As the mapping has it. */
  readonly text: string;
  readonly path: AttributePath;
  /** JSON of the type that the schema names; null for none. A list for several elements of an attribute without a filter. */
  readonly value: Value | readonly Value[] | null;
  /** Whether the attribute has elements. */
  readonly isList: boolean;
  /** What the path leads to, where the schema tells. */
  readonly part: SchemaAttribute | undefined;
  /** Whether an element is its own value, and has no parts. */
  readonly isSimple: boolean;
  readonly isCaseExact: IsCaseExact;
}

/**
 * Reads the paths of a write.
 *
 * @throws WriteFailure when the schema has no such path
 */
export function editsOf(
  writes: readonly AttributeWrite[],
  schema: ResourceSchema | undefined,
  { booleansAsText }: { readonly booleansAsText?: true },
): AttributeEdit[] {
  return writes.map(({ path: text, value }) => {
    const path = parseAttributePath(text);
    const problem = schema?.problemOf(path);
    if (problem !== undefined) throw new WriteFailure('TargetRefused', `“${text}”: ${problem}`);
    const attribute = schema?.attributeAt(path);
    const part = schema?.partAt(path);
    const isList =
      path.filter !== undefined ||
      (attribute?.isMultiValued ?? standardLists.has(path.attribute.toLowerCase()));
    const typed = (one: Value) => typedValue(one, part?.type ?? '', booleansAsText === true);
    const several = isList && path.filter === undefined ? listIn(value) : undefined;
    return {
      text,
      path,
      value: several?.map(typed) ?? (value === null ? null : typed(value)),
      isList,
      part,
      isSimple: attribute !== undefined && !attribute.isComplex,
      isCaseExact: schema?.isCaseExact(path) ?? (() => false),
    };
  });
}

/** Where no schema tells it: the attributes of RFC 7643 that have elements, in lower case. */
const standardLists = new Set([
  'emails',
  'phonenumbers',
  'ims',
  'photos',
  'addresses',
  'groups',
  'entitlements',
  'roles',
  'x509certificates',
  'members',
]);

/** Several values are one cell of an export: a JSON array. */
function listIn(value: Value | null): Value[] | undefined {
  if (typeof value !== 'string' || !value.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

function typedValue(value: Value, type: string, booleansAsText: boolean): Value {
  const isBoolean = typeof value === 'boolean' || type === 'boolean';
  if (isBoolean && booleansAsText) return String(isTrue(value));
  if (type === 'boolean' && /^(true|false)$/i.test(String(value))) return isTrue(value);
  if (type === 'integer' || type === 'decimal') {
    const number = Number(value);
    return typeof value !== 'boolean' && Number.isFinite(number) && value !== '' ? number : value;
  }
  // A day is no time.
  if (type === 'datetime' && /^\d{4}-\d\d-\d\d$/.test(String(value))) return `${value}T00:00:00Z`;
  return type === 'string' || type === 'reference' ? String(value) : value;
}

type Mutable = Record<string, unknown>;

/**
 * The same resource with the edits done; what they do not name stays as it is.
 *
 * @throws WriteFailure when an element has to be made and its filter does not say what it is
 */
export function edited(resource: JsonObject, edits: readonly AttributeEdit[]): JsonObject {
  const copy = structuredClone(resource) as Mutable;
  for (const edit of edits) {
    changeHolder(copy, edit.path, (holder) => editHolder(holder, edit));
  }
  return copy;
}

/** The same resource with other elements of an attribute. */
export function withElements(
  resource: JsonObject,
  path: AttributePath,
  elements: readonly unknown[],
): JsonObject {
  const copy: Mutable = { ...resource };
  changeHolder(copy, path, (holder) => put(holder, path.attribute, elements));
  return copy;
}

/** Changes what an attribute stands in: the resource itself, or what it holds of a schema. */
function changeHolder(
  resource: Mutable,
  { schema }: AttributePath,
  change: (holder: Mutable) => void,
): void {
  if (schema === undefined || isCoreSchema(schema)) {
    change(resource);
    return;
  }
  const extension = asMutable(memberOf(resource, schema));
  change(extension);
  put(resource, schema, isEmpty(extension) ? null : extension);
}

function editHolder(holder: Mutable, edit: AttributeEdit): void {
  const { attribute, subAttribute } = edit.path;
  if (edit.isList) {
    const elements = editedElements(elementsOf(memberOf(holder, attribute)), edit);
    put(holder, attribute, elements.length === 0 ? null : elements);
  } else if (subAttribute === undefined) {
    put(holder, attribute, edit.value);
  } else {
    const complex = asMutable(memberOf(holder, attribute));
    put(complex, subAttribute, edit.value);
    put(holder, attribute, isEmpty(complex) ? null : complex);
  }
}

/** The elements of an attribute; a service may give a single one as itself. */
export function elementsOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** The elements that the filter of an edit means. */
export function matching(elements: readonly unknown[], edit: AttributeEdit): unknown[] {
  const { filter } = edit.path;
  return elements.filter(
    (element) => filter === undefined || passes(asElement(element), filter, edit.isCaseExact),
  );
}

/** The elements of an attribute after an edit. */
export function editedElements(elements: readonly unknown[], edit: AttributeEdit): unknown[] {
  if (edit.path.filter !== undefined) return editedMatches(elements, edit, edit.path.filter);
  const { value } = edit;
  if (value === null) return [];
  const primary = elements.filter((element) => isTrue(memberOf(asElement(element), 'primary')));
  const counting = primary.length === 1 ? primary : elements;
  if (!isList(value) && counting.length === 1) {
    return elements.map((each) => (counting.includes(each) ? withPart(each, edit, value) : each));
  }
  // What is to be there and is keeps what else it says.
  const wanted = isList(value) ? value : [value];
  const texts = wanted.map(String);
  const partText = (element: unknown) =>
    textOf(edit.isSimple ? element : memberOf(asElement(element), partName(edit)));
  const kept = elements.filter((element) => texts.includes(partText(element)));
  const known = kept.map(partText);
  const missing = wanted.filter((each) => !known.includes(String(each)));
  return [...kept, ...missing.map((each) => withPart({}, edit, each))];
}

function editedMatches(
  elements: readonly unknown[],
  edit: AttributeEdit,
  filter: ValueFilter,
): unknown[] {
  const matches = matching(elements, edit);
  const { value } = edit;
  if (value === null) {
    return elements.flatMap((each) => (matches.includes(each) ? withoutPart(each, edit) : [each]));
  }
  if (isList(value)) throw new TypeError('a path with a filter has one value');
  if (matches.length === 0) return [...elements, withPart(attributesOf(filter), edit, value)];
  return elements.map((each) => (matches.includes(each) ? withPart(each, edit, value) : each));
}

function isList(value: Value | readonly Value[]): value is readonly Value[] {
  return Array.isArray(value);
}

/** What an element stands for is its `value` (RFC 7643 §2.4). */
function partName({ path }: AttributeEdit): string {
  return path.subAttribute ?? 'value';
}

function withPart(element: unknown, edit: AttributeEdit, value: Value): unknown {
  if (edit.isSimple) return value;
  const copy = { ...asElement(element) };
  put(copy, partName(edit), value);
  return copy;
}

/** Nothing at all when what is left only says which element it was. */
function withoutPart(element: unknown, edit: AttributeEdit): unknown[] {
  if (isWholeElement(edit)) return [];
  const copy: Mutable = { ...asElement(element) };
  put(copy, partName(edit), null);
  const naming = ['primary', ...(edit.path.filter ? named(edit.path.filter) : [])];
  const isNamed = (key: string) => naming.some((name) => name.toLowerCase() === key.toLowerCase());
  return Object.keys(copy).every(isNamed) ? [] : [copy];
}

/** True when an element without the part of this path means nothing. */
export function isWholeElement(edit: AttributeEdit): boolean {
  return edit.isSimple || partName(edit).toLowerCase() === 'value';
}

function named(filter: ValueFilter): string[] {
  switch (filter.operator) {
    case 'and':
    case 'or':
      return [...named(filter.left), ...named(filter.right)];
    case 'not':
      return named(filter.of);
    default:
      return [filter.attribute];
  }
}

/** RFC 7644 §3.5.2.3: a filter of equalities says what an element that fulfils it looks like. */
function attributesOf(filter: ValueFilter): Mutable {
  if (filter.operator === 'and') {
    return { ...attributesOf(filter.left), ...attributesOf(filter.right) };
  }
  if (filter.operator === 'eq') return { [filter.attribute]: filter.literal };
  throw new WriteFailure(
    'TargetRefused',
    'no element fulfils the filter of a path, and none can be made from it: only `eq` and `and` say what it looks like',
  );
}

function asMutable(value: unknown): Mutable {
  return isJsonObject(value) ? { ...value } : {};
}

function isEmpty(object: Mutable): boolean {
  return Object.keys(object).length === 0;
}

/** Sets a member under the name that it has already; null takes it away. */
function put(object: Mutable, name: string, value: unknown): void {
  const wanted = name.toLowerCase();
  const key = Object.keys(object).find((each) => each.toLowerCase() === wanted) ?? name;
  if (value === null) delete object[key];
  else object[key] = value;
}
