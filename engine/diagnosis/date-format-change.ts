/** Finds a column of dates that are written in another format than before: as updates, as rejects, or as both. */
import { dateReadings, dayAndMonthSwapped } from './date-reading.ts';
import { type Diagnosis, diagnosisOf, type Example } from './diagnosis.ts';
import {
  type ColumnProperty,
  changesOf,
  columnProperties,
  type Evidence,
  fewestCases,
  textOf,
} from './evidence.ts';

/** A change, or a cell that does not convert, that one pair of formats explains. */
interface Explained {
  readonly formats: readonly [before: string, after: string];
  readonly example: Example;
}

/** A property whose changes and rejects are, most of them, the same dates under another format. */
export function dateFormatChanges(evidence: Evidence): Diagnosis[] {
  return columnProperties(evidence.entityType).flatMap((column) => {
    const { property } = column;
    if (property.kind !== 'scalar') return [];
    const { type } = property.format;
    if (type !== 'string' && type !== 'date' && type !== 'datetime') return [];
    const changes = changesOf(evidence.updates, column.name).filter(
      ({ before, after }) => before !== null && after !== null,
    );
    const unfit = unfitOf(evidence, column);
    const all = [...changes, ...unfit];
    const explained = [
      ...changes.flatMap((change) =>
        type === 'string' ? ofTexts(change) : ofDates(change, column),
      ),
      ...unfit.flatMap((cell) => ofUnfit(cell, column)),
    ];
    const formats = mostFrequent(explained);
    if (!formats) return [];
    const fitting = explained.filter((each) => name(each.formats) === name(formats));
    const cases = new Set(fitting.map(({ example }) => example));
    const involved = evidence.updates.length + evidence.unfit.length;
    if (cases.size < fewestCases || cases.size < all.length * 0.8 || cases.size * 2 < involved) {
      return [];
    }
    return [
      diagnosisOf({
        kind: 'dateFormatChange',
        scope: evidence.entityType.name,
        detail: `${column.name}: ${name(formats)}`,
        columns: [column.column],
        examples: [...cases],
      }),
    ];
  });
}

const name = ([before, after]: Explained['formats']) => `${before} → ${after}`;

/** Cells of the column that are no such date, with the date that is stored in their place. */
function unfitOf({ unfit }: Evidence, { name: property, column }: ColumnProperty): Example[] {
  return unfit
    .filter((cell) => cell.column === column)
    .map(({ key, value, stored }) => ({
      key,
      property,
      before: textOf(stored?.[property]),
      after: value.trim(),
    }));
}

/** Two texts that are the same date, read by two formats. */
function ofTexts(example: Example): Explained[] {
  const before = dateReadings(example.before as string);
  const after = dateReadings(example.after as string);
  return before.flatMap(([was, date]) =>
    after
      .filter(([is, same]) => is !== was && same === date)
      .map(([is]) => ({ formats: [was, is] as const, example })),
  );
}

/** Two converted dates whose day and month changed places: what was written for one format is read by the other. */
function ofDates(example: Example, { property }: ColumnProperty): Explained[] {
  const { before, after } = example;
  if (property.kind !== 'scalar' || !('format' in property.format)) return [];
  if (dayAndMonthSwapped((before as string).slice(0, 10)) !== after?.slice(0, 10)) return [];
  const { format } = property.format;
  return [{ formats: [format, withDayAndMonthSwapped(format)], example }];
}

/** A cell that a common format reads as just the date that is stored; as any date, where nothing is. */
function ofUnfit(example: Example, { property }: ColumnProperty): Explained[] {
  if (property.kind !== 'scalar' || !('format' in property.format)) return [];
  const { format } = property.format;
  const stored = example.before?.slice(0, 10);
  return dateReadings(example.after as string)
    .filter(([is, date]) => is !== format && (stored === undefined || stored === date))
    .map(([is]) => ({ formats: [format, is] as const, example }));
}

/** `dd/MM/yyyy` ↔ `MM/dd/yyyy`. */
function withDayAndMonthSwapped(format: string): string {
  return format.replace(/d+|M+/g, (symbols) =>
    (symbols.startsWith('d') ? 'M' : 'd').repeat(symbols.length),
  );
}

function mostFrequent(explained: readonly Explained[]): Explained['formats'] | undefined {
  const counts = new Map<string, { count: number; formats: Explained['formats'] }>();
  for (const { formats } of explained) {
    const counted = counts.get(name(formats)) ?? { count: 0, formats };
    counted.count += 1;
    counts.set(name(formats), counted);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.formats;
}
