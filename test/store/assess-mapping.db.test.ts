/** Situations: what is matched stays so, what is not is correlated, and nobody is ever guessed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MappedStore, openMappedStore, ruleOf as rule } from '../support/mapped-store.ts';

const byName = rule('userName');
const byMail = rule('mail');

describe.each([
  ['the source’s type comes first in matches', false],
  ['the target’s type comes first in matches', true],
])('%s', (_, managedFirst) => {
  let mapped: MappedStore;
  beforeAll(async () => {
    mapped = await openMappedStore({ managedFirst });
  });
  afterAll(() => mapped[Symbol.asyncDispose]());

  test('one account that fits, one that none fits and one that two fit are found, absent and ambiguous', async () => {
    await mapped.fill(
      { a1: { mail: 'ann@x' }, a2: { mail: 'bob@x' }, a3: { mail: 'cyd@x' } },
      { u1: { mail: 'ann@x' }, u2: { mail: 'cyd@x' }, u3: { mail: 'cyd@x' } },
    );
    const { sources, targets, counts } = await mapped.assess([byMail]);
    expect(sources).toEqual({
      a1: { situation: 'found', with: 'u1', rule: 'mail = mail', candidates: [] },
      a2: { situation: 'absent', with: null, rule: null, candidates: [] },
      a3: { situation: 'ambiguous', with: null, rule: 'mail = mail', candidates: ['u2', 'u3'] },
    });
    expect(targets).toEqual({
      u2: { situation: 'unassigned', with: null },
      u3: { situation: 'unassigned', with: null },
    });
    expect(counts).toMatchObject({ found: 1, absent: 1, ambiguous: 1, unassigned: 2 });
  });

  test('the first rule that finds any candidate decides, also when it finds several', async () => {
    await mapped.fill(
      { a: { userName: 'x', mail: 'm' }, b: { userName: 'none', mail: 'n' } },
      {
        u1: { userName: 'x', mail: 'other' },
        u2: { userName: 'x', mail: 'm' },
        u3: { userName: 'y', mail: 'n' },
      },
    );
    const { sources } = await mapped.assess([byName, byMail]);
    expect(sources).toMatchObject({
      a: { situation: 'ambiguous', rule: 'userName = userName', candidates: ['u1', 'u2'] },
      b: { situation: 'found', with: 'u3', rule: 'mail = mail' },
    });
  });

  test('one candidate of two accounts is for a person, whatever rules found it', async () => {
    await mapped.fill(
      { a: { userName: 'x' }, b: { userName: 'x' }, c: { mail: 'm' }, d: { userName: 'z' } },
      { u: { userName: 'x' }, v: { userName: 'z', mail: 'm' } },
    );
    const { sources } = await mapped.assess([byName, byMail]);
    expect(sources).toMatchObject({
      a: { situation: 'ambiguous', candidates: ['u'] },
      b: { situation: 'ambiguous', candidates: ['u'] },
      c: { situation: 'ambiguous', candidates: ['v'] },
      d: { situation: 'ambiguous', candidates: ['v'] },
    });
  });

  test('a match is not questioned by rules that say otherwise', async () => {
    await mapped.fill({ a: { userName: 'x' } }, { u: { userName: 'x' }, v: { userName: 'y' } });
    await mapped.match('a', 'v');
    const { sources, targets } = await mapped.assess([byName]);
    expect(sources).toMatchObject({ a: { situation: 'confirmed', with: 'v', rule: null } });
    expect(targets).toEqual({ u: { situation: 'unassigned', with: null } });
  });

  test('a match that waits for a person is unconfirmed', async () => {
    await mapped.fill({ a: {} }, { u: {} });
    await mapped.match('a', 'u', 'unconfirmed');
    const { sources, targets } = await mapped.assess([byName]);
    expect(sources).toMatchObject({ a: { situation: 'unconfirmed', with: 'u' } });
    expect(targets).toEqual({});
  });

  test('the only candidate is matched with another: found, already matched', async () => {
    await mapped.fill({ a: {}, b: { userName: 'x' } }, { u: { userName: 'x' } });
    await mapped.match('a', 'u');
    const { sources } = await mapped.assess([byName]);
    expect(sources).toMatchObject({ b: { situation: 'foundAlreadyMatched', with: 'u' } });
  });

  test('of two candidates the one that is free is not taken by elimination', async () => {
    await mapped.fill(
      { a: {}, b: { userName: 'x' } },
      { u: { userName: 'x' }, v: { userName: 'x' } },
    );
    await mapped.match('a', 'u');
    const { sources } = await mapped.assess([byName]);
    expect(sources).toMatchObject({ b: { situation: 'ambiguous', candidates: ['u', 'v'] } });
  });

  test('two that a person has kept apart are never candidates, and what is left decides', async () => {
    const accounts = { a: { userName: 'x' }, b: { userName: 'y', mail: 'm' } };
    await mapped.fill(accounts, {
      u: { userName: 'x' },
      v: { userName: 'x' },
      w: { userName: 'y' },
      z: { mail: 'm' },
    });
    await mapped.refuse('a', 'u');
    await mapped.refuse('b', 'w');
    const { sources } = await mapped.assess([byName, byMail]);
    expect(sources).toMatchObject({
      a: { situation: 'found', with: 'v', rule: 'userName = userName' },
      b: { situation: 'found', with: 'z', rule: 'mail = mail' },
    });
  });

  test('a target that is gone is missing; a source that is gone leaves a target without its source', async () => {
    await mapped.fill({ a: {}, b: {} }, { u: {}, v: {} });
    await mapped.match('a', 'u');
    await mapped.match('b', 'v');
    await mapped.remove('target', 'u');
    await mapped.remove('source', 'b');
    const { sources, targets, counts } = await mapped.assess([byName]);
    expect(sources).toMatchObject({ a: { situation: 'missing', with: 'u' } });
    expect(targets).toEqual({ v: { situation: 'sourceMissing', with: 'b' } });
    expect(counts).toMatchObject({ missing: 1, sourceMissing: 1, confirmed: 0 });
  });

  test.each(['source', 'target'] as const)(
    'a %s that comes back under its key is the one it was',
    async (side) => {
      await mapped.fill({ a: {} }, { u: {} });
      const match = await mapped.match('a', 'u');
      const key = side === 'source' ? 'a' : 'u';
      await mapped.remove(side, key);
      await mapped.add(side, { [key]: {} });
      const { sources, targets } = await mapped.assess([byName]);
      expect(sources).toMatchObject({ a: { situation: 'confirmed', with: 'u' } });
      expect(targets).toEqual({});
      const returned = await mapped.within([byName], async (session) => {
        const { rows } = await session.query(
          `select match_id, returned, source_id = stored_source_id as same_source,
             target_id = stored_target_id as same_target from assessed_match`,
        );
        return rows;
      });
      expect(returned).toEqual([
        {
          match_id: match,
          returned: true,
          same_source: side !== 'source',
          same_target: side !== 'target',
        },
      ]);
    },
  );

  test('an account under another key is found again by a rule, and what it replaces does not stand in its way', async () => {
    await mapped.fill({ old: { mail: 'm' } }, { u: { mail: 'm' } });
    await mapped.match('old', 'u');
    await mapped.remove('source', 'old');
    await mapped.add('source', { new: { mail: 'm' } });
    const { sources, targets } = await mapped.assess([byMail]);
    expect(sources).toMatchObject({ new: { situation: 'found', with: 'u' } });
    expect(targets).toEqual({});
  });

  test('a target under another key is found again rather than missing', async () => {
    await mapped.fill({ a: { mail: 'm' } }, { old: { mail: 'm' } });
    await mapped.match('a', 'old');
    await mapped.remove('target', 'old');
    await mapped.add('target', { new: { mail: 'm' } });
    const { sources } = await mapped.assess([byMail]);
    expect(sources).toMatchObject({ a: { situation: 'found', with: 'new' } });
  });

  test('what does not qualify is not correlated; its match leaves the target without its source', async () => {
    await mapped.fill({ a: { userName: 'x' }, b: {} }, { u: { userName: 'x' }, v: {} });
    await mapped.match('b', 'v');
    const { sources, targets } = await mapped.assess([byName], ['a', 'b']);
    expect(sources).toMatchObject({
      a: { situation: 'unqualified', with: null },
      b: { situation: 'unqualified', with: 'v' },
    });
    expect(targets).toEqual({
      u: { situation: 'unassigned', with: null },
      v: { situation: 'sourceMissing', with: 'b' },
    });
  });

  test('without rules, what has no match is absent', async () => {
    await mapped.fill({ a: { userName: 'x' } }, { u: { userName: 'x' } });
    expect((await mapped.assess([])).sources).toMatchObject({ a: { situation: 'absent' } });
  });

  test('candidates are listed up to twenty, by their keys', async () => {
    const users = Array.from({ length: 25 }, (_, nth) => [`u${nth + 10}`, { userName: 'x' }]);
    await mapped.fill({ a: { userName: 'x' } }, Object.fromEntries(users));
    const { sources } = await mapped.assess([byName]);
    expect(sources['a']?.candidates).toEqual(users.map(([key]) => key as string).slice(0, 20));
  });

  test('a property whose name is awkward is compared as it is called', async () => {
    const name = `it's "a" \\ name`;
    await mapped.fill({ a: { [name]: 'x' } }, { u: { [name]: 'x' } });
    const { sources } = await mapped.assess([rule(name)]);
    expect(sources).toMatchObject({ a: { situation: 'found', rule: `${name} = ${name}` } });
  });
});
