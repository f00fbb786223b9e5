/** Daily life, however much of it, is no mistake: random changes of clean data get no diagnosis; a mistake among them does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../engine/diagnosis/diagnose.ts';
import type { DiagnosisKind } from '../../engine/diagnosis/diagnosis.ts';
import { defaultDrift } from '../../engine/diagnosis/drift.ts';
import type { Attributes, Evidence } from '../../engine/diagnosis/evidence.ts';
import { changesOf } from '../../engine/diagnosis/evidence.ts';
import { profileFile } from '../../engine/diagnosis/file-profile.ts';
import { agree, formerKeys } from '../../engine/diagnosis/key-change.ts';
import { findDamage } from '../../engine/diagnosis/spreadsheet-damage.ts';
import { typeChanges } from '../../engine/diagnosis/type-change.ts';
import type { EntityType, Property } from '../../engine/entity-type.ts';

const property = (name: string): Property => ({
  kind: 'scalar',
  name,
  origin: { from: 'column', column: name },
  format: name === 'hired' ? { type: 'date', format: 'yyyy-MM-dd' } : { type: 'string' },
});
const names = ['id', 'first', 'last', 'born', 'hired', 'badge', 'mail', 'city', 'team', 'phone'];
const person: EntityType = {
  name: 'person',
  connector: 'hr',
  source: { name: 'people.csv', options: { file: 'people.csv' } },
  key: 'id',
  properties: names.map(property),
  searchable: [],
  thresholds: {},
  drift: defaultDrift,
};

/** Words that stand in both name columns, so that nothing but a swap tells a swap. */
const given = [
  'Zoé',
  'Ada',
  'Martin',
  'Thomas',
  'Paul',
  'Inès',
  'Łucja',
  'Laurent',
  'Simon',
  'Ana',
];
const cities = ['Lyon', 'Nantes', 'Paris', 'Gênes', 'Köln', ''];
const teams = ['HR', 'IT', 'OPS', 'RD', 'DG', 'FIN', 'LEG', 'MKT'];

type Person = Record<string, string>;

/** Values of one person, drawn by small numbers. */
function someone(id: number, draw: (below: number) => number): Person {
  const date = () =>
    `${1990 + draw(30)}-${String(1 + draw(12)).padStart(2, '0')}-${String(1 + draw(28)).padStart(2, '0')}`;
  const pick = (all: readonly string[]) => all[draw(all.length)] as string;
  const [first, last] = [pick(given), pick(given)];
  return {
    id: `p${id}`,
    first,
    last,
    born: date().split('-').toReversed().join('/'),
    hired: date(),
    badge: String(draw(20_000)).padStart(5, '0'),
    mail: `${first}.${last}${id}@example.org`.toLowerCase(),
    city: pick(cities),
    team: pick(teams),
    phone: draw(4) === 0 ? '' : `+33 1 99 00 ${10 + draw(90)} ${10 + draw(90)}`,
  };
}

const attributesOf = (one: Person): Attributes =>
  Object.fromEntries(Object.entries(one).filter(([, value]) => value !== ''));

/** What prepare would gather from two days. */
function evidenceOf(before: readonly Person[], now: readonly Person[]): Evidence {
  const had = new Map(before.map((one) => [one['id'], one]));
  const has = new Map(now.map((one) => [one['id'], one]));
  const same = (one: Person, other: Person) => names.every((name) => one[name] === other[name]);
  const keyed = (one: Person) => ({ key: one['id'] as string, attributes: attributesOf(one) });
  const inserts = now.filter(({ id }) => !had.has(id)).map(keyed);
  const deletes = before.filter(({ id }) => !has.has(id)).map(keyed);
  const updates = now.flatMap((one) => {
    const was = had.get(one['id']);
    if (!was || same(was, one)) return [];
    return [{ key: one['id'] as string, before: attributesOf(was), after: attributesOf(one) }];
  });
  const deleted = new Map(deletes.map((each) => [each.key, each]));
  const rekeyed = formerKeys(inserts, deletes).filter((candidate) => {
    const come = inserts.find(({ key }) => key === candidate.after);
    const gone = deleted.get(candidate.before);
    return come && gone && agree(gone, come, 'id');
  });
  const profile = (all: readonly Person[]) => {
    const records = all.map((one) => names.map((name) => one[name] as string));
    return profileFile({ header: names, records, total: all.length, soughtAt: null }, names);
  };
  return {
    entityType: person,
    counts: {
      stored: before.length,
      inserted: inserts.length,
      updated: updates.length,
      deleted: deletes.length,
      read: now.length,
      rejected: 0,
    },
    updates,
    inserts,
    deletes,
    unfit: [],
    rekeyed,
    rekeyedAmong: inserts.length,
    formerKey: null,
    files: { last: profile(before), now: profile(now) },
  };
}

interface Days {
  readonly before: readonly Person[];
  readonly now: readonly Person[];
  /** Share of the people that left. */
  readonly left: number;
}

/** Ten to three hundred people, of whom any share changes any values, leaves or joins in one night. */
const days: fc.Arbitrary<Days> = fc
  .record({
    size: fc.integer({ min: 10, max: 300 }),
    changed: fc.double({ min: 0, max: 1, noNaN: true }),
    leaving: fc.double({ min: 0, max: 0.6, noNaN: true }),
    joining: fc.double({ min: 0, max: 0.6, noNaN: true }),
    columns: fc.subarray(names.slice(1), { minLength: 1 }),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
  })
  .map(({ size, changed, leaving, joining, columns, seed }) => {
    let state = seed;
    // A linear congruential generator: the same night at every run.
    const draw = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return Math.floor((state / 0x80000000) * below);
    };
    const chance = (share: number) => draw(10_000) < share * 10_000;
    const before = Array.from({ length: size }, (_, id) => someone(id, draw));
    const stayed = before.filter(() => !chance(leaving));
    const others = stayed.map((one) => {
      if (!chance(changed)) return one;
      const other = someone(Number((one['id'] as string).slice(1)), draw);
      const some = columns.filter(() => chance(0.5));
      return { ...one, ...Object.fromEntries(some.map((name) => [name, other[name] as string])) };
    });
    const joined = Array.from({ length: Math.round(size * joining) }, (_, at) =>
      someone(1000 + at, draw),
    );
    return { before, now: [...others, ...joined], left: 1 - stayed.length / size };
  });

/** More with `LOCKSTEP_TEST_RUNS`, to measure. */
const runs = Number(process.env['LOCKSTEP_TEST_RUNS'] ?? 120);

test('random changes of clean data have no diagnosis, but for a source that did shrink', () => {
  const alarms = new Map<DiagnosisKind, number>();
  fc.assert(
    fc.property(days, ({ before, now }) => {
      for (const { kind } of diagnose(evidenceOf(before, now))) {
        const shrank = before.length - now.length >= before.length * 0.2;
        if (kind === 'scopeShrank' && shrank) continue;
        alarms.set(kind, (alarms.get(kind) ?? 0) + 1);
      }
    }),
    { numRuns: runs, seed: 20_261_122 },
  );
  expect(Object.fromEntries(alarms)).toEqual({});
});

test('random changes of clean data are no drift', () => {
  fc.assert(
    fc.property(days, ({ before, now }) => {
      const { updates } = evidenceOf(before, now);
      const changes = names.flatMap((name) => changesOf(updates, name));
      expect(findDamage(changes, new Map())).toEqual([]);
      const evidence = {
        entityType: person,
        unfit: [],
        unfitCounts: new Map(),
        staged: now.length,
      };
      const stored = before.map(attributesOf);
      expect(typeChanges({ ...evidence, stored, fresh: now.map(attributesOf) })).toEqual([]);
    }),
    { numRuns: runs, seed: 20_261_122 },
  );
});

describe('a mistake among random changes is still found', () => {
  const few = days.filter(
    ({ before, now, left }) => before.length >= 40 && now.length > 20 && left < 0.1,
  );
  const mistakes: readonly (readonly [DiagnosisKind, (one: Person) => Person])[] = [
    [
      'swappedHeaders',
      (one) => ({ ...one, first: one['last'] as string, last: one['first'] as string }),
    ],
    ['keyChange', (one) => ({ ...one, id: `HR-${one['id']}` })],
    ['blankSource', (one) => ({ ...one, team: '' })],
    [
      'encodingDamage',
      (one) => ({
        ...one,
        first: asLatin1(one['first'] as string),
        city: asLatin1(one['city'] as string),
        last: asLatin1(one['last'] as string),
      }),
    ],
    ['dateFormatChange', (one) => ({ ...one, born: american(one['born'] as string) })],
  ];
  const asLatin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  const american = (date: string) => date.replace(/^(..)\/(..)/, '$2/$1');

  test.each(mistakes)('%s', (kind, mistake) => {
    let found = 0;
    let looked = 0;
    fc.assert(
      fc.property(few, ({ before, now }) => {
        // A quiet night: nobody changes but for one in twenty.
        const quiet = before.map((one, at) => (at % 20 === 0 ? (now[at] ?? one) : one));
        const people = [...new Map(quiet.map((one) => [one['id'], one])).values()];
        looked += 1;
        const told = diagnose(evidenceOf(before, people.map(mistake)));
        if (told.some((each) => each.kind === kind)) found += 1;
      }),
      { numRuns: Math.max(30, runs / 10), seed: 20_261_122 },
    );
    expect(found / looked).toBeGreaterThanOrEqual(0.95);
  });
});
