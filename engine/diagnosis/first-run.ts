/** Recognises a first load, and tells what a reviewer should know of it: how many rows, and how good their keys are. */
import { type Diagnosis, diagnosisOf, type Example } from './diagnosis.ts';
import { outOf, type ScopeCounts, spaced } from './evidence.ts';

/** What a first load brings. */
export interface FirstRows {
  readonly scope: string;
  readonly counts: ScopeCounts;
  /** Rejects by code. */
  readonly rejects: ReadonlyMap<string, number>;
  /** Columns of the key, or of the two ends of an association. */
  readonly keyColumns: readonly string[];
  readonly examples: readonly Example[];
}

/** Nothing of this scope is stored. */
export function firstRun({ scope, counts, rejects, keyColumns, examples }: FirstRows): Diagnosis {
  const { inserted, read } = counts;
  const faults = [...rejects].map(([code, count]) => `${spaced(count)} ${code}`);
  const quality = faults.length === 0 ? 'no rejects' : `rejects: ${faults.join(', ')}`;
  const used = read === 0 ? `${spaced(inserted)} inserts` : `${outOf(inserted, read)} rows are new`;
  return diagnosisOf({
    kind: 'firstRun',
    scope,
    detail: `nothing was stored before; ${used}, ${quality}`,
    columns: keyColumns,
    examples,
  });
}
