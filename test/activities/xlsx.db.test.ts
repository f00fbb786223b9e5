/** A workbook from its first load to the next day: two of its sheets, typed values, and rejects by row of the sheet. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigurationDocument } from '../../config/document.ts';
import type { Reject } from '../../engine/reject.ts';
import { openSyncBench, type SyncBench } from '../support/sync-bench.ts';
import { workbook } from '../support/workbook.ts';

const configuration: ConfigurationDocument = {
  connectors: { sab: { kind: 'xlsx', directory: './sab' } },
  entityTypes: {
    person: {
      connector: 'sab',
      source: { file: 'hr.xlsx', sheet: 'Staff', headerRow: 3 },
      key: 'id',
      properties: {
        id: { column: 'Number', type: 'integer' },
        name: { column: 'Name' },
        born: { column: 'Born', type: 'date' },
        lastSeen: { column: 'Last seen', type: 'datetime', timezone: 'Europe/Paris' },
        active: { column: 'Active', type: 'boolean' },
        rate: { column: 'Rate', type: 'number' },
      },
    },
    team: {
      connector: 'sab',
      source: { file: 'hr.xlsx', sheet: 'Teams' },
      key: 'code',
      properties: { code: { column: 'code' } },
    },
  },
  associations: {
    membership: {
      connector: 'sab',
      source: { file: 'hr.xlsx', sheet: 'Teams' },
      from: { entityType: 'team', property: 'members', column: 'code' },
      to: { entityType: 'person', property: 'teams', column: 'lead' },
    },
  },
};

const headings = ['Number', 'Name', 'Born', 'Last seen', 'Active', 'Rate', 'Comment'];

interface Person {
  readonly number: string;
  /** XML of the cell of the name. */
  readonly name: string;
  readonly born?: string;
  readonly comment?: string;
}

const text = (value: string) => `<c t="str"><v>${value}</v></c>`;
const failed = '<c t="e"><f>VLOOKUP(A5,X:X,2)</f><v>#N/A</v></c>';

function row(number: number, { number: key, name, born = '30000', comment = '<c/>' }: Person) {
  return `<row r="${number}"><c><v>${key}</v></c>${name}<c s="1"><v>${born}</v></c><c s="2"><v>45356.572916666664</v></c><c t="b"><v>1</v></c><c><v>0.1</v></c>${comment}</row>`;
}

/** The workbook with these people from row 4 on. */
function hr(people: readonly Person[], leads: readonly string[] = ['1', '2']): Buffer {
  const staff = people.map((person, at) => row(4 + at, person)).join('');
  const teams = leads.map((lead, at) => `<row>${text(`t${at}`)}<c><v>${lead}</v></c></row>`);
  return workbook({
    sheets: {
      Staff: `<row r="1">${text('Staff')}</row><row r="3">${headings.map(text).join('')}</row>${staff}`,
      Teams: `<row>${text('code')}${text('lead')}</row>${teams.join('')}`,
    },
    formats: ['dd/mm/yyyy', 'dd/mm/yyyy hh:mm'],
  });
}

const people = ['Zoé', 'Ann', 'Bo'].map((name, at) => ({ number: `${at + 1}`, name: text(name) }));
const [zoe, ann, bo] = people as [Person, Person, Person];
const place = ({ file, code, line, key, column, value }: Reject) => [
  `${file}:${line}`,
  code,
  key,
  column,
  value,
];

let bench: SyncBench;
beforeAll(async () => {
  bench = await openSyncBench(configuration);
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset(configuration));

test('the first load has the stored values, of two sheets', async () => {
  const { contents, counts, rejects } = await bench.sync({ 'hr.xlsx': hr(people) });
  expect(counts).toMatchObject({ read: 7, rejected: 0, inserted: 5, linksInserted: 2 });
  expect(rejects).toEqual([]);
  expect(contents.resources['person']?.['1']).toEqual({
    id: 1,
    name: 'Zoé',
    born: '1982-02-18',
    lastSeen: '2024-03-05T12:45:00.000Z',
    active: true,
    rate: 0.1,
  });
  expect(contents.links['membership']).toEqual(['t0 → 1', 't1 → 2']);
});

test('the next day changes what changed, and the same workbook nothing', async () => {
  await bench.sync({ 'hr.xlsx': hr(people) });
  const same = await bench.sync({ 'hr.xlsx': hr(people) });
  expect(same.changes).toEqual([]);
  const born = { ...bo, born: '30001' };
  const next = await bench.sync({ 'hr.xlsx': hr([zoe, born, { number: '4', name: text('Eve') }]) });
  expect(next.counts).toMatchObject({ inserted: 1, updated: 1, deleted: 1, unchanged: 3 });
  expect(next.contents.resources['person']).toMatchObject({
    3: { born: '1982-02-19' },
    4: { name: 'Eve' },
  });
  expect(next.contents.resources['person']).not.toHaveProperty('2');
});

describe('an error cell', () => {
  test('rejects its row by sheet, row and column, and what is stored stays', async () => {
    await bench.sync({ 'hr.xlsx': hr(people) });
    const { rejects, changes, contents } = await bench.sync({
      'hr.xlsx': hr([zoe, { ...ann, name: failed }, bo]),
    });
    expect(rejects.map(place)).toEqual([['hr.xlsx#Staff:5', 'ValueInvalid', '2', 'Name', '#N/A']]);
    expect(rejects[0]?.message).toBe('name is the error of a formula, not a value');
    expect(changes).toEqual([]);
    expect(contents.resources['person']?.['2']).toMatchObject({ name: 'Ann' });
  });

  test('is never somebody’s name, while text that says #N/A is', async () => {
    const { contents, rejects } = await bench.sync({
      'hr.xlsx': hr([zoe, { ...ann, name: failed }, { ...bo, name: text('#N/A') }], ['1']),
    });
    expect(rejects).toHaveLength(1);
    expect(Object.keys(contents.resources['person'] ?? {})).toEqual(['1', '3']);
    expect(contents.resources['person']?.['3']).toMatchObject({ name: '#N/A' });
  });

  test('of a column that is not mapped is harmless', async () => {
    const { rejects, counts } = await bench.sync({
      'hr.xlsx': hr([{ ...zoe, comment: failed }, ann, bo]),
    });
    expect([rejects, counts.inserted]).toEqual([[], 5]);
  });

  test('in a date or a link is a reject like others', async () => {
    const born = row(4, zoe).replace('<c s="1"><v>30000</v></c>', failed);
    const bytes = workbook({
      sheets: {
        Staff: `<row r="3">${headings.map(text).join('')}</row>${born}${row(9, ann)}`,
        Teams: `<row>${text('code')}${text('lead')}</row><row>${text('t0')}${failed}</row>`,
      },
      formats: ['dd/mm/yyyy', 'dd/mm/yyyy hh:mm'],
    });
    const { rejects } = await bench.sync({ 'hr.xlsx': bytes });
    expect(rejects.map(place)).toEqual([
      ['hr.xlsx#Staff:4', 'ValueInvalid', '1', 'Born', '#N/A'],
      ['hr.xlsx#Teams:2', 'ValueInvalid', null, 'lead', '#N/A'],
    ]);
  });
});

test('rejects name rows of the sheet below cells of several lines and blank rows', async () => {
  const bytes = workbook({
    sheets: {
      Staff: `<row r="3">${headings.map(text).join('')}</row>${row(5, { ...zoe, name: text('a\nb\nc') })}${row(9, { ...ann, born: '60' })}${row(20, { ...bo, number: '1.5' })}`,
      Teams: `<row>${text('code')}${text('lead')}</row><row>${text('t0')}<c><v>1</v></c></row>`,
    },
    formats: ['dd/mm/yyyy', 'dd/mm/yyyy hh:mm'],
  });
  const { rejects } = await bench.sync({ 'hr.xlsx': bytes });
  expect(rejects.map(place)).toEqual([
    // 29 February 1900, which a spreadsheet shows and no calendar has.
    ['hr.xlsx#Staff:9', 'ValueInvalid', '2', 'Born', '60'],
    ['hr.xlsx#Staff:20', 'ValueInvalid', null, 'Number', '1.5'],
  ]);
});

test('a mapped heading that is there twice stops the job, one that is not mapped does not', async () => {
  const twice = (heading: string) =>
    workbook({
      sheets: {
        Staff: `<row r="3">${[...headings, heading].map(text).join('')}</row>${row(4, zoe)}`,
        Teams: `<row>${text('code')}${text('lead')}</row><row>${text('t0')}<c><v>1</v></c></row>`,
      },
      formats: ['dd/mm/yyyy', 'dd/mm/yyyy hh:mm'],
    });
  await expect(bench.prepare({ 'hr.xlsx': twice('Name') })).rejects.toMatchObject({
    message: expect.stringContaining('hr.xlsx#Staff has the heading “Name” more than once'),
  });
  const { counts } = await bench.sync({ 'hr.xlsx': twice('Comment') });
  expect(counts.inserted).toBe(2);
});
