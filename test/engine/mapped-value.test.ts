// What comes out of a rule, as a value of the target's type; and what expressions see of a SCIM resource.
import { expect, test } from 'vitest';
import type { EntityType } from '../../engine/entity-type.ts';
import { mappedValue } from '../../engine/mapped-value.ts';
import { compileNesting } from '../../engine/nested-resource.ts';

const of = (type: Parameters<typeof mappedValue>[0]['type'], more = {}) => ({
  ...{ type, isKey: false, searchable: false },
  ...more,
});

test.each([
  ['string', 7, '7'],
  ['string', true, 'true'],
  ['integer', '7', 7],
  ['number', '1.5', 1.5],
  ['boolean', 'true', true],
  ['date', '2026-11-22', '2026-11-22'],
] as const)('for a %s, %j is %j', (type, outcome, value) => {
  expect(mappedValue(of(type), outcome)).toEqual({ value });
});

test.each([undefined, null, '', '  '])('%j is no value', (outcome) => {
  expect(mappedValue(of('string'), outcome)).toBeUndefined();
});

test.each([
  ['integer', 'x'],
  ['integer', 1.5],
  ['integer', true],
  ['boolean', 'maybe'],
  ['date', '31.03.2021'],
  ['string', { a: 1 }],
  ['string', 'a\u0000b'],
] as const)('a %s takes no %j, and the problem does not quote it', (type, outcome) => {
  const said = mappedValue(of(type), outcome);
  expect(said).toHaveProperty('problem');
  expect(JSON.stringify(said)).not.toContain(String(outcome));
});

test('a key must be visible, a searchable value short', () => {
  expect(mappedValue(of('string', { isKey: true }), 'a\u200bb')).toHaveProperty('problem');
  expect(mappedValue(of('string', { searchable: true }), 'x'.repeat(2000))).toHaveProperty(
    'problem',
  );
});

const property = (name: string, path: string) => ({
  ...{ name, kind: 'scalar', format: { type: 'string' } },
  origin: { from: 'column', column: path },
});
const account = {
  source: { options: { resourceType: 'User' } },
  properties: [
    property('login', 'userName'),
    property('given', 'name.givenName'),
    property('work', 'emails[type eq "work"].value'),
    property('workLabel', 'emails[type eq "work"].display'),
    property('home', 'emails[type eq "home"].value'),
    property('number', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber'),
  ],
} as unknown as EntityType;

test('expressions see the properties by name, and the nested resource of their paths', () => {
  const nest = compileNesting(account);
  expect(
    nest({ login: 'ann', given: 'Ann', work: 'a@x', workLabel: 'A', home: 'h@x', number: '7' }),
  ).toEqual({
    ...{ login: 'ann', given: 'Ann', work: 'a@x', workLabel: 'A', home: 'h@x', number: '7' },
    userName: 'ann',
    name: { givenName: 'Ann' },
    emails: [
      { type: 'work', value: 'a@x', display: 'A' },
      { type: 'home', value: 'h@x' },
    ],
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { employeeNumber: '7' },
  });
});

test('of what is not SCIM they see the properties', () => {
  expect(compileNesting(undefined)({ a: 1 })).toEqual({ a: 1 });
});
