/** A SCIM resource, rebuilt from the properties that its paths became: what expressions of mappings see. */
import { type AttributePath, parseAttributePath, type ValueFilter } from './attribute-path.ts';
import type { EntityType } from './entity-type.ts';
import type { Value } from './value-format.ts';

type Attributes = Readonly<Record<string, Value>>;
type Nested = { [name: string]: unknown };

/**
 * Compiles what an expression of a mapping sees of a resource: its properties by name, and, for a SCIM resource, also
 * `name.givenName` and `emails[type="work"].value`. A property's own name comes before an attribute's.
 */
export function compileNesting(entityType: EntityType | undefined): (from: Attributes) => Nested {
  if (entityType === undefined || !('resourceType' in entityType.source.options)) {
    return (attributes) => ({ ...attributes });
  }
  const paths = entityType.properties.flatMap(({ name, kind, origin }) =>
    kind === 'scalar' && origin.from === 'column'
      ? [{ name, path: parseAttributePath(origin.column) }]
      : [],
  );
  return (attributes) => {
    const whole: Nested = {};
    for (const { name, path } of paths) {
      const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
      if (value !== undefined) place(whole, path, value);
    }
    return { ...whole, ...attributes };
  };
}

function place(whole: Nested, path: AttributePath, value: Value): void {
  const { schema, attribute, filter, subAttribute } = path;
  const within = schema === undefined ? whole : child(whole, schema, {});
  if (filter === undefined) {
    if (subAttribute === undefined) within[attribute] ??= value;
    else child(within, attribute, {})[subAttribute] = value;
    return;
  }
  const equals = equalities(filter);
  const elements = child(within, attribute, []) as unknown as Nested[];
  let element = elements.find((each) =>
    Object.entries(equals).every(([name, wanted]) => each[name] === wanted),
  );
  if (!element) {
    element = { ...equals };
    elements.push(element);
  }
  element[subAttribute ?? 'value'] = value;
}

function child(parent: Nested, name: string, empty: Nested | unknown[]): Nested {
  const found = parent[name];
  if (typeof found === 'object') return found as Nested;
  parent[name] = empty;
  return empty as Nested;
}

/** What a filter says for sure of the element it finds: `type eq "work" and primary eq true`. */
function equalities(filter: ValueFilter): Nested {
  if (filter.operator === 'and') {
    return { ...equalities(filter.left), ...equalities(filter.right) };
  }
  return filter.operator === 'eq' ? { [filter.attribute]: filter.literal } : {};
}
