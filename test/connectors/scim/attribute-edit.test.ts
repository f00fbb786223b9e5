/** A resource on which edits are done: what changes, what stays, and what cannot be done. */
import { describe, expect, test } from 'vitest';
import { edited, editsOf } from '../../../connectors/scim/attribute-edit.ts';
import type { JsonObject } from '../../../connectors/scim/attribute-value.ts';
import { operationsFor, operationsUnseen } from '../../../connectors/scim/patch-operations.ts';
import { ResourceSchema, readSchemas } from '../../../connectors/scim/service-schema.ts';
import type { AttributeWrite } from '../../../connectors/writer.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const extension = 'urn:example:2.0:User';
const attribute = (name: string, type = 'string', more: object = {}) => ({ name, type, ...more });
const elements = { multiValued: true };
const schema = new ResourceSchema(
  readSchemas([
    {
      id: core,
      attributes: [
        attribute('userName', 'string', { uniqueness: 'server' }),
        attribute('active', 'boolean'),
        attribute('hired', 'dateTime'),
        attribute('name', 'complex', {
          subAttributes: [attribute('givenName'), attribute('familyName')],
        }),
        attribute('emails', 'complex', {
          ...elements,
          subAttributes: [attribute('value'), attribute('type'), attribute('primary', 'boolean')],
        }),
        attribute('addresses', 'complex', {
          ...elements,
          subAttributes: [attribute('locality'), attribute('country'), attribute('type')],
        }),
      ],
    },
    {
      id: extension,
      attributes: [attribute('floor', 'integer'), attribute('badges', 'string', elements)],
    },
  ]),
  core,
  [extension],
);

const writesOf = (values: Record<string, AttributeWrite['value']>): AttributeWrite[] =>
  Object.entries(values).map(([path, value]) => ({ path, value }));
const edits = (values: Record<string, AttributeWrite['value']>) =>
  editsOf(writesOf(values), schema, {});
const outcomeOf = (resource: JsonObject, values: Record<string, AttributeWrite['value']>) =>
  edited(resource, edits(values));

const work = { value: 'a@work', type: 'work' };
const home = { value: 'a@home', type: 'home' };

describe('a value', () => {
  test('becomes JSON of the type that the schema names', () => {
    const values = {
      active: 'TRUE',
      userName: 7,
      hired: '2026-11-22',
      [`${extension}:floor`]: '3',
    };
    expect(outcomeOf({}, values)).toEqual({
      active: true,
      userName: '7',
      hired: '2026-11-22T00:00:00Z',
      [extension]: { floor: 3 },
    });
    expect(
      edited({}, editsOf(writesOf({ active: false }), schema, { booleansAsText: true })),
    ).toEqual({
      active: 'false',
    });
  });

  test('that is not of that type is left to the service to refuse', () => {
    expect(outcomeOf({}, { active: 'maybe', [`${extension}:floor`]: 'third' })).toEqual({
      active: 'maybe',
      [extension]: { floor: 'third' },
    });
  });

  test('goes with what holds nothing else', () => {
    const resource = { name: { givenName: 'A' }, [extension]: { floor: 3 } };
    expect(outcomeOf(resource, { 'name.givenName': null, [`${extension}:floor`]: null })).toEqual(
      {},
    );
    expect(
      outcomeOf({ name: { givenName: 'A', familyName: 'B' } }, { 'name.givenName': null }),
    ).toEqual({
      name: { familyName: 'B' },
    });
  });

  test('keeps the name that the service gives it', () => {
    expect(outcomeOf({ UserName: 'a' }, { userName: 'b' })).toEqual({ UserName: 'b' });
  });
});

describe('elements', () => {
  test.each([
    [
      'of the filter get the value',
      [work, home],
      { 'emails[type eq "work"].value': 'b' },
      [{ ...work, value: 'b' }, home],
    ],
    [
      'of the filter may be meant without a part',
      [work],
      { 'emails[type eq "work"]': 'b' },
      [{ ...work, value: 'b' }],
    ],
    [
      'that are not there are made of the filter',
      [home],
      { 'emails[type eq "work" and primary eq true].value': 'b' },
      [home, { type: 'work', primary: true, value: 'b' }],
    ],
    ['go with their value', [work, home], { 'emails[type eq "work"].value': null }, [home]],
    [
      'without a filter: the primary one counts',
      [work, { ...home, primary: true }],
      { 'emails.value': 'b' },
      [work, { ...home, primary: true, value: 'b' }],
    ],
    ['without a filter: the only one counts', [work], { emails: 'b' }, [{ ...work, value: 'b' }]],
    [
      'without a filter: of several only the one with the value stays',
      [work, home],
      { 'emails.value': 'a@home' },
      [home],
    ],
    [
      'without a filter: a list is all there will be',
      [work, home],
      { 'emails.value': '["a@home","new"]' },
      [home, { value: 'new' }],
    ],
    ['without a filter: none is there', [], { 'emails.value': 'b' }, [{ value: 'b' }]],
  ])('%s', (_, before, values, wanted) => {
    expect(outcomeOf({ emails: before }, values as unknown as Record<string, string>)).toEqual({
      emails: wanted,
    });
  });

  test('that are their own value are written as such', () => {
    const resource = { [extension]: { badges: ['x'] } };
    expect(outcomeOf(resource, { [`${extension}:badges`]: 'y' })).toEqual({
      [extension]: { badges: ['y'] },
    });
    expect(outcomeOf({}, { [`${extension}:badges`]: '["x","y"]' })).toEqual({
      [extension]: { badges: ['x', 'y'] },
    });
    expect(outcomeOf(resource, { [`${extension}:badges`]: null })).toEqual({});
  });

  test('lose one part, and go when nothing but their name is left', () => {
    const address = { type: 'work', locality: 'Łódź', country: 'PL' };
    const gone = { 'addresses[type eq "work"].locality': null };
    expect(outcomeOf({ addresses: [address] }, gone)).toEqual({
      addresses: [{ type: 'work', country: 'PL' }],
    });
    expect(outcomeOf({ addresses: [{ type: 'work', locality: 'Łódź' }] }, gone)).toEqual({});
  });

  test('that are not there cannot be made of a filter that says not what they are', () => {
    for (const filter of ['type ne "home"', 'type eq "work" or type eq "home"', 'not (type pr)']) {
      expect(() => outcomeOf({}, { [`emails[${filter}].value`]: 'b' })).toThrow(/none can be made/);
    }
  });
});

test('a path that the schema does not have is refused, with the nearest', () => {
  expect(() => edits({ usrName: 'a' })).toThrow('the nearest is “userName”');
});

test('without a schema, the attributes of the specification that have elements are known', () => {
  expect(edited({}, editsOf(writesOf({ 'emails.value': 'b' }), undefined, {}))).toEqual({
    emails: [{ value: 'b' }],
  });
});

describe('a PATCH', () => {
  test('of what is not known names the paths', () => {
    expect(
      operationsUnseen(
        edits({
          'emails[type eq "work"]': 'b',
          'addresses[type eq "work"].locality': null,
          'emails[type eq "home"].value': null,
        }),
      ),
    ).toEqual([
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'b' },
      { op: 'remove', path: 'addresses[type eq "work"].locality' },
      { op: 'remove', path: 'emails[type eq "home"]' },
    ]);
  });

  test('of what is known adds a missing element whole, and removes nothing that is not there', () => {
    const values = {
      'emails[type eq "home"].value': 'b',
      'addresses[type eq "work"].locality': 'Łódź',
      'addresses[type eq "work"].country': 'PL',
      'addresses[type eq "home"].country': null,
      'name.givenName': null,
      active: null,
    };
    expect(
      operationsFor({ emails: [work, home], active: true }, edits(values), { removesFirst: false }),
    ).toEqual([
      { op: 'replace', path: 'emails[type eq "home"].value', value: 'b' },
      { op: 'add', path: 'addresses', value: [{ type: 'work', locality: 'Łódź', country: 'PL' }] },
      { op: 'remove', path: 'active' },
    ]);
  });

  test('that removes first puts one element in the place of those that are there', () => {
    const twice = [work, { value: 'b', type: 'work' }, home];
    expect(
      operationsFor({ emails: twice }, edits({ 'emails[type eq "work"].value': 'b' }), {
        removesFirst: true,
      }),
    ).toEqual([
      { op: 'remove', path: 'emails[type eq "work"]' },
      { op: 'add', path: 'emails', value: [{ value: 'b', type: 'work' }] },
    ]);
  });
});
