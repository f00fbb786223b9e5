/** What is done about each situation, by default and otherwise. */
import { describe, expect, test } from 'vitest';
import { type Reaction, reactions, type Situation, situations } from '../../engine/mapping.ts';
import {
  neededOperation,
  possibleReactions,
  type ReactingMapping,
  reactionTo,
  type SituationFacts,
} from '../../engine/reaction.ts';

const everything: ReactingMapping = {
  reactions: {},
  operations: ['create', 'update', 'delete'],
  onSourceMissing: 'keep',
  opposite: null,
};
const matched: SituationFacts = { matchState: 'confirmed' };
const unconfirmed: SituationFacts = { matchState: 'unconfirmed' };
const unmatched: SituationFacts = { matchState: null };

/** The facts that a situation can come with. */
const factsOf: Record<Situation, readonly SituationFacts[]> = {
  confirmed: [matched],
  unconfirmed: [unconfirmed],
  found: [unmatched, matched, unconfirmed],
  absent: [unmatched],
  ambiguous: [unmatched, matched, unconfirmed],
  foundAlreadyMatched: [unmatched, matched, unconfirmed],
  missing: [matched, unconfirmed],
  unqualified: [unmatched, matched, unconfirmed],
  sourceMissing: [true, false].flatMap((graceIsOver) =>
    [true, false].flatMap((sourceIsUnqualified) =>
      [matched, unconfirmed].map((facts) => ({ ...facts, graceIsOver, sourceIsUnqualified })),
    ),
  ),
  unassigned: [unmatched],
};

const everyCase = situations.flatMap((situation) =>
  factsOf[situation].flatMap((facts) =>
    ([null, 'other'] as const).flatMap((opposite) =>
      (['keep', 'disable', 'unmatch', 'delete'] as const).map((onSourceMissing) => ({
        situation,
        facts,
        mapping: { ...everything, opposite, onSourceMissing },
      })),
    ),
  ),
);

test.each<[Situation, SituationFacts, Reaction]>([
  ['confirmed', matched, 'update'],
  ['unconfirmed', unconfirmed, 'ignore'],
  ['found', unmatched, 'match'],
  ['absent', unmatched, 'create'],
  ['ambiguous', unmatched, 'ignore'],
  ['foundAlreadyMatched', unmatched, 'ignore'],
  ['missing', matched, 'create'],
  ['missing', unconfirmed, 'unmatch'],
  ['unqualified', unmatched, 'ignore'],
  ['unqualified', matched, 'ignore'],
  ['sourceMissing', matched, 'ignore'],
  ['unassigned', unmatched, 'ignore'],
])('by default %s, %j: %s', (situation, facts, expected) => {
  expect(reactionTo(situation, everything, facts)).toBe(expected);
});

test('a target that is gone is not made again where the other direction says what that means', () => {
  const mapping = { ...everything, opposite: 'other' };
  expect(reactionTo('missing', mapping, matched)).toBe('ignore');
  const told: ReactingMapping = { ...mapping, reactions: { missing: 'create' } };
  expect(reactionTo('missing', told, matched)).toBe('create');
});

test.each<[ReactingMapping['onSourceMissing'], Reaction, Reaction]>([
  ['keep', 'ignore', 'ignore'],
  ['disable', 'disable', 'unmatch'],
  ['unmatch', 'unmatch', 'unmatch'],
  ['delete', 'delete', 'unmatch'],
])(
  'a source that is gone with onSourceMissing %s: %s, unconfirmed %s',
  (said, expected, unsure) => {
    const mapping = { ...everything, onSourceMissing: said };
    expect(reactionTo('sourceMissing', mapping, matched)).toBe(expected);
    expect(reactionTo('sourceMissing', mapping, unconfirmed)).toBe(unsure);
    expect(reactionTo('sourceMissing', mapping, { ...matched, graceIsOver: false })).toBe('ignore');
    expect(reactionTo('sourceMissing', mapping, { ...unconfirmed, graceIsOver: false })).toBe(
      'ignore',
    );
  },
);

test('a source that does not qualify is as good as gone, unless the mapping says otherwise', () => {
  const facts = { ...matched, sourceIsUnqualified: true };
  const mapping: ReactingMapping = { ...everything, onSourceMissing: 'delete' };
  expect(reactionTo('sourceMissing', mapping, facts)).toBe('delete');
  const milder: ReactingMapping = { ...mapping, reactions: { unqualified: 'disable' } };
  expect(reactionTo('sourceMissing', milder, facts)).toBe('disable');
  expect(reactionTo('sourceMissing', milder, matched)).toBe('delete');
});

describe('in every case', () => {
  test('what a mapping may say is what happens, where its operations allow it', () => {
    for (const situation of situations) {
      if (situation === 'sourceMissing' || situation === 'unqualified') continue;
      const facts = (factsOf[situation] as [SituationFacts])[0];
      for (const reaction of possibleReactions[situation]) {
        const mapping = { ...everything, reactions: { [situation]: reaction } };
        expect([situation, reactionTo(situation, mapping, facts)]).toEqual([situation, reaction]);
      }
    }
  });

  test('what operations do not allow is not done', () => {
    for (const { situation, facts, mapping } of everyCase) {
      for (const reaction of reactions) {
        const needed = neededOperation[reaction];
        if (needed === undefined || !possibleReactions[situation].includes(reaction)) continue;
        const operations = everything.operations.filter((each) => each !== needed);
        const limited = { ...mapping, operations, reactions: { [situation]: reaction } };
        const done = reactionTo(situation, limited, facts);
        expect(neededOperation[done]).not.toBe(needed);
      }
    }
  });

  test('nothing is written for a match that nobody has confirmed', () => {
    for (const { situation, facts, mapping } of everyCase) {
      if (facts.matchState !== 'unconfirmed') continue;
      for (const reaction of possibleReactions[situation]) {
        const done = reactionTo(
          situation,
          { ...mapping, reactions: { [situation]: reaction } },
          facts,
        );
        expect(neededOperation[done], `${situation} ${reaction}`).toBeUndefined();
      }
    }
  });

  test('what has several candidates, or one that is taken, is left to a person', () => {
    for (const { situation, facts, mapping } of everyCase) {
      if (situation !== 'ambiguous' && situation !== 'foundAlreadyMatched') continue;
      expect(reactionTo(situation, mapping, facts)).toBe('ignore');
    }
    expect(possibleReactions.ambiguous).toEqual(['ignore']);
    expect(possibleReactions.foundAlreadyMatched).toEqual(['ignore']);
  });

  test('the default is one of those that can be said', () => {
    for (const { situation, facts, mapping } of everyCase) {
      expect(possibleReactions[situation].concat('unmatch')).toContain(
        reactionTo(situation, mapping, facts),
      );
    }
  });
});
