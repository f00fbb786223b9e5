/** What a SCIM service says its resources consist of, and whether a mapped path is among it. */
import { closest } from 'fastest-levenshtein';
import type { AttributePath, ValueFilter } from '../../engine/attribute-path.ts';
import {
  type IsCaseExact,
  isCoreSchema,
  isJsonObject,
  type JsonObject,
  memberOf,
} from './attribute-value.ts';

/** An attribute as a schema declares it. */
export interface SchemaAttribute {
  readonly name: string;
  /** In lower case: `string`, `boolean`, `datetime`; blank where nothing is said. */
  readonly type: string;
  readonly isComplex: boolean;
  readonly isMultiValued: boolean;
  readonly isCaseExact: boolean;
  readonly isReadOnly: boolean;
  /** No two resources have the same value. */
  readonly isUnique: boolean;
  readonly subAttributes: readonly SchemaAttribute[];
}

/** Schema URN, in lower case → its attributes. */
export type ServiceSchemas = ReadonlyMap<string, readonly SchemaAttribute[]>;

/** Reads the schemas a service lists. In SCIM 1.1 an attribute itself says which extension it is of. */
export function readSchemas(schemas: readonly JsonObject[]): ServiceSchemas {
  const read = new Map<string, SchemaAttribute[]>();
  const add = (urn: unknown, attributes: SchemaAttribute[]) => {
    if (typeof urn !== 'string') return;
    const key = urn.toLowerCase();
    read.set(key, [...(read.get(key) ?? []), ...attributes]);
  };
  for (const schema of schemas) {
    const core = memberOf(schema, 'schema');
    const all = memberOf(schema, 'attributes');
    const attributes = Array.isArray(all) ? all.filter(isJsonObject) : [];
    const extensionOf = (attribute: JsonObject) => {
      const own = memberOf(attribute, 'schema');
      return typeof own === 'string' && own !== core ? own : undefined;
    };
    const own = attributes.filter((attribute) => extensionOf(attribute) === undefined);
    add(memberOf(schema, 'id'), readAttributes(own));
    for (const attribute of attributes) add(extensionOf(attribute), readAttributes([attribute]));
  }
  return read;
}

/** What is no attribute is passed over. */
function readAttributes(attributes: unknown): SchemaAttribute[] {
  if (!Array.isArray(attributes)) return [];
  return attributes.filter(isJsonObject).flatMap((attribute) => {
    const name = memberOf(attribute, 'name');
    if (typeof name !== 'string') return [];
    const subAttributes = readAttributes(memberOf(attribute, 'subAttributes'));
    return [
      {
        name,
        type: String(memberOf(attribute, 'type') ?? '').toLowerCase(),
        isComplex: memberOf(attribute, 'type') === 'complex' || subAttributes.length > 0,
        isMultiValued: memberOf(attribute, 'multiValued') === true,
        isCaseExact: memberOf(attribute, 'caseExact') === true,
        isReadOnly:
          memberOf(attribute, 'mutability') === 'readOnly' ||
          memberOf(attribute, 'readOnly') === true,
        isUnique: ['server', 'global'].includes(String(memberOf(attribute, 'uniqueness'))),
        subAttributes,
      },
    ];
  });
}

/** The parts that any multi-valued attribute may have (RFC 7643 §2.4). */
const partsOfElements = ['value', 'type', 'primary', 'display', '$ref'];

const simple = {
  type: 'string',
  isComplex: false,
  isMultiValued: false,
  isCaseExact: true,
  isReadOnly: false,
  isUnique: false,
  subAttributes: [],
};
const common: readonly SchemaAttribute[] = [
  { ...simple, name: 'id', isReadOnly: true, isUnique: true },
  { ...simple, name: 'externalId' },
  { ...simple, name: 'schemas', isMultiValued: true },
  {
    ...simple,
    name: 'meta',
    isReadOnly: true,
    isComplex: true,
    subAttributes: ['resourceType', 'created', 'lastModified', 'location', 'version'].map(
      (name) => ({ ...simple, name }),
    ),
  },
];

/** The schemas of one resource type. */
export class ResourceSchema {
  readonly #core: readonly SchemaAttribute[] | undefined;
  readonly #schemas: ServiceSchemas;
  readonly #extensions: readonly string[];

  /** @param core URN of the schema whose attributes stand in the resource itself */
  constructor(schemas: ServiceSchemas, core: string | undefined, extensions: readonly string[]) {
    this.#schemas = schemas;
    this.#core = core === undefined ? undefined : schemas.get(core.toLowerCase());
    this.#extensions = extensions;
  }

  /** Says why a path leads nowhere, with the names that are there; undefined when it leads somewhere, or nobody knows. */
  problemOf(path: AttributePath): string | undefined {
    const attributes = this.#attributesOf(path);
    if (attributes === undefined) {
      const isUnknown = path.schema !== undefined && !isCoreSchema(path.schema);
      return isUnknown && this.#core !== undefined
        ? `there is no schema ${path.schema}${nearest(path.schema ?? '', this.#extensions)}`
        : undefined;
    }
    const attribute = find(attributes, path.attribute);
    if (attribute === undefined) {
      const names = attributes.map(({ name }) => name);
      return `there is no attribute “${path.attribute}”${nearest(path.attribute, names)}`;
    }
    const parts = partsOf(attribute);
    const unknown = [
      ...(path.subAttribute === undefined ? [] : [path.subAttribute]),
      ...named(path),
    ];
    for (const part of unknown) {
      if (!parts.some((each) => each.toLowerCase() === part.toLowerCase())) {
        return `“${path.attribute}” has no part “${part}”${nearest(part, parts)}`;
      }
    }
    if (path.subAttribute === undefined && attribute.isComplex && !attribute.isMultiValued) {
      return `“${path.attribute}” consists of parts; map one of them: ${parts.map((part) => `${attribute.name}.${part}`).join(', ')}`;
    }
    return undefined;
  }

  /** Whether the service sees to it that no two resources have the same value there. */
  isUnique(path: AttributePath): boolean {
    return path.subAttribute === undefined && this.attributeAt(path)?.isUnique === true;
  }

  /** The attribute in front of a path's filter and part; undefined when the schema does not tell of it. */
  attributeAt(path: AttributePath): SchemaAttribute | undefined {
    return find(this.#attributesOf(path) ?? [], path.attribute);
  }

  /** What a path leads to, its part where it has one; undefined when the schema does not tell of it. */
  partAt(path: AttributePath): SchemaAttribute | undefined {
    const attribute = this.attributeAt(path);
    if (attribute === undefined) return undefined;
    const part = path.subAttribute ?? (attribute.isMultiValued ? 'value' : undefined);
    if (part === undefined || !attribute.isComplex) return attribute;
    return find(attribute.subAttributes, part);
  }

  /** The attributes that stand in the resource itself and are the service's alone. */
  get readOnly(): string[] {
    const core = [...(this.#core ?? []), ...common];
    return core.filter(({ isReadOnly }) => isReadOnly).map(({ name }) => name);
  }

  /** How text in a filter of this path is compared. */
  isCaseExact(path: AttributePath): IsCaseExact {
    const attribute = this.attributeAt(path);
    return (part) => find(attribute?.subAttributes ?? [], part)?.isCaseExact ?? false;
  }

  #attributesOf({ schema }: AttributePath): readonly SchemaAttribute[] | undefined {
    if (schema === undefined || isCoreSchema(schema))
      return this.#core && [...this.#core, ...common];
    return this.#schemas.get(schema.toLowerCase());
  }
}

function find(attributes: readonly SchemaAttribute[], name: string): SchemaAttribute | undefined {
  return attributes.find((attribute) => attribute.name.toLowerCase() === name.toLowerCase());
}

function partsOf({ subAttributes, isMultiValued }: SchemaAttribute): string[] {
  const declared = subAttributes.map(({ name }) => name);
  return [...new Set([...declared, ...(isMultiValued ? partsOfElements : [])])];
}

/** The attributes that the filter of a path names. */
function named({ filter }: AttributePath): string[] {
  const names = (each: ValueFilter): string[] => {
    switch (each.operator) {
      case 'and':
      case 'or':
        return [...names(each.left), ...names(each.right)];
      case 'not':
        return names(each.of);
      default:
        return [each.attribute];
    }
  };
  return filter ? names(filter) : [];
}

function nearest(wrong: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `; the nearest is “${closest(wrong, [...names])}”`;
}
