/** Blank sources, and columns that had values and have none any more, as if only their heading had been exported. */
import { type Diagnosis, diagnosisOf } from './diagnosis.ts';
import { changesOf, columnProperties, type Evidence, fewestCases } from './evidence.ts';

/** A source without a row, which is never compared. @param scope the connector; the source is named in the detail */
export function blankSource(scope: string, detail: string): Diagnosis {
  return diagnosisOf({ kind: 'blankSource', scope, detail, columns: [], examples: [] });
}

/** Properties that (nearly) all updated resources lose, where most updates are such a loss. */
export function blankColumns({ entityType, updates }: Evidence): Diagnosis[] {
  const lost = columnProperties(entityType).flatMap(({ name, column }) => {
    const had = updates.filter(({ before }) => before[name] !== undefined);
    const examples = changesOf(had, name).filter(({ after }) => after === null);
    const systematic =
      examples.length >= fewestCases &&
      examples.length >= had.length * 0.9 &&
      examples.length * 2 >= updates.length;
    return systematic ? [{ name, column, examples }] : [];
  });
  if (lost.length === 0) return [];
  return [
    diagnosisOf({
      kind: 'blankSource',
      scope: entityType.name,
      detail: `no values any more: ${lost.map(({ name }) => name).join(', ')}`,
      columns: lost.map(({ column }) => column),
      examples: lost.flatMap(({ examples }) => examples.slice(0, 3)),
    }),
  ];
}
