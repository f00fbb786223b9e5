/** One property of a resource from its raw cell to its stored value, and whether and why the two differ. */
import type { EntityType, Property } from '../engine/entity-type.ts';
import { propertyConversion, readCell } from '../engine/row-mapping.ts';
import { describeFormat, type Value } from '../engine/value-format.ts';
import type { LinkChange, ResourceChange } from '../store/queries/changes.ts';
import type { ChangeOrigin, HistoryEntry } from '../store/queries/resource-history.ts';
import type { SourceRecord } from './source-record.ts';

/** The change that gave a property the value it has. */
export interface LastChange extends ChangeOrigin {
  readonly line: number | null;
  readonly before: unknown;
  readonly after: unknown;
}

/** **Danger:** identity data; for people, never for a log. */
export interface ExplainedProperty {
  readonly property: string;
  /** The column it is read from; null of an expression, and of what is managed here. */
  readonly column: string | null;
  readonly expression: string | null;
  /** Of a reference: the entity type whose key the value is. */
  readonly references: string | null;
  /** How the source must write it, in words. */
  readonly format: string;
  /** The cell as it stands in the extraction; null where there is none. */
  readonly raw: string | null;
  /** Of an expression: the values it is made from, as converted. */
  readonly inputs: Readonly<Record<string, unknown>> | null;
  /** What the cell means; null for blank, and where there is nothing to convert. */
  readonly converted: Value | null;
  /** Why the cell does not convert. */
  readonly problem: string | null;
  readonly stored: unknown;
  /** Whether the stored value is the converted one; null where that cannot be told here. */
  readonly isAsRead: boolean | null;
  /** Why the stored value is another one, or why that cannot be told; null when all is well or nothing is known. */
  readonly why: string | null;
  /** The cell and value of a newer extraction that was not loaded, where they differ. */
  readonly newer: { readonly raw: string; readonly converted: Value | null } | null;
  readonly lastChange: LastChange | null;
}

/** What is known of the resource whose property is explained. */
export interface PropertyEvidence {
  readonly entityType: EntityType;
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  /** The row that was loaded, and the one of a newer extraction. */
  readonly record: SourceRecord | undefined;
  readonly newerRecord: SourceRecord | undefined;
  /** Property → stored value; of a reference, the key of its target. */
  readonly stored: Readonly<Record<string, unknown>>;
  readonly changes: readonly HistoryEntry<ResourceChange>[];
  readonly linkChanges: readonly HistoryEntry<LinkChange>[];
  /** The key that its link waits for. */
  readonly pending: string | null;
  /** What holds for every value of the resource that is not as it was read. */
  readonly whyNotAsRead: string | null;
}

export function explainProperty(property: Property, evidence: PropertyEvidence): ExplainedProperty {
  const { entityTypes, record, newerRecord } = evidence;
  const { name, origin } = property;
  const column = origin.from === 'column' ? origin.column : null;
  const raw = cellOf(record, column);
  const read = raw === null ? { value: null, problem: null } : convert(property, raw, evidence);
  const stored = evidence.stored[name] ?? null;
  const newerRaw = cellOf(newerRecord, column);
  const isAsRead = raw === null || read.problem !== null ? null : read.value === stored;
  return {
    property: name,
    column,
    expression: origin.from === 'expression' ? origin.expression : null,
    references: property.kind === 'reference' ? property.references : null,
    format: formatOf(property, entityTypes),
    raw,
    inputs: origin.from === 'expression' ? inputsOf(origin.expression, evidence) : null,
    converted: read.value,
    problem: read.problem,
    stored,
    isAsRead,
    why: whyOf(property, evidence, { isAsRead, problem: read.problem }),
    newer:
      newerRaw === null || newerRaw === raw
        ? null
        : { raw: newerRaw, converted: convert(property, newerRaw, evidence).value },
    lastChange: lastChange(property, evidence),
  };
}

function whyOf(
  { origin, kind }: Property,
  { pending, record, whyNotAsRead }: PropertyEvidence,
  { isAsRead, problem }: Pick<ExplainedProperty, 'isAsRead' | 'problem'>,
): string | null {
  if (kind === 'reference' && pending !== null) return `the link waits for ${pending}`;
  if (record === undefined) return null;
  if (origin.from === 'expression') return 'expressions are evaluated by a worker only';
  if (problem !== null) return `it ${problem}, so its row was set aside`;
  return isAsRead === false ? whyNotAsRead : null;
}

function cellOf(record: SourceRecord | undefined, column: string | null): string | null {
  return (column === null ? undefined : record?.cells.get(column)) ?? null;
}

/** As a load does it. */
function convert(
  property: Property,
  cell: string,
  { entityType, entityTypes }: Pick<PropertyEvidence, 'entityType' | 'entityTypes'>,
): { value: Value | null; problem: string | null } {
  const conversion = readCell(cell, propertyConversion(property, entityType, entityTypes));
  if (conversion === undefined) return { value: null, problem: null };
  if ('problem' in conversion) return { value: null, problem: conversion.problem };
  // Links hold keys, which are text.
  const value = property.kind === 'reference' ? String(conversion.value) : conversion.value;
  return { value, problem: null };
}

function formatOf(property: Property, entityTypes: ReadonlyMap<string, EntityType>): string {
  if (property.kind === 'scalar') return describeFormat(property.format);
  const target = entityTypes.get(property.references);
  const key = target?.properties.find(({ name }) => name === target.key);
  const written = key?.kind === 'scalar' ? `, ${describeFormat(key.format)}` : '';
  return `a key of ${property.references}${written}`;
}

/** The other properties that the text of the expression names; those that are expressions themselves, as stored. */
function inputsOf(expression: string, evidence: PropertyEvidence): Record<string, unknown> {
  const { entityType, record, stored } = evidence;
  const named = entityType.properties.filter(({ name }) =>
    new RegExp(`(?<![\\w$])${name}(?!\\w)`).test(expression),
  );
  return Object.fromEntries(
    named.map((property) => {
      const { name, origin } = property;
      if (origin.from === 'expression') return [name, stored[name] ?? null];
      const cell = cellOf(record, origin.column);
      return [name, cell === null ? null : convert(property, cell, evidence).value];
    }),
  );
}

/** The newest applied change that made the value another one. */
export function lastChange(
  { name, kind }: Pick<Property, 'name' | 'kind'>,
  { changes, linkChanges }: Pick<PropertyEvidence, 'changes' | 'linkChanges'>,
): LastChange | null {
  if (kind === 'reference') {
    const entry = linkChanges.find(({ change, at }) => change.property === name && at !== null);
    if (!entry) return null;
    const { change, ...origin } = entry;
    const before = change.change === 'delete' ? change.to : change.previous;
    return { ...origin, before, after: change.change === 'delete' ? null : change.to };
  }
  for (const { change, ...origin } of changes) {
    const [before, after] = [change.before?.[name] ?? null, change.after?.[name] ?? null];
    if (origin.at !== null && before !== after) return { ...origin, before, after };
  }
  return null;
}
