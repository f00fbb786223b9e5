/** What two values may differ in and still be the same, in PostgreSQL as it compares them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CorrelationIgnore, CorrelationRule } from '../../engine/mapping.ts';
import { type MappedStore, openMappedStore, ruleOf } from '../support/mapped-store.ts';

let mapped: MappedStore;
beforeAll(async () => {
  mapped = await openMappedStore();
});
afterAll(() => mapped[Symbol.asyncDispose]());

type Case = readonly [source: unknown, target: unknown, ignore: readonly CorrelationIgnore[]];

/** Those of the cases whose target is found: each has a property, and a rule, of its own. */
async function found(cases: readonly Case[]): Promise<Case[]> {
  const sources = cases.map(([source], nth) => [`a${nth}`, { [`p${nth}`]: source }]);
  const targets = cases.map(([, target], nth) => [`u${nth}`, { [`q${nth}`]: target }]);
  await mapped.fill(Object.fromEntries(sources), Object.fromEntries(targets));
  const rules = cases.map(([, , ignore], nth) => ruleOf(`p${nth}`, `q${nth}`, ignore));
  const assessed = await mapped.assess(rules);
  return cases.filter((_, nth) => assessed.sources[`a${nth}`]?.with === `u${nth}`);
}

const same: Case[] = [
  ['ann', 'ann', []],
  [7, '7', []],
  [true, 'true', []],
  [1.5, '1.5', []],
  ['e\u0301', '\u00e9', []],
  ['\u1e9b\u0323', '\u1e9b\u0323', []],
  ['ANN', 'ann', ['case']],
  ['STRASSE', 'straße', ['case']],
  ['ΟΔΟΣ', 'οδος', ['case']],
  ['ΟΔΟΣ', 'οδοσ', ['case']],
  ['É', 'e\u0301', ['case']],
  ['Ǆ', 'ǆ', ['case']],
  ['Élodie', 'Elodie', ['accents']],
  ['Zoë Ångström', 'Zoe Angstrom', ['accents']],
  ['Việt Nguyễn', 'Viet Nguyen', ['accents']],
  ['ﬁnn', 'finn', ['accents']],
  ['Ｊａｎ', 'Jan', ['accents']],
  ['Й', 'И', ['accents']],
  ['ÉLODIE', 'elodie', ['case', 'accents']],
  ['ℌanna', 'hanna', ['case', 'accents']],
  ['İpek', 'ipek', ['case', 'accents']],
  ['ann@a.example', 'ann@b.example', ['emailDomain']],
  ['ann@a.example', 'ann', ['emailDomain']],
  ['"a@b"@x', '"a@b"@y', ['emailDomain']],
  ['ÉVA@A.EXAMPLE', 'eva@b.example', ['case', 'accents', 'emailDomain']],
  ['😀', '😀', ['case', 'accents']],
];

const different: Case[] = [
  ['ann', 'Ann', []],
  ['ann', 'ann ', []],
  ['007', 7, []],
  ['é', 'e', ['case']],
  ['É', 'é', ['accents']],
  ['ø', 'o', ['case', 'accents']],
  ['が', 'か', ['accents']],
  ['कि', 'क', ['accents']],
  ['ann@a.example', 'ann@b.example', ['case', 'accents']],
  ['ann@a.example', 'bob@a.example', ['emailDomain']],
  ['x', undefined, []],
  [undefined, undefined, []],
  [null, null, []],
  ['', '', []],
  [' \t\n', ' \t\n', []],
  ['\u00a0', '\u00a0', []],
  ['\u200b\ufeff', '\u200b\ufeff', []],
  ['@a.example', '@a.example', ['emailDomain']],
  ['\u0301', '\u0301', ['accents']],
];

test('values are the same when they differ in nothing but what is ignored', async () => {
  expect(await found(same)).toEqual(same);
});

test('values that differ otherwise, or are blank, are not', async () => {
  expect(await found(different)).toEqual([]);
});

test('of several pairs all must agree, and none be blank', async () => {
  const both: CorrelationRule = {
    pairs: [
      { source: 'given', target: 'given', ignore: ['case'] },
      { source: 'family', target: 'family', ignore: [] },
    ],
  };
  await mapped.fill(
    {
      a: { given: 'ANN', family: 'Lee' },
      b: { given: 'Bob', family: 'Lee' },
      c: { given: 'Cyd' },
      d: { given: 'Dee', family: '' },
    },
    {
      u: { given: 'ann', family: 'Lee' },
      v: { given: 'bob', family: 'lee' },
      w: { given: 'cyd' },
      x: { given: 'dee', family: '' },
    },
  );
  const { sources } = await mapped.assess([both]);
  expect(sources).toMatchObject({
    a: {
      situation: 'found',
      with: 'u',
      rule: 'given = given (case ignored) and family = family',
    },
    b: { situation: 'absent' },
    c: { situation: 'absent' },
    d: { situation: 'absent' },
  });
});

test('what was compared is kept as the source says it', async () => {
  await mapped.fill({ a: { userName: 'ÉVA', mail: 'e@x' } }, { u: { userName: 'eva' } });
  const compared = await mapped.within(
    [ruleOf('userName', 'userName', ['case', 'accents'])],
    async (session) => (await session.query('select compared from assessed_source')).rows,
  );
  expect(compared).toEqual([{ compared: { userName: 'ÉVA' } }]);
});
