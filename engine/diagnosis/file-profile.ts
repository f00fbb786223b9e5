/** What the columns of a file look like: how full, how long, of which shape, which values; and how alike two columns are. */

/** Records of a file, evenly spread over it, as cells. */
export interface FileSample {
  readonly header: readonly string[];
  readonly records: readonly (readonly string[])[];
  /** How many records the file has. */
  readonly total: number;
  /** Where in the file (counted from 1) the record stands that was asked for; null when it does not. */
  readonly soughtAt: number | null;
}

/** One column as its sample shows it. */
export interface ColumnProfile {
  /** Cells that are not blank. */
  readonly filled: number;
  readonly blank: number;
  /** Mean length of the filled cells. */
  readonly length: number;
  /** Shape (`A+ a+ 9+` …) → its share of the filled cells. */
  readonly shapes: ReadonlyMap<string, number>;
  /** Value → how often. */
  readonly values: ReadonlyMap<string, number>;
  /** The first few, as examples. */
  readonly someValues: readonly string[];
}

export interface FileProfile {
  readonly total: number;
  /** How many records the profile was made from. */
  readonly sampled: number;
  readonly header: readonly string[];
  readonly columns: ReadonlyMap<string, ColumnProfile>;
  readonly soughtAt: number | null;
}

/** Profiles the columns of these names; one the file does not have is left out. */
export function profileFile(sample: FileSample, columns: readonly string[]): FileProfile {
  const { header, records, total, soughtAt } = sample;
  const profiles = new Map<string, ColumnProfile>();
  for (const column of columns) {
    const position = header.indexOf(column);
    if (position === -1) continue;
    profiles.set(column, profileColumn(records.map((cells) => (cells[position] ?? '').trim())));
  }
  return { total, sampled: records.length, header, columns: profiles, soughtAt };
}

/** Profiles the cells of a column, trimmed. */
export function profileColumn(cells: readonly string[]): ColumnProfile {
  const filled = cells.filter((cell) => cell !== '');
  const values = tally(filled);
  const shapes = tally(filled.map(shapeOf));
  const characters = filled.reduce((sum, cell) => sum + cell.length, 0);
  return {
    filled: filled.length,
    blank: cells.length - filled.length,
    length: filled.length === 0 ? 0 : characters / filled.length,
    shapes: new Map([...shapes].map(([shape, count]) => [shape, count / filled.length])),
    values,
    someValues: [...values.keys()].slice(0, 3),
  };
}

function tally(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** The kinds of characters in a text, in order, however often each: `J.-P. Nuñez` is `A.-A. Aa`. */
export function shapeOf(text: string): string {
  return text
    .slice(0, 40)
    .replace(/\p{Nd}+/gu, '9')
    .replace(/\p{Lu}+/gu, 'A')
    .replace(/[\p{Ll}\p{Lo}\p{Lt}\p{Lm}\p{M}]+/gu, 'a');
}

/**
 * How alike two columns are, from 0 to 1: the values they share where they do, else the shapes of their values; how long
 * these are and how many are blank counts a little.
 */
export function likeness(one: ColumnProfile, other: ColumnProfile): number {
  const shared = Math.max(sharedValues(one, other), sharedShapes(one, other) * 0.8);
  const length = closeness(one.length, other.length);
  const fill = closeness(fillOf(one), fillOf(other));
  return 0.7 * shared + 0.15 * length + 0.15 * fill;
}

/** Share of the filled cells of one that hold a value which the other holds too. */
function sharedValues(one: ColumnProfile, other: ColumnProfile): number {
  let shared = 0;
  for (const [value, count] of one.values) if (other.values.has(value)) shared += count;
  return one.filled === 0 ? 0 : shared / one.filled;
}

function sharedShapes(one: ColumnProfile, other: ColumnProfile): number {
  let shared = 0;
  for (const [shape, share] of one.shapes) shared += Math.min(share, other.shapes.get(shape) ?? 0);
  return shared;
}

function closeness(one: number, other: number): number {
  const larger = Math.max(one, other);
  return larger === 0 ? 1 : Math.min(one, other) / larger;
}

function fillOf({ filled, blank }: ColumnProfile): number {
  return filled + blank === 0 ? 0 : filled / (filled + blank);
}
