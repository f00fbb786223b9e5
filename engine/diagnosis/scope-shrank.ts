/** Finds what a source has lost since the last load: its end, or all rows of a department. */
import { type Diagnosis, diagnosisOf, type Example } from './diagnosis.ts';
import { type FilesCompared, outOf, spaced } from './evidence.ts';

/** Without a reason that shows, a loss of less than this share of the rows is daily life; and so is one of fewer rows. */
const smallestShare = 0.2;
const fewestRows = 5;

/** Limits at which programs stop writing rows, without the header. */
const exportLimits = new Set([1000, 5000, 10_000, 50_000, 65_535, 65_536, 100_000, 1_048_575]);

interface Vanished {
  readonly column: string;
  readonly value: string;
  /** Share of the rows before. */
  readonly share: number;
}

/** The file has far fewer rows than that of the last load. @param scope an entity type or association */
export function scopeShrank(
  scope: string,
  { last, now }: FilesCompared,
  keyColumns: readonly string[],
): Diagnosis[] {
  const gone = last.total - now.total;
  if (gone < fewestRows) return [];
  const reasons: string[] = [];
  const examples: Example[] = [];
  const vanished = vanishedValues({ last, now }, gone / last.total);
  const isCut = now.soughtAt !== null && Math.abs(now.total - now.soughtAt) <= now.total * 0.05;
  if (isCut) {
    reasons.push(`it ends after record ${spaced(now.total)}, where the file before went on`);
  }
  if (reasons.length + vanished.length === 0 && gone < last.total * smallestShare) return [];
  if (exportLimits.has(now.total)) {
    reasons.push(`${spaced(now.total)} rows is a limit at which programs stop writing`);
  }
  for (const { column, value, share } of vanished) {
    reasons.push(`all rows with ${column}=${value} are gone`);
    const before = `about ${spaced(Math.round(share * last.total))} rows`;
    examples.push({ key: null, property: `${column}=${value}`, before, after: 'none' });
  }
  for (const column of keyColumns) examples.push(...goneKeys(column, { last, now }));
  return [
    diagnosisOf({
      kind: 'scopeShrank',
      scope,
      detail: [`${outOf(now.total, last.total)} rows are left`, ...reasons].join('; '),
      columns: [...new Set(vanished.map(({ column }) => column))],
      examples,
    }),
  ];
}

/** Values that many rows had and none has: those of the column in which they explain the loss best, most frequent first. */
function vanishedValues({ last, now }: FilesCompared, lossShare: number): Vanished[] {
  let best: { vanished: Vanished[]; miss: number } | undefined;
  for (const [column, profile] of last.columns) {
    const left = now.columns.get(column);
    const isCode = profile.values.size * 3 <= profile.filled;
    if (!left || !isCode) continue;
    const vanished = [...profile.values]
      .filter(([value, count]) => count >= 3 && !left.values.has(value))
      .map(([value, count]) => ({ column, value, share: count / last.sampled }))
      .sort((a, b) => b.share - a.share);
    const explained = vanished.reduce((sum, { share }) => sum + share, 0);
    const miss = Math.abs(lossShare - explained) / lossShare + vanished.length * 0.01;
    if (explained >= lossShare * 0.7 && miss < (best?.miss ?? 0.6)) {
      best = { vanished, miss };
    }
  }
  return best?.vanished.slice(0, 3) ?? [];
}

function goneKeys(column: string, { last, now }: FilesCompared): Example[] {
  const left = now.columns.get(column)?.values;
  if (!left || last.sampled < last.total || now.sampled < now.total) return [];
  return [...(last.columns.get(column)?.values.keys() ?? [])]
    .filter((value) => !left.has(value))
    .slice(0, 3)
    .map((value) => ({ key: value, property: column, before: value, after: null }));
}
