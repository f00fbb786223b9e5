/** Turns the cells of one source row into a resource, its references or a link, or says why it cannot. */
import { type ValueKind, valueKind } from './diagnosis/value-kind.ts';
import type { Association, EntityType, Property } from './entity-type.ts';
import { errorOf } from './error-cell.ts';
import type { RejectCode } from './errors.ts';
import { keyProblem, searchProblem } from './key-text.ts';
import { shapeProblem } from './row-shape.ts';
import {
  type Conversion,
  type Convert,
  compileConversion,
  type Value,
  type ValueFormat,
} from './value-format.ts';

/** A row as the store will hold it: blank cells have no attribute and no reference. */
export interface MappedResource {
  readonly key: string;
  readonly attributes: Readonly<Record<string, Value>>;
  /** Reference property → key of its target. */
  readonly references: Readonly<Record<string, string>>;
}

export interface MappedLink {
  readonly from: string;
  readonly to: string;
}

/** Why a row is set aside; `key` where it is known. */
export interface RowProblem {
  readonly code: RejectCode;
  readonly key: string | null;
  readonly column: string | null;
  readonly value: string | null;
  readonly message: string;
}

export type Mapped<T> = { readonly mapped: T } | { readonly problem: RowProblem };

/** Evaluates an expression over the row's properties; a rejected promise's message says why it cannot. */
export type Evaluate = (row: Readonly<Record<string, Value>>) => Promise<unknown>;

/** Positions of columns in a header, found by name. */
export class Header {
  readonly names: readonly string[];
  readonly #positions: ReadonlyMap<string, number>;

  /** White space around a heading is not part of it. */
  constructor(cells: readonly string[]) {
    this.names = cells.map((cell) => cell.trim());
    this.#positions = new Map(this.names.map((name, index) => [name, index]));
  }

  /** Headings that appear more than once among these columns. */
  repeated(columns: readonly string[]): string[] {
    return columns.filter(
      (column) => this.names.indexOf(column) !== this.names.lastIndexOf(column),
    );
  }

  missing(columns: readonly string[]): string[] {
    return columns.filter((column) => !this.#positions.has(column));
  }

  /** @throws RangeError when there is no such column; check `missing` first. */
  position(column: string): number {
    const position = this.#positions.get(column);
    if (position === undefined) throw new RangeError(`no column ${column}`);
    return position;
  }
}

/**
 * Returns the conversion of a text that refers to a resource of this entity type by key, so that `007` finds the
 * resource whose integer key is 7.
 */
export function keyConversion(target: EntityType): Convert {
  return checked(compileConversion(keyFormat(target)), keyProblem);
}

/** What the keys of an entity type are. */
export function keyFormat(target: EntityType): ValueFormat {
  const key = target.properties.find(({ name }) => name === target.key);
  return key?.kind === 'scalar' ? key.format : { type: 'string' };
}

/** A conversion whose texts must pass one more check. */
function checked(convert: Convert, check: (text: string) => string | undefined): Convert {
  return (text) => {
    const conversion = convert(text);
    if ('problem' in conversion || typeof conversion.value !== 'string') return conversion;
    const problem = check(conversion.value);
    return problem === undefined ? conversion : { problem };
  };
}

/** A property, the column where it comes from one, and what a text means to it. */
export interface PropertySource {
  readonly property: Property;
  readonly convert: Convert;
  readonly position: number | undefined;
  /** A text that could be a key means itself. */
  readonly isText: boolean;
}

interface CompiledProperty extends PropertySource {
  readonly evaluate: Evaluate | undefined;
}

/**
 * Compiles the mapping of an entity type against the header of its source.
 *
 * Cells are trimmed; a blank cell has no value. Expressions see the converted column properties and the expressions
 * declared before them.
 *
 * @param targets every entity type that a property may reference, by name
 * @param evaluators one for each property with an expression, by property name
 * @param kinds the kind of text that a property takes only, where its stored values decide on that
 */
export function compileEntityMapping(
  entityType: EntityType,
  header: Header,
  targets: ReadonlyMap<string, EntityType>,
  evaluators: ReadonlyMap<string, Evaluate>,
  kinds: ReadonlyMap<string, ValueKind> = new Map(),
): (cells: readonly string[]) => Mapped<MappedResource> | Promise<Mapped<MappedResource>> {
  const compiled = propertySources(entityType, header, targets, kinds).map(
    (source): CompiledProperty => ({ ...source, evaluate: evaluators.get(source.property.name) }),
  );
  const fromColumns = compiled.filter(({ position }) => position !== undefined);
  const fromExpressions = compiled.filter(({ evaluate }) => evaluate !== undefined);
  const key = entityType.properties.find(({ name }) => name === entityType.key) as Property;

  return (cells) => {
    const misshapen = shapeProblem(cells, header.names);
    if (misshapen !== undefined) return { problem: malformed(misshapen) };
    const row = new RowInProgress(key, fromExpressions.length > 0);
    for (const { property, convert, position } of fromColumns) {
      row.take(property, cells[position as number] as string, convert);
    }
    return fromExpressions.length === 0 ? row.finish() : evaluateAll(row, fromExpressions);
  };
}

/** Where the properties of an entity type come from, in their order; for the parameters see {@link compileEntityMapping}. */
export function propertySources(
  entityType: EntityType,
  header: Header,
  targets: ReadonlyMap<string, EntityType>,
  kinds: ReadonlyMap<string, ValueKind> = new Map(),
): PropertySource[] {
  return entityType.properties.map((property): PropertySource => {
    const { name, origin } = property;
    const format =
      property.kind === 'scalar'
        ? property.format
        : keyFormat(namedTarget(property.references, targets));
    return {
      property,
      convert: ofKind(kinds.get(name), propertyConversion(property, entityType, targets)),
      position: origin.from === 'column' ? header.position(origin.column) : undefined,
      isText: format.type === 'string' && !kinds.has(name),
    };
  });
}

async function evaluateAll(
  row: RowInProgress,
  expressions: readonly CompiledProperty[],
): Promise<Mapped<MappedResource>> {
  for (const { property, convert, evaluate } of expressions) {
    if (row.failed || evaluate === undefined) break;
    try {
      row.takeResult(property, await evaluate(row.values), convert);
    } catch (error) {
      row.fail(property, null, `the expression failed: ${(error as Error).message}`);
    }
  }
  return row.finish();
}

function ofKind(kind: ValueKind | undefined, convert: Convert): Convert {
  if (kind === undefined) return convert;
  const problem = `is not of the kind that the stored values are (${kind})`;
  return (text) => (valueKind(text) === kind ? convert(text) : { problem });
}

/** The conversion of a property's text, as a load makes it: keys and searchable values have more rules than others. */
export function propertyConversion(
  property: Property,
  entityType: EntityType,
  targets: ReadonlyMap<string, EntityType>,
): Convert {
  if (property.name === entityType.key) return keyConversion(entityType);
  if (property.kind === 'scalar') {
    const convert = compileConversion(property.format);
    return entityType.searchable.includes(property.name)
      ? checked(convert, searchProblem)
      : convert;
  }
  return keyConversion(namedTarget(property.references, targets));
}

function namedTarget(name: string, targets: ReadonlyMap<string, EntityType>): EntityType {
  const target = targets.get(name);
  if (!target) throw new RangeError(`no entity type ${name}`);
  return target;
}

/** What a cell means to a property: cells are trimmed, and a blank one has no value. */
export function readCell(cell: string, convert: Convert): Conversion | undefined {
  const text = cell.trim();
  if (text === '') return undefined;
  return errorOf(text) === undefined ? convert(text) : { problem: formulaFailed };
}

/** Collects the values of one row; the first problem is kept, further ones are added to its message. */
class RowInProgress {
  /** What expressions see: attributes, and the keys that references hold. Kept only where there are expressions. */
  readonly values: Record<string, Value> = {};
  readonly #keepsValues: boolean;
  readonly #attributes: Record<string, Value> = {};
  readonly #references: Record<string, string> = {};
  readonly #keyProperty: Property;
  #problem: RowProblem | undefined;
  #keyFailed = false;

  constructor(keyProperty: Property, keepsValues: boolean) {
    this.#keyProperty = keyProperty;
    this.#keepsValues = keepsValues;
  }

  get failed(): boolean {
    return this.#problem !== undefined;
  }

  take(property: Property, cell: string, convert: Convert): void {
    const conversion = readCell(cell, convert);
    if (conversion === undefined) return;
    if ('problem' in conversion)
      this.fail(property, errorOf(cell.trim()) ?? cell, conversion.problem);
    else this.#set(property, conversion.value);
  }

  takeResult(property: Property, result: unknown, convert: Convert): void {
    if (result === undefined || result === null || result === '') return;
    if (typeof result === 'object' || typeof result === 'function') {
      this.fail(property, null, 'the expression gives neither text, number nor boolean');
      return;
    }
    this.take(property, String(result), convert);
  }

  fail(property: Property, value: string | null, reason: string): void {
    const column = columnOf(property);
    const message = `${property.name} ${reason}`;
    if (property === this.#keyProperty) this.#keyFailed = true;
    this.#problem = this.#problem
      ? { ...this.#problem, message: `${this.#problem.message}; also ${message}` }
      : { code: 'ValueInvalid', key: null, column, value, message };
  }

  finish(): Mapped<MappedResource> {
    const { name } = this.#keyProperty;
    const key = Object.hasOwn(this.#attributes, name) ? String(this.#attributes[name]) : null;
    if (key === null && this.#keyIsBlank) return { problem: this.#keyMissing() };
    if (this.#problem || key === null) {
      return { problem: { ...(this.#problem as RowProblem), key } };
    }
    return { mapped: { key, attributes: this.#attributes, references: this.#references } };
  }

  /** True unless the key has a value that does not convert, or an expression that was not reached. */
  get #keyIsBlank(): boolean {
    return (
      !this.#keyFailed &&
      (this.#keyProperty.origin.from === 'column' || this.#problem === undefined)
    );
  }

  #keyMissing(): RowProblem {
    const column = columnOf(this.#keyProperty);
    const also = this.#problem ? `; also ${this.#problem.message}` : '';
    const message = `${this.#keyProperty.name} is blank${also}`;
    return { code: 'KeyMissing', key: null, column, value: null, message };
  }

  #set(property: Property, value: Value): void {
    if (this.#keepsValues) this.values[property.name] = value;
    if (property.kind === 'reference') this.#references[property.name] = String(value);
    else this.#attributes[property.name] = value;
  }
}

/** The source's name of a property; an expression has only its own. */
function columnOf({ name, origin }: Property): string {
  return origin.from === 'column' ? origin.column : name;
}

/** Where a link's ends come from: `from`, then `to`. */
export function endSources(
  { from, to }: Association,
  header: Header,
  targets: ReadonlyMap<string, EntityType>,
) {
  return [from, to].map(({ entityType, column }) => {
    const target = namedTarget(entityType, targets);
    const isText = keyFormat(target).type === 'string';
    return { column, position: header.position(column), convert: keyConversion(target), isText };
  });
}

/** Compiles an association against the header of its source: each row becomes one link. */
export function compileAssociationMapping(
  association: Association,
  header: Header,
  targets: ReadonlyMap<string, EntityType>,
): (cells: readonly string[]) => Mapped<MappedLink> {
  const ends = endSources(association, header, targets);
  return (cells) => {
    const misshapen = shapeProblem(cells, header.names);
    if (misshapen !== undefined) return { problem: malformed(misshapen) };
    const keys: string[] = [];
    for (const { column, position, convert } of ends) {
      const cell = cells[position] as string;
      const text = cell.trim();
      if (text === '') {
        return {
          problem: {
            code: 'KeyMissing',
            key: null,
            column,
            value: cell,
            message: `${column} is blank`,
          },
        };
      }
      const error = errorOf(text);
      if (error !== undefined) {
        const message = `${column} ${formulaFailed}`;
        return { problem: { code: 'ValueInvalid', key: null, column, value: error, message } };
      }
      const conversion = convert(text);
      if ('problem' in conversion) {
        const message = `${column} ${conversion.problem}`;
        return { problem: { code: 'ValueInvalid', key: null, column, value: cell, message } };
      }
      keys.push(String(conversion.value));
    }
    const [from, to] = keys as [string, string];
    return { mapped: { from, to } };
  };
}

const formulaFailed = 'is the error of a formula, not a value';

function malformed(message: string): RowProblem {
  return { code: 'RowMalformed', key: null, column: null, value: null, message };
}
