/** Attribute paths of SCIM: what is read of them, and what is said of those that are none. */
import { describe, expect, test } from 'vitest';
import { parseAttributePath } from '../../engine/attribute-path.ts';

describe('a path is read', () => {
  const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
  test.each([
    ['userName', { attribute: 'userName' }],
    ['name.givenName', { attribute: 'name', subAttribute: 'givenName' }],
    ['members.$ref', { attribute: 'members', subAttribute: '$ref' }],
    [
      `${enterprise}:manager.value`,
      { schema: enterprise, attribute: 'manager', subAttribute: 'value' },
    ],
    [
      'emails[type eq "work"].value',
      {
        attribute: 'emails',
        filter: { operator: 'eq', attribute: 'type', literal: 'work' },
        subAttribute: 'value',
      },
    ],
    [
      `${enterprise}:badges[value sw "a:]b\\""]`,
      {
        schema: enterprise,
        attribute: 'badges',
        filter: { operator: 'sw', attribute: 'value', literal: 'a:]b"' },
      },
    ],
  ])('%s', (text, path) => {
    expect(parseAttributePath(text)).toEqual(path);
  });
});

test('not binds closest, then and, then or; words count whatever their case', () => {
  const { filter } = parseAttributePath(
    'x[a pr OR b eq 1 And not (c eq true or d eq null) or e ge -2.5]',
  );
  const pr = { operator: 'pr', attribute: 'a' };
  const c = { operator: 'eq', attribute: 'c', literal: true };
  const d = { operator: 'eq', attribute: 'd', literal: null };
  const not = { operator: 'not', of: { operator: 'or', left: c, right: d } };
  const and = { operator: 'and', left: { operator: 'eq', attribute: 'b', literal: 1 }, right: not };
  expect(filter).toEqual({
    operator: 'or',
    left: { operator: 'or', left: pr, right: and },
    right: { operator: 'ge', attribute: 'e', literal: -2.5 },
  });
});

describe('what is no path is refused, and why is said', () => {
  test.each([
    ['', /is not an attribute path/],
    ['two words', /is not an attribute path/],
    ['a.b.c', /is not an attribute path/],
    ['1st', /is not an attribute path/],
    ['emails[type eq "work"', /a \[ that is not closed/],
    ['emails[type eq "work"]value', /after its filter/],
    ['emails.value[type eq "work"]', /a filter on a part/],
    ['emails[]', /an attribute is missing/],
    ['emails[type = "work"]', /cannot be read from character 5/],
    ['emails[type eq work]', /text in double quotes/],
    ['emails[type is "work"]', /eq, ne, co/],
    ['emails[type eq "a" primary]', /and, or, or the end/],
    ['emails[(type pr]', /\) is missing/],
    ['emails[not type pr]', /\( is missing/],
  ])('%s', (text, reason) => {
    expect(() => parseAttributePath(text)).toThrow(reason);
  });
});
