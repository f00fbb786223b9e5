// Tests of what a person reads about changes, rejects and resources.

import { expect, test } from 'vitest';
import { changeLine } from '../../client/output/change-text.ts';
import { rejectLine } from '../../client/output/reject-text.ts';
import { resourceRow, resourceText, shellWord } from '../../client/output/resource-text.ts';
import { plainTerminal, terminalOf } from '../../client/output/terminal.ts';
import type { Change } from '../../store/queries/changes.ts';

const ownerOf = () => 'sab_user';
const line = (change: Change) => changeLine(plainTerminal, change, ownerOf);
const resource = { entityType: 'sab_user', key: 'jdoe' } as const;
const link = { association: 'sab_membership', property: 'groups', from: 'jdoe', to: 'admins' };

test('a change is one line: what, who, before → after', () => {
  const before = { login: 'jdoe', lastName: 'Doe', title: 'Boss' };
  const after = { login: 'jdoe', lastName: 'Dupont', phone: '1' };
  expect(line({ ...resource, change: 'update', before, after })).toBe(
    '~ sab_user jdoe  lastName: "Doe" → "Dupont", phone: ∅ → "1", title: "Boss" → ∅',
  );
  expect(
    line({ ...resource, change: 'insert', before: null, after: { active: true, login: 'jdoe' } }),
  ).toBe('+ sab_user jdoe  active: true, login: "jdoe"');
  expect(line({ ...resource, change: 'delete', before: { login: 'jdoe' }, after: null })).toBe(
    '- sab_user jdoe  login: "jdoe"',
  );
});

test('a link says which property gains, loses or changes which key', () => {
  expect(line({ ...link, previous: null, change: 'insert' })).toBe(
    '  sab_user jdoe  groups + admins',
  );
  expect(line({ ...link, previous: null, change: 'delete' })).toBe(
    '  sab_user jdoe  groups - admins',
  );
  const moved = {
    association: 'sab_user.organisation',
    property: 'organisation',
    from: 'jdoe',
    to: 'B',
  };
  expect(line({ ...moved, previous: 'A', change: 'update' })).toBe(
    '  sab_user jdoe  organisation A → B',
  );
});

test('a value of the source cannot command the terminal', () => {
  const key = 'x\u001b[2J\u009b';
  const shown = line({ ...resource, key, change: 'delete', before: { a: '\u009b1' }, after: null });
  expect(shown).toBe('- sab_user x�[2J�  a: "�1"');
});

test('a reject is a place an editor can follow, with the cell and the reason', () => {
  const reject = {
    entityType: 'sab_user',
    file: 'users.csv',
    line: 17,
    key: 'jdoe',
    column: 'hire_date',
    value: '31/02/2021',
    code: 'ValueInvalid',
    message: 'hireDate is not a date',
  } as const;
  expect(rejectLine(plainTerminal, reject)).toBe(
    'users.csv:17  ValueInvalid  hire_date="31/02/2021"  jdoe  hireDate is not a date',
  );
  expect(rejectLine(plainTerminal, { ...reject, line: null, column: null, key: null })).toBe(
    'users.csv  ValueInvalid  hireDate is not a date',
  );
});

const type = {
  id: 1,
  name: 'sab_user',
  key: 'login',
  properties: ['active', 'login'],
  navigations: [
    {
      name: 'organisation',
      id: 1,
      outgoing: true,
      entityType: 'sab_organisation',
      entityTypeId: 2,
      singleValued: true,
    },
    {
      name: 'groups',
      id: 2,
      outgoing: true,
      entityType: 'sab_group',
      entityTypeId: 2,
      singleValued: false,
    },
  ],
};

test('a resource shows the command that follows each link, a terminal not more than twenty', () => {
  const groups = Array.from({ length: 25 }, (_, index) => `g ${index}`);
  const jdoe = {
    key: 'jdoe',
    attributes: { login: 'jdoe', active: true },
    links: { organisation: 'ORG', groups },
  };
  const text = resourceText(plainTerminal, type, jdoe);
  expect(text).toContain('sab_user jdoe\n\n  login   jdoe\n  active  true\n');
  expect(text).toContain(
    '  organisation\n    ORG  lockstep show sab_organisation ORG\n  groups (25)\n',
  );
  expect(text).toContain("lockstep show sab_group 'g 24'");
  const shown = resourceText(
    terminalOf({ isTTY: true, columns: 80 }, { NO_COLOR: '1' }),
    type,
    jdoe,
  );
  expect(shown).toContain('groups (25)');
  expect(shown).not.toContain('g 24');
  expect(shown).toContain('… and 5 more');
  expect(resourceRow(type, jdoe)).toEqual(['jdoe', 'true', 'ORG', '25']);
});

test('a key is one word of a shell command', () => {
  expect(shellWord('jean-marie@x.fr')).toBe('jean-marie@x.fr');
  expect(shellWord("l'été")).toBe("'l'\\''été'");
});
