/** When what was read back is what was wanted: as the schema of the service compares it. */
import { expect, test } from 'vitest';
import { editsOf } from '../../../connectors/scim/attribute-edit.ts';
import type { ScimService } from '../../../connectors/scim/service.ts';
import { ResourceSchema, readSchemas } from '../../../connectors/scim/service-schema.ts';
import { unmetEdits, unmetMembers } from '../../../connectors/scim/write-check.ts';
import type { Value } from '../../../engine/value-format.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const attributes = [
  { name: 'nickName', type: 'string', caseExact: false },
  { name: 'badge', type: 'string', caseExact: true },
  { name: 'active', type: 'boolean' },
  { name: 'hired', type: 'dateTime' },
  { name: 'floor', type: 'integer' },
  { name: 'tags', type: 'string', multiValued: true },
  {
    name: 'emails',
    type: 'complex',
    multiValued: true,
    subAttributes: [
      { name: 'value', type: 'string' },
      { name: 'type', type: 'string' },
    ],
  },
];
const schema = new ResourceSchema(readSchemas([{ id: core, attributes }]), core, []);
const type = { name: 'User', url: new URL('http://scim.invalid/Users'), schema };
const place = { type, service: { base: 'http://scim.invalid' } as ScimService };

test.each<[string, Value | null, unknown, boolean]>([
  ['nickName', 'Anna', 'Anna', true],
  ['nickName', 'Anna', 'anna', true],
  ['nickName', 'Anna', 'Anne', false],
  ['nickName', 'Anna', undefined, false],
  ['nickName', null, undefined, true],
  ['nickName', null, 'Anna', false],
  ['badge', 'X1', 'x1', false],
  ['active', true, 'True', true],
  ['active', true, false, false],
  ['active', false, undefined, false],
  ['hired', '2026-11-22T09:00:00Z', '2026-11-22T10:00:00.000+01:00', true],
  ['hired', '2026-11-22', '2026-11-22T00:00:00Z', true],
  ['hired', '2026-11-22T09:00:00Z', '2026-11-22T09:00:01Z', false],
  ['floor', 3, '3.0', true],
  ['floor', 3, 4, false],
  ['tags', '["b","a"]', ['a', 'b'], true],
  ['tags', '["b","a"]', ['a', 'b', 'c'], false],
  ['emails[type eq "work"].value', 'a', [{ type: 'WORK', value: 'a' }], true],
  ['emails[type eq "work"].value', 'a', [{ type: 'home', value: 'a' }], false],
])('%s = %s, and %j is there: %s', (path, value, present, isMet) => {
  const [name = ''] = path.split('[');
  const edits = editsOf([{ path, value }], schema, {});
  expect(unmetEdits({ [name]: present }, edits, place)).toEqual(isMet ? [] : edits);
});

test('members are told by their value, or by their address', () => {
  const group = {
    members: [{ value: 'a' }, { $ref: 'https://scim.invalid/Users/b%20b' }, { value: 'c' }],
  };
  const change = { attribute: 'members', added: ['a', 'b b', 'd'], removed: ['c', 'e'] };
  expect(unmetMembers(group, [change])).toEqual([
    { attribute: 'members', added: ['d'], removed: ['c'] },
  ]);
  expect(unmetMembers({}, [{ attribute: 'members', added: [], removed: ['c'] }])).toEqual([]);
});
