// The three-way decision about one value, cell by cell, and what holds for all of them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeValue, type ValueCase, type ValueDecision } from '../../engine/three-way.ts';

const decide = (given: Partial<ValueCase>) =>
  mergeValue({
    desired: undefined,
    present: undefined,
    agreed: undefined,
    oppositeCovers: true,
    managed: 'target',
    authority: null,
    origin: undefined,
    by: 'crm',
    ...given,
  });

const agree: ValueDecision = { action: 'agree' };
const set: ValueDecision = { action: 'set' };
const keep: ValueDecision = { action: 'keep' };
const conflict = (action: 'set' | 'keep') => ({ action, told: 'Conflict' });
const refused = { action: 'keep', told: 'AuthorityRefused' };

describe.each(['target', 'source'] as const)('the %s is managed by us', (managed) => {
  test.each([
    ['both say the same, whatever was agreed', 'x', 'x', 'y', agree],
    ['neither has a value', undefined, undefined, 'y', agree],
    ['the source has changed', 'new', 'old', 'old', set],
    ['the source has none any more', undefined, 'old', 'old', set],
    ['the source has one, and both had none', 'new', undefined, null, set],
    ['the target has changed', 'old', 'new', 'old', keep],
    ['the target has none any more', 'old', undefined, 'old', keep],
    ['the target has one, and both had none', undefined, 'new', null, keep],
    ['nothing was ever agreed', 'theirs', 'ours', undefined, set],
    ['nothing was ever agreed, and the target has none', 'theirs', undefined, undefined, set],
    ['nothing was ever agreed, and the source has none', undefined, 'ours', undefined, keep],
    ['both have changed', 'one', 'other', 'old', conflict(managed === 'target' ? 'keep' : 'set')],
    [
      'both have changed, one to none',
      undefined,
      'x',
      'old',
      conflict(managed === 'target' ? 'keep' : 'set'),
    ],
  ])('%s', (_, desired, present, agreed, expected) => {
    expect(decide({ managed, desired, present, agreed })).toEqual(expected);
  });

  test.each([
    ['the target has changed', 'old', 'new', 'old'],
    ['both have changed', 'one', 'other', 'old'],
    ['nothing was ever agreed, and the source has none', undefined, 'ours', undefined],
  ])('without an opposite mapping it is put right: %s', (_, desired, present, agreed) => {
    expect(decide({ managed, desired, present, agreed, oppositeCovers: false })).toEqual(set);
  });
});

describe('authority', () => {
  const changed = { desired: 'new', present: 'old', agreed: 'old' };
  const both = { desired: 'new', present: 'ours', agreed: 'old' };
  const localFirst = { authority: ['local', 'crm'], origin: 'local' };
  const crmFirst = { authority: ['crm', 'local'], origin: 'local' };

  test.each([
    ['one who stands after does not overwrite', { ...changed, ...localFirst }, refused],
    ['one who is not named does not', { ...changed, authority: ['local'] }, refused],
    ['one who stands before does', { ...changed, ...crmFirst }, set],
    ['of a conflict one who stands before prevails', { ...both, ...crmFirst }, conflict('set')],
    ['of a conflict one who stands after does not', { ...both, ...localFirst }, conflict('keep')],
    [
      'it binds also where there is no opposite mapping',
      { ...both, ...localFirst, oppositeCovers: false },
      refused,
    ],
  ])('at a managed target: %s', (_, given, expected) => {
    expect(decide(given)).toEqual(expected);
  });

  test.each([
    [
      'a change that may not come here is put right there',
      { desired: 'old', present: 'new', agreed: 'old', ...localFirst },
      set,
    ],
    [
      'one that may is left to the opposite mapping',
      { desired: 'old', present: 'new', agreed: 'old', ...crmFirst },
      keep,
    ],
    [
      'of a conflict the connected system prevails where it stands first',
      { ...both, ...crmFirst },
      conflict('keep'),
    ],
    [
      'of a conflict it does not where it stands after',
      { ...both, ...localFirst },
      conflict('set'),
    ],
    [
      'where nothing was agreed its value is taken where it may be',
      { desired: 'x', present: 'y', ...crmFirst },
      keep,
    ],
  ])('at a connected target: %s', (_, given, expected) => {
    expect(decide({ managed: 'source', ...given })).toEqual(expected);
  });
});

const value = fc.constantFrom('a', 'b', 'c', undefined);
const authority = fc.constantFrom(null, ['crm', 'local'], ['local', 'crm'], ['local'], ['crm']);
const origin = fc.constantFrom('crm', 'local', 'hr', undefined);
const agreed = fc.constantFrom<(string | null | undefined)[]>('a', 'b', 'c', null, undefined);

/** Both mappings of a pair, each once, the one after the other; a value is what both sides hold. */
function round(
  state: { ours: string | undefined; theirs: string | undefined; origin: string | undefined },
  a: { inbound: string | null | undefined; outbound: string | null | undefined },
  by: readonly string[] | null,
  order: readonly ('inbound' | 'outbound')[],
) {
  const told: unknown[] = [];
  let writes = 0;
  for (const direction of order) {
    const isIn = direction === 'inbound';
    const decision = mergeValue({
      desired: isIn ? state.theirs : state.ours,
      present: isIn ? state.ours : state.theirs,
      agreed: a[direction],
      oppositeCovers: true,
      managed: isIn ? 'target' : 'source',
      authority: by,
      origin: state.origin,
      by: 'crm',
    });
    told.push(decision.told);
    if (decision.action === 'set') {
      writes += 1;
      if (isIn) Object.assign(state, { ours: state.theirs, origin: 'crm' });
      else state.theirs = state.ours;
    }
    if (state.ours === state.theirs) {
      a.inbound = state.ours ?? null;
      a.outbound = state.ours ?? null;
    }
  }
  return writes;
}

test('after a round in either order both agree, with one write at most, and the next writes nothing', () => {
  fc.assert(
    fc.property(
      value,
      value,
      agreed,
      origin,
      authority,
      fc.boolean(),
      (ours, theirs, old, who, by, inFirst) => {
        const state = { ours, theirs, origin: who };
        const memory = { inbound: old, outbound: old };
        const order = inFirst
          ? (['inbound', 'outbound'] as const)
          : (['outbound', 'inbound'] as const);
        const writes = round(state, memory, by, order) + round(state, memory, by, order);
        expect(writes).toBe(ours === theirs ? 0 : 1);
        expect(state.ours).toBe(state.theirs);
        expect([ours, theirs]).toContain(state.ours);
        expect(round(state, memory, by, order)).toBe(0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('the same decision comes out however often it is asked, and agreement is never a change', () => {
  fc.assert(
    fc.property(value, value, agreed, fc.boolean(), (desired, present, old, oppositeCovers) => {
      const given = { desired, present, agreed: old, oppositeCovers };
      const decision = decide(given);
      expect(decide(given)).toEqual(decision);
      expect(decision.action === 'agree').toBe(desired === present);
      if (decision.action === 'set') {
        expect(decide({ ...given, present: desired, agreed: desired ?? null })).toEqual(agree);
      }
    }),
  );
});
