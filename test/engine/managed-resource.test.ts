// What may be a managed resource, and who may set what of it.
import { describe, expect, test } from 'vitest';
import { authorityRefusal } from '../../engine/authority.ts';
import { managedProblems } from '../../engine/managed-resource.ts';
import type { ManagedType } from '../../engine/managed-type.ts';
import { readManagedValue, valueProblem } from '../../engine/managed-value.ts';

const common = { required: false, authority: null };
const user: ManagedType = {
  name: 'user',
  key: 'userName',
  properties: [
    { ...common, name: 'userName', kind: 'scalar', type: 'string' },
    { ...common, name: 'mail', kind: 'scalar', type: 'string', required: true },
    { ...common, name: 'active', kind: 'scalar', type: 'boolean' },
    { ...common, name: 'floor', kind: 'scalar', type: 'integer' },
    { ...common, name: 'department', kind: 'reference', references: 'department' },
    { ...common, name: 'manager', kind: 'reference', references: 'user', required: true },
  ],
  searchable: ['mail'],
  protected: [],
  thresholds: {},
};
const sound = {
  attributes: { userName: 'jdoe', mail: 'jdoe@x', active: true, floor: 3 },
  references: { manager: 'boss', department: 'RD' },
};

describe('a managed resource', () => {
  test('as its entity type says has no problem', () => {
    expect(managedProblems(user, sound)).toEqual([]);
  });

  test.each([
    ['without its key', { userName: undefined }, ['userName', 'KeyMissing']],
    ['with a key that shows nothing', { userName: 'j\u200bdoe' }, ['userName', 'ValueInvalid']],
    [
      'with a key too long for an index',
      { userName: 'x'.repeat(1001) },
      ['userName', 'ValueInvalid'],
    ],
    ['with a blank key', { userName: ' ' }, ['userName', 'ValueInvalid']],
    ['without a required value', { mail: undefined }, ['mail', 'ValueInvalid']],
    ['with null for a required value', { mail: null }, ['mail', 'ValueInvalid']],
    [
      'with a searchable value too long for an index',
      { mail: 'x'.repeat(1501) },
      ['mail', 'ValueInvalid'],
    ],
    ['with a value of another type', { active: 'true' }, ['active', 'ValueInvalid']],
    ['with a property nobody declared', { shoeSize: 43 }, ['shoeSize', 'ValueInvalid']],
    ['with a scalar in the place of a reference', { manager: 'boss' }, ['manager', 'ValueInvalid']],
  ])('%s has one problem, named by property and code', (_, change, [property, code]) => {
    const problems = managedProblems(user, {
      ...sound,
      attributes: { ...sound.attributes, ...change },
    });
    expect(problems).toMatchObject([{ property, code }]);
  });

  test('must have its required references, and refer by keys', () => {
    const references = { department: 'R\u0000D' };
    expect(managedProblems(user, { ...sound, references })).toMatchObject([
      { property: 'department', problem: 'holds a NUL character' },
      { property: 'manager', problem: 'is required' },
    ]);
  });

  test('has no value in any of its problems', () => {
    const attributes = { userName: 's\u200becret', mail: 5, active: 'secret', floor: 's' };
    const told = JSON.stringify(managedProblems(user, { ...sound, attributes }));
    expect(told).not.toContain('secret');
  });
});

describe('a value', () => {
  test.each([
    ['string', 'Ada', undefined],
    ['string', '  ', 'is blank; leave it out instead'],
    ['string', 'a\u0000', 'holds a NUL character'],
    ['string', 'a\ud800', 'holds half a character (a lone surrogate)'],
    ['string', 5, 'is not a text'],
    ['integer', 5, undefined],
    ['integer', 5.5, 'is not a whole number below 2^53'],
    ['integer', 2 ** 53, 'is not a whole number below 2^53'],
    ['number', 5.5, undefined],
    ['number', Number.NaN, 'is not a number'],
    ['boolean', false, undefined],
    ['boolean', 0, 'is neither true nor false'],
    ['date', '2024-02-29', undefined],
    ['date', '2023-02-29', 'is not a date written as 2021-03-31'],
    ['date', '2024-2-29', 'is not a date written as 2021-03-31'],
    ['datetime', '2024-02-29T10:00:00.000Z', undefined],
    ['datetime', '2024-02-29T10:00:00Z', 'is not a time written as 2021-03-31T08:15:00.000Z'],
    ['datetime', 5, 'is not a time written as 2021-03-31T08:15:00.000Z'],
  ] as const)('of type %s: %j', (type, value, problem) => {
    expect(valueProblem(type, value)).toBe(problem);
  });

  test.each([
    ['string', ' Ada ', { value: 'Ada' }],
    ['integer', '12', { value: 12 }],
    ['integer', '12.5', { problem: 'is not a whole number' }],
    ['number', '12.5', { value: 12.5 }],
    ['number', '12,5', { problem: 'is not a number; the decimal separator is “.”' }],
    ['boolean', 'TRUE', { value: true }],
    ['boolean', 'no', { value: false }],
    ['boolean', 'maybe', { problem: 'is none of true, 1, yes, false, 0, no' }],
    ['date', '2024-02-29', { value: '2024-02-29' }],
    ['date', '29/02/2024', { problem: 'is not a date written as yyyy-MM-dd' }],
    ['datetime', '2024-02-29T10:00:00+02:00', { value: '2024-02-29T08:00:00.000Z' }],
    ['datetime', '2024-02-29T10:00:00', { value: '2024-02-29T10:00:00.000Z' }],
    ['datetime', '2024-02-29', { problem: 'is not a date written as ISO 8601' }],
  ] as const)('that is typed as %s %j is read as a person means it', (type, text, read) => {
    expect(readManagedValue(type, text)).toEqual(read);
    if ('value' in read) expect(valueProblem(type, read.value)).toBeUndefined();
  });
});

describe('an authority', () => {
  const authority = ['hr', 'local', 'crm'];
  test.each([
    [
      'nobody stands before anybody without one',
      { authority: null, origin: 'hr', by: 'crm' },
      undefined,
    ],
    ['who is not named may not', { authority, origin: undefined, by: 'sab' }, 'not named'],
    [
      'who is named may set what nobody has set',
      { authority, origin: undefined, by: 'crm' },
      undefined,
    ],
    ['who stands after may not overwrite', { authority, origin: 'hr', by: 'local' }, 'outranked'],
    ['who stands before may', { authority, origin: 'crm', by: 'local' }, undefined],
    [
      'everybody may overwrite what is their own',
      { authority, origin: 'local', by: 'local' },
      undefined,
    ],
    [
      'who is named no longer stands before nobody',
      { authority, origin: 'old', by: 'crm' },
      undefined,
    ],
  ])('%s', (_, given, refusal) => {
    expect(authorityRefusal(given)).toBe(refusal);
  });
});
