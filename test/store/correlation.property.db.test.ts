/** Correlation in SQL against the same rules in plain JavaScript, on people that resemble one another in every way. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type CorrelationIgnore,
  type CorrelationRule,
  correlationIgnores,
} from '../../engine/mapping.ts';
import { type MappedStore, openMappedStore, type Resources } from '../support/mapped-store.ts';

let mapped: MappedStore;
beforeAll(async () => {
  mapped = await openMappedStore();
});
afterAll(() => mapped[Symbol.asyncDispose]());

const alphabet = [
  'a',
  'A',
  'b',
  'é',
  'É',
  'e\u0301',
  'e',
  'ß',
  'ss',
  'ﬁ',
  'İ',
  'ς',
  'Σ',
  '@x',
  '@y',
  ' ',
];
const word = fc
  .array(fc.constantFrom(...alphabet), { maxLength: 3 })
  .map((parts) => parts.join(''));
const value = fc.option(
  fc.oneof({ weight: 6, arbitrary: word }, fc.integer({ min: 0, max: 2 }), fc.boolean()),
  {
    nil: undefined,
  },
);
const person = fc.record({ p: value, q: value });
const pair = fc.record({
  source: fc.constantFrom('p', 'q'),
  target: fc.constantFrom('p', 'q'),
  ignore: fc.uniqueArray(fc.constantFrom(...correlationIgnores)),
});
const rule: fc.Arbitrary<CorrelationRule> = fc.record({
  pairs: fc.array(pair, { minLength: 1, maxLength: 2 }),
});

const marks = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/g;
const bare = (text: string) => text.normalize('NFKD').replace(marks, '');
const folded = (text: string) => text.toUpperCase().toLowerCase();

/** What is compared of a value; undefined when it is blank. */
function compared(given: unknown, ignore: readonly CorrelationIgnore[]): string | undefined {
  if (given === undefined || given === null) return undefined;
  let text = String(given);
  const ignoresCase = ignore.includes('case');
  if (ignore.includes('emailDomain')) text = text.replace(/@[^@]*$/, '');
  if (ignore.includes('accents')) text = bare(ignoresCase ? folded(bare(text)) : text);
  else text = (ignoresCase ? folded(text.normalize('NFC')) : text).normalize('NFC');
  return /\S/.test(text) ? text : undefined;
}

type People = Record<string, Record<string, unknown>>;

/** Account → what is to be found of it, by looking at every pair one after the other. */
function expected(
  sources: People,
  targets: People,
  rules: readonly CorrelationRule[],
  matched: ReadonlyMap<string, string>,
  refused: ReadonlySet<string>,
) {
  const candidates = new Map<string, string[]>();
  for (const [key, account] of Object.entries(sources)) {
    if (matched.has(key)) continue;
    for (const { pairs } of rules) {
      const found = Object.keys(targets).filter(
        (other) =>
          !refused.has(`${key} ${other}`) &&
          pairs.every(({ source, target, ignore }) => {
            const text = compared(account[source], ignore);
            return text !== undefined && text === compared(targets[other]?.[target], ignore);
          }),
      );
      if (found.length === 0) continue;
      candidates.set(key, found);
      break;
    }
  }
  const taken = new Set(matched.values());
  const claims = (target: string) =>
    [...candidates.values()].filter(([first, second]) => first === target && second === undefined);
  return Object.fromEntries(
    Object.keys(sources).map((key) => {
      const own = matched.get(key);
      if (own !== undefined) return [key, ['confirmed', own]];
      const [first, ...others] = candidates.get(key) ?? [];
      if (first === undefined) return [key, ['absent', null]];
      if (others.length > 0) return [key, ['ambiguous', null]];
      if (taken.has(first)) return [key, ['foundAlreadyMatched', first]];
      return [key, claims(first).length > 1 ? ['ambiguous', null] : ['found', first]];
    }),
  );
}

const named = (prefix: string, people: readonly Record<string, unknown>[]): People =>
  Object.fromEntries(people.map((each, nth) => [`${prefix}${nth}`, each]));

test('PostgreSQL finds what looking at every pair finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(person, { maxLength: 8 }),
      fc.array(person, { maxLength: 8 }),
      fc.array(rule, { maxLength: 3 }),
      fc.nat(3),
      fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 6 }),
      async (accounts, users, rules, matches, refusals) => {
        const [sources, targets] = [named('a', accounts), named('u', users)];
        await mapped.fill(sources as Resources, targets as Resources);
        const matched = new Map<string, string>();
        for (let nth = 0; nth < Math.min(matches, accounts.length, users.length); nth++) {
          // Crosswise, so that what the rules would say is another thing.
          matched.set(`a${nth}`, `u${users.length - 1 - nth}`);
          await mapped.match(`a${nth}`, `u${users.length - 1 - nth}`);
        }
        const refused = new Set(refusals.map(([a, u]) => `a${a} u${u}`));
        for (const each of refused) await mapped.refuse(...(each.split(' ') as [string, string]));
        const { sources: found } = await mapped.assess(rules);
        expect(
          Object.fromEntries(
            Object.entries(found).map(([key, each]) => [key, [each.situation, each.with]]),
          ),
        ).toEqual(expected(sources, targets, rules, matched, refused));
      },
    ),
    { numRuns: 60 },
  );
});
