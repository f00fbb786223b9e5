/** Finds resources that go under one key and come back under another: a prefix, other capitals, another column. */
import { type Diagnosis, diagnosisOf, type Example } from './diagnosis.ts';
import {
  type Evidence,
  fewestCases,
  type KeyedResource,
  type KeyOrigin,
  outOf,
  type Replacement,
} from './evidence.ts';

/** The configuration names another key than at the last load, or most inserted resources are deleted ones. */
export function keyChange(evidence: Evidence): Diagnosis[] {
  const { entityType, counts, rekeyed, rekeyedAmong, formerKey } = evidence;
  const origin = entityType.properties.find(({ name }) => name === entityType.key)?.origin;
  const column = origin?.from === 'column' ? origin.column : null;
  const systematic = rekeyed.length >= fewestCases && rekeyed.length * 2 >= rekeyedAmong;
  const moves = counts.inserted + counts.deleted > 0;
  if (!systematic && !(formerKey && moves)) return [];
  const detail =
    formerKey === null
      ? `${wayOfChange(rekeyed)}: ${outOf(Math.round((rekeyed.length / rekeyedAmong) * counts.inserted), counts.inserted)} inserted resources are deleted ones under another key`
      : `the key was ${originText(formerKey)} at the last load and is ${originText({ property: entityType.key, column })}`;
  return [
    diagnosisOf({
      kind: 'keyChange',
      scope: entityType.name,
      detail,
      columns: [...new Set([formerKey?.column ?? column, column])].filter((name) => name !== null),
      examples: rekeyed.map(
        ({ before, after }): Example => ({ key: before, property: entityType.key, before, after }),
      ),
    }),
  ];
}

function originText({ property, column }: KeyOrigin): string {
  return `${property} (${column === null ? 'an expression' : `column ${column}`})`;
}

/** What all of the keys have undergone, in words. */
function wayOfChange(rekeyed: readonly Replacement[]): string {
  const all = (is: (one: Replacement) => boolean) => rekeyed.length > 0 && rekeyed.every(is);
  if (all(({ before, after }) => before.toLowerCase() === after.toLowerCase())) {
    return 'capitals differ';
  }
  const [first] = rekeyed as readonly [Replacement, ...Replacement[]];
  for (const [long, short, what] of [
    ['after', 'before', 'was added'],
    ['before', 'after', 'was taken away'],
  ] as const) {
    if (first[long].length <= first[short].length) continue;
    const extra = first[long].length - first[short].length;
    const prefix = first[long].slice(0, extra);
    const suffix = first[long].slice(first[short].length);
    if (all((one) => one[long] === prefix + one[short])) return `the prefix “${prefix}” ${what}`;
    if (all((one) => one[long] === one[short] + suffix)) return `the suffix “${suffix}” ${what}`;
  }
  return 'other keys';
}

/** So many characters of a prefix or suffix are tried. */
const longestAffix = 24;

/**
 * The deleted keys that inserted ones may have been: in other capitals, or without (or with) what all of the inserted (or
 * deleted) keys begin or end with. Many of them are no deleted keys at all.
 */
export function formerKeys(
  inserts: readonly KeyedResource[],
  deletes: readonly KeyedResource[],
): Replacement[] {
  const inserted = inserts.map(({ key }) => key);
  const deleted = deletes.map(({ key }) => key);
  const byFolded = new Map(deleted.map((key) => [key.toLowerCase(), key]));
  const many = inserted.length >= fewestCases && deleted.length >= fewestCases;
  const added = many ? affixes(inserted) : none;
  const taken = many ? affixes(deleted) : none;
  return inserted.flatMap((after) =>
    [
      byFolded.get(after.toLowerCase()) ?? '',
      ...added.prefixes.map((prefix) => after.slice(prefix.length)),
      ...added.suffixes.map((suffix) => after.slice(0, -suffix.length)),
      ...taken.prefixes.map((prefix) => prefix + after),
      ...taken.suffixes.map((suffix) => after + suffix),
    ]
      .filter((before) => before !== '' && before !== after)
      .map((before) => ({ key: null, before, after })),
  );
}

/** True when two resources are as good as the same but for their keys: half of what they say of themselves agrees. */
export function agree(one: KeyedResource, other: KeyedResource, key: string): boolean {
  const names = [...new Set([...Object.keys(one.attributes), ...Object.keys(other.attributes)])];
  const others = names.filter((name) => name !== key);
  const equal = others.filter((name) => one.attributes[name] === other.attributes[name]);
  return equal.length * 2 >= others.length;
}

const none = { prefixes: [] as string[], suffixes: [] as string[] };

/** All prefixes and suffixes that the texts have in common. */
function affixes(texts: readonly string[]): typeof none {
  let prefix = (texts[0] ?? '').slice(0, longestAffix);
  let suffix = (texts[0] ?? '').slice(-longestAffix);
  for (const text of texts) {
    while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
    while (!text.endsWith(suffix)) suffix = suffix.slice(1);
  }
  return {
    prefixes: Array.from(prefix, (_, index) => prefix.slice(0, index + 1)),
    suffixes: Array.from(suffix, (_, index) => suffix.slice(index)),
  };
}
