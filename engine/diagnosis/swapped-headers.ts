/** Finds two headings that changed places: by the rows whose two values did, else by what the columns held before. */
import { type Diagnosis, diagnosisOf, type Example } from './diagnosis.ts';
import {
  type ColumnProperty,
  columnProperties,
  type Evidence,
  fewestCases,
  textOf,
  type UpdatedResource,
} from './evidence.ts';
import { likeness } from './file-profile.ts';

/** So much better a column must look like the other's past than like its own. */
const clearlyBetter = 0.25;
const alikeEnough = 0.5;

interface Swap {
  readonly pair: readonly [ColumnProperty, ColumnProperty];
  readonly examples: readonly Example[];
  readonly strength: number;
}

/** Each column is part of at most one swap: the one that most rows, or the clearest profiles, speak for. */
export function swappedHeaders(evidence: Evidence): Diagnosis[] {
  const columns = columnProperties(evidence.entityType);
  const swaps: Swap[] = [];
  for (const [index, a] of columns.entries()) {
    for (const b of columns.slice(index + 1)) {
      if (a.column === b.column) continue;
      const swap =
        isPlain(a, evidence) && isPlain(b, evidence)
          ? swapInRows([a, b], evidence.updates)
          : swapInFiles([a, b], evidence);
      if (swap) swaps.push(swap);
    }
  }
  const taken = new Set<string>();
  return swaps
    .sort((one, other) => other.strength - one.strength)
    .filter(({ pair }) => {
      const free = pair.every(({ column }) => !taken.has(column));
      if (free) for (const { column } of pair) taken.add(column);
      return free;
    })
    .map(({ pair, examples }) =>
      diagnosisOf({
        kind: 'swappedHeaders',
        scope: evidence.entityType.name,
        detail: pair.map(({ name }) => name).join(', '),
        columns: pair.map(({ column }) => column),
        examples,
      }),
    );
}

/** Text that takes any value: were its heading swapped with such another, every row would be an update of both. */
function isPlain({ name, property }: ColumnProperty, { entityType }: Evidence): boolean {
  return property.kind === 'scalar' && property.format.type === 'string' && name !== entityType.key;
}

function swapInRows(
  pair: readonly [ColumnProperty, ColumnProperty],
  updates: readonly UpdatedResource[],
): Swap | undefined {
  const [a, b] = pair;
  const swapped = updates.filter(
    ({ before, after }) =>
      before[a.name] !== before[b.name] &&
      before[a.name] === after[b.name] &&
      before[b.name] === after[a.name],
  );
  if (swapped.length < fewestCases || swapped.length * 2 < updates.length) return undefined;
  return {
    pair,
    strength: 1 + swapped.length,
    examples: swapped.map(({ key, before, after }) => ({
      key,
      property: a.name,
      before: textOf(before[a.name]),
      after: textOf(after[a.name]),
    })),
  };
}

function swapInFiles(
  pair: readonly [ColumnProperty, ColumnProperty],
  { files }: Evidence,
): Swap | undefined {
  const [a, b] = pair;
  const now = pair.map(({ column }) => files?.now.columns.get(column));
  const last = pair.map(({ column }) => files?.last.columns.get(column));
  const [nowA, nowB] = now;
  const [lastA, lastB] = last;
  if (!nowA || !nowB || !lastA || !lastB) return undefined;
  const crossed = Math.min(likeness(nowA, lastB), likeness(nowB, lastA));
  const own = Math.max(likeness(nowA, lastA), likeness(nowB, lastB));
  if (crossed < alikeEnough || crossed - own < clearlyBetter) return undefined;
  if (Math.min(nowA.filled, nowB.filled) < fewestCases) return undefined;
  return {
    pair,
    strength: crossed - own,
    examples: nowA.someValues.map((after, index) => ({
      key: null,
      property: index % 2 === 0 ? a.name : b.name,
      before: (index % 2 === 0 ? lastA : lastB).someValues[index] ?? null,
      after: index % 2 === 0 ? after : (nowB.someValues[index] ?? null),
    })),
  };
}
