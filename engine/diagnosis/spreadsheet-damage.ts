/** Recognises what spreadsheets do to text that they take for numbers or dates, from a value before and after. */
import { dateOfSerial, dateReadings } from './date-reading.ts';
import { type Diagnosis, type DiagnosisKind, diagnosisOf, type Example } from './diagnosis.ts';
import { fewestCases, spaced } from './evidence.ts';

/** The kinds of damage, each a diagnosis. */
export type Damage = Extract<
  DiagnosisKind,
  'lostLeadingZeros' | 'scientificNotation' | 'dateSerialNumber'
>;

const inWords: Record<Damage, string> = {
  lostLeadingZeros: 'have lost their leading zeros',
  scientificNotation: 'were rounded to scientific notation',
  dateSerialNumber: 'became day numbers of a spreadsheet',
};

/** What happened to a value, if it is such damage. A date before is ISO 8601 or any common format. */
export function damageOf(before: string, after: string): Damage | undefined {
  if (/^0\d+$/.test(before)) {
    return before.replace(/^0+(?=\d)/, '') === after ? 'lostLeadingZeros' : undefined;
  }
  if (/^\d{9,}$/.test(before)) return isRounded(before, after) ? 'scientificNotation' : undefined;
  const date = dateOfSerial(after);
  if (date === undefined) return undefined;
  return dateReadings(before).some(([, was]) => was === date) ? 'dateSerialNumber' : undefined;
}

/** `123456789012` → `1.23457E+11`, with any number of digits and either decimal separator. */
function isRounded(before: string, after: string): boolean {
  const [, whole, fraction = '', exponent] =
    /^(\d)(?:[.,](\d+))?[eE]\+?(\d{1,3})$/.exec(after) ?? [];
  if (whole === undefined || Number(exponent) !== before.length - 1) return false;
  const shown = Number(`${whole}.${fraction || '0'}`);
  const exact = Number(`${before[0]}.${before.slice(1)}`);
  return Math.abs(shown - exact) <= 0.5 * 10 ** -fraction.length;
}

/** Damaged values of one column. */
export interface DamagedColumn {
  readonly damage: Damage;
  readonly property: string;
  readonly column: string;
  /** How many values are damaged, exactly or as far as they were counted. */
  readonly count: number;
  readonly examples: readonly Example[];
}

/** Sorts values before and after by what happened to them; a column needs {@link fewestCases} of a kind. */
export function findDamage(
  values: readonly Example[],
  columns: ReadonlyMap<string, string>,
): DamagedColumn[] {
  const found = new Map<string, DamagedColumn & { examples: Example[] }>();
  for (const example of values) {
    const { property, before, after } = example;
    const damage = before === null || after === null ? undefined : damageOf(before, after);
    if (!damage) continue;
    const id = `${damage} ${property}`;
    const column = columns.get(property) ?? property;
    const known = found.get(id) ?? { damage, property, column, count: 0, examples: [] };
    known.examples.push(example);
    found.set(id, { ...known, count: known.examples.length });
  }
  return [...found.values()].filter(({ count }) => count >= fewestCases);
}

/** The diagnosis of a damaged column. @param scope the entity type or association */
export function damageDiagnosis(scope: string, damaged: DamagedColumn): Diagnosis {
  return diagnosisOf({
    kind: damaged.damage,
    scope,
    detail: `${damaged.property}: ${spaced(damaged.count)} values ${inWords[damaged.damage]}`,
    columns: [damaged.column],
    examples: damaged.examples,
  });
}

/** One damaged column in words that hold no value. */
export function describeDamage(scope: string, { damage, column, count }: DamagedColumn): string {
  return `${spaced(count)} values of column “${column}” of ${scope} ${inWords[damage]}`;
}
