/** The value at an attribute path of a SCIM resource, as the text of a cell. */
import type { AttributePath, FilterLiteral, ValueFilter } from '../../engine/attribute-path.ts';

/** What JSON holds between braces. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for `{…}`, which an array is not. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of this name; names of SCIM attributes mean the same whatever their case. */
export function memberOf(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const wanted = name.toLowerCase();
  const found = Object.keys(object).find((key) => key.toLowerCase() === wanted);
  return found === undefined ? undefined : object[found];
}

/** Where a path begins: at the resource, or at what it holds of a schema. */
export function attributeOf(resource: JsonObject, { schema, attribute }: AttributePath): unknown {
  const extension = schema === undefined ? undefined : memberOf(resource, schema);
  const holder = isJsonObject(extension) ? extension : resource;
  // The attributes of the core schema stand in the resource itself, whatever the path calls them.
  if (schema !== undefined && holder === resource && !isCoreSchema(schema)) return undefined;
  return memberOf(holder, attribute);
}

/** `urn:ietf:params:scim:schemas:core:2.0:User` and its like: not an extension. */
export function isCoreSchema(schema: string): boolean {
  return /:schemas:core:/i.test(schema);
}

/** What decides how the text of a filter is compared. Text is, by default, the same whatever its case. */
export type IsCaseExact = (subAttribute: string) => boolean;

/**
 * The text at a path; blank where there is no value.
 *
 * Of several values the primary one counts. Where there is none, all of them are given as a JSON array in sorted order,
 * so that nothing is chosen by chance and the order in which a service lists them is no change.
 */
export function cellAt(
  resource: JsonObject,
  path: AttributePath,
  isCaseExact: IsCaseExact = () => false,
): string {
  const value = attributeOf(resource, path);
  if (!Array.isArray(value)) {
    // A service may give a single element as itself.
    const matches =
      !path.filter || (isJsonObject(value) && passes(value, path.filter, isCaseExact));
    return matches ? textOf(partOf(value, path.subAttribute)) : '';
  }
  const chosen = value.filter(
    (element) => !path.filter || passes(asElement(element), path.filter, isCaseExact),
  );
  const primary = chosen.filter((element) => isTrue(memberOf(asElement(element), 'primary')));
  const counting = primary.length === 1 ? primary : chosen;
  const texts = counting
    .map((element) => textOf(partOf(element, path.subAttribute ?? defaultPart(element))))
    .filter((text) => text !== '');
  const different = [...new Set(texts)].sort();
  return different.length > 1 ? JSON.stringify(different) : (different[0] ?? '');
}

/** RFC 7643 §2.4: what an element of a multi-valued attribute stands for is its `value`. */
function defaultPart(element: unknown): string | undefined {
  return isJsonObject(element) && memberOf(element, 'value') !== undefined ? 'value' : undefined;
}

function partOf(value: unknown, subAttribute: string | undefined): unknown {
  if (subAttribute === undefined) return value;
  if (isJsonObject(value)) return memberOf(value, subAttribute);
  // A simple element is its own value.
  return subAttribute.toLowerCase() === 'value' ? value : undefined;
}

/** An element of a multi-valued attribute; a simple one is its own value. */
export function asElement(element: unknown): JsonObject {
  return isJsonObject(element) ? element : { value: element };
}

/** The text of a value; blank where there is none. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(sorted(value)) : String(value);
}

/** The same object whatever the order of its members. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** Some services write booleans as text. */
export function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}

/** True when an element of a multi-valued attribute fulfils a filter. */
export function passes(
  element: JsonObject,
  filter: ValueFilter,
  isCaseExact: IsCaseExact,
): boolean {
  switch (filter.operator) {
    case 'and':
      return (
        passes(element, filter.left, isCaseExact) && passes(element, filter.right, isCaseExact)
      );
    case 'or':
      return (
        passes(element, filter.left, isCaseExact) || passes(element, filter.right, isCaseExact)
      );
    case 'not':
      return !passes(element, filter.of, isCaseExact);
    case 'pr':
      return textOf(memberOf(element, filter.attribute)) !== '';
    default: {
      const value = memberOf(element, filter.attribute);
      return compares(value, filter.operator, filter.literal, isCaseExact(filter.attribute));
    }
  }
}

type Comparison = Exclude<ValueFilter['operator'], 'and' | 'or' | 'not' | 'pr'>;

function compares(
  value: unknown,
  operator: Comparison,
  literal: FilterLiteral,
  isExact: boolean,
): boolean {
  if (operator === 'ne') return !compares(value, 'eq', literal, isExact);
  if (literal === null) return operator === 'eq' && (value === undefined || value === null);
  if (typeof literal === 'boolean') return operator === 'eq' && isTrue(value) === literal;
  if (value === undefined || value === null) return false;
  if (typeof literal === 'number') return ordered(Number(value) - literal, operator);
  const fold = (text: string) => (isExact ? text : text.toLowerCase());
  const [text, wanted] = [fold(String(value)), fold(literal)];
  if (operator === 'co') return text.includes(wanted);
  if (operator === 'sw') return text.startsWith(wanted);
  if (operator === 'ew') return text.endsWith(wanted);
  return ordered(text < wanted ? -1 : Number(text > wanted), operator);
}

function ordered(difference: number, operator: Comparison): boolean {
  if (operator === 'eq') return difference === 0;
  if (operator === 'gt') return difference > 0;
  if (operator === 'ge') return difference >= 0;
  if (operator === 'lt') return difference < 0;
  return operator === 'le' && difference <= 0;
}
