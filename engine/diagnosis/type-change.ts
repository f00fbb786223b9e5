/** Finds columns that hold another kind of value than what is stored: numbers that became text, dates of another form. */

import type { EntityType } from '../entity-type.ts';
import { type Diagnosis, diagnosisOf, type Example } from './diagnosis.ts';
import { type Attributes, columnProperties, textOf, type UnfitValue } from './evidence.ts';
import { kindOfColumn, kindOfFormat, otherKind, type ValueKind } from './value-kind.ts';

/** What is stored of an entity type, and what of its source is new. */
export interface TypeEvidence {
  readonly entityType: EntityType;
  /** A sample of what is stored. */
  readonly stored: readonly Attributes[];
  /** A sample of the new rows that can be used. */
  readonly fresh: readonly Attributes[];
  readonly unfit: readonly UnfitValue[];
  /** Column → how many cells of it do not convert. */
  readonly unfitCounts: ReadonlyMap<string, number>;
  /** How many rows are new, usable or not. */
  readonly staged: number;
}

/** The properties of type `string` whose stored values are all of one kind, with that kind. */
export function storedKinds(
  entityType: EntityType,
  stored: readonly Attributes[],
): Map<string, ValueKind> {
  const kinds = new Map<string, ValueKind>();
  for (const { name, property } of columnProperties(entityType)) {
    if (property.kind !== 'scalar' || property.format.type !== 'string') continue;
    const kind = kindOfColumn(textsOf(stored, name));
    if (kind !== undefined) kinds.set(name, kind);
  }
  return kinds;
}

/** One diagnosis for each column whose values are of another kind. */
export function typeChanges(evidence: TypeEvidence): Diagnosis[] {
  const { entityType, stored, fresh, unfit, unfitCounts, staged } = evidence;
  const kinds = storedKinds(entityType, stored);
  return columnProperties(entityType).flatMap(({ name, column, property }) => {
    if (property.kind !== 'scalar') return [];
    const expected = kindOfFormat(property.format);
    const examples: Example[] = [];
    let was = kinds.get(name);
    let is: ValueKind | undefined;
    if (expected === undefined) {
      const texts = textsOf(fresh, name);
      is = was === undefined ? undefined : otherKind(was, texts);
      const before = textsOf(stored, name);
      examples.push(
        ...texts.slice(0, 3).map((after, at) => ({
          key: null,
          property: name,
          before: before[at] ?? null,
          after,
        })),
      );
    } else if ((unfitCounts.get(column) ?? 0) * 2 >= staged) {
      const cells = unfit.filter((cell) => cell.column === column);
      was = expected;
      is = otherKind(
        expected,
        cells.map(({ value }) => value.trim()),
      );
      examples.push(
        ...cells.slice(0, 3).map(({ key, value, stored: resource }) => ({
          key,
          property: name,
          before: textOf(resource?.[name]),
          after: value.trim(),
        })),
      );
    }
    if (is === undefined) return [];
    return [
      diagnosisOf({
        kind: 'typeChange',
        scope: entityType.name,
        detail: `${name}: ${was} → ${is}`,
        columns: [column],
        examples,
      }),
    ];
  });
}

function textsOf(all: readonly Attributes[], property: string): string[] {
  return all.flatMap((attributes) => textOf(attributes[property]) ?? []);
}
