/** The cell that an attribute path makes of a resource. */
import { expect, test } from 'vitest';
import { cellAt } from '../../../connectors/scim/attribute-value.ts';
import { parseAttributePath } from '../../../engine/attribute-path.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const user = {
  userName: 'ada',
  name: { givenName: 'Ada', formatted: null },
  active: false,
  emails: [
    { value: 'a@home', type: 'home' },
    { value: 'a@work', type: 'Work', primary: true },
    { value: 'b@work', type: 'work' },
  ],
  roles: [{ value: 'b' }, { value: 'a' }, { value: 'b' }],
  nickNames: ['z', 'y'],
  photos: [{ value: 'only' }],
  addresses: [{ type: 'work', locality: 'Oslo', weight: 3 }],
  [enterprise]: { department: 'R&D', manager: { value: 'id-7' } },
};

test.each([
  ['userName', 'ada'],
  ['USERNAME', 'ada'],
  ['name.givenName', 'Ada'],
  ['name.formatted', ''],
  ['name', '{"formatted":null,"givenName":"Ada"}'],
  ['nothing.there', ''],
  ['active', 'false'],
  [`${enterprise}:department`, 'R&D'],
  [`${enterprise}:manager.value`, 'id-7'],
  ['urn:example:other:department', ''],
  ['urn:ietf:params:scim:schemas:core:2.0:User:userName', 'ada'],
  // Of several, the primary one; without one, all of them in sorted order; a single one as it is.
  ['emails', 'a@work'],
  ['emails.value', 'a@work'],
  ['emails[type eq "home"].value', 'a@home'],
  ['emails[type eq "work"].value', 'a@work'],
  ['emails[type eq "work" and not (primary eq true)].value', 'b@work'],
  ['emails[value co "@WORK"].type', 'Work'],
  ['emails[value ew "home" or value sw "B@"].value', '["a@home","b@work"]'],
  ['emails[primary pr].value', 'a@work'],
  ['emails[primary ne true].value', '["a@home","b@work"]'],
  ['emails[type eq "none"].value', ''],
  ['roles', '["a","b"]'],
  ['nickNames', '["y","z"]'],
  ['nickNames[value eq "y"]', 'y'],
  ['photos', 'only'],
  ['addresses[weight gt 2 and weight le 3].locality', 'Oslo'],
  ['addresses[weight lt 3].locality', ''],
  ['addresses[display eq null].locality', 'Oslo'],
])('%s', (path, cell) => {
  expect(cellAt(user, parseAttributePath(path))).toBe(cell);
});

test('text is compared exactly where the schema says so', () => {
  const path = parseAttributePath('emails[type eq "work"].value');
  expect(cellAt(user, path, () => true)).toBe('b@work');
});
