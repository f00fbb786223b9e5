/** Sheets of workbooks in lockstep.yaml: how they are named, and what is refused of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfiguration } from '../../config/configuration.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-sheets-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A configuration whose two entity types are mapped to these sources. */
async function read(person: unknown, team: unknown = 'teams.xlsx', kind = 'xlsx') {
  const file = join(directory, 'lockstep.yaml');
  const properties = { id: { column: 'id' }, seen: { column: 'seen', type: 'datetime' } };
  const type = { connector: 'hr', key: 'id', properties };
  const document = {
    connectors: { hr: { kind, directory: './hr' } },
    entityTypes: { person: { ...type, source: person }, team: { ...type, source: team } },
  };
  await writeFile(file, JSON.stringify(document));
  return (await readConfiguration(file, {})).configuration;
}

const refusal = async (...sources: Parameters<typeof read>) =>
  await read(...sources).then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  );

describe('a source of an xlsx connector', () => {
  test.each<[unknown, string, object]>([
    ['people.xlsx', 'people.xlsx', { file: 'people.xlsx' }],
    [{ file: 'in/people.xlsx' }, 'in/people.xlsx', { file: 'in/people.xlsx' }],
    [
      { file: 'people.xlsx', sheet: 'Staff' },
      'people.xlsx#Staff',
      { file: 'people.xlsx', sheet: 'Staff' },
    ],
    [
      { file: 'people.xlsx', sheet: 'Staff', headerRow: 3 },
      'people.xlsx#Staff',
      { file: 'people.xlsx', sheet: 'Staff', headerRow: 3 },
    ],
  ])('%j is named %s', async (written, name, options) => {
    const { connectors, entityTypes } = await read(written);
    expect(connectors.get('hr')).toMatchObject({ kind: 'xlsx', directory: join(directory, 'hr') });
    expect(entityTypes.get('person')?.source).toMatchObject({ name, options });
  });

  test('may be one of two sheets of one workbook, or be mapped twice', async () => {
    const staff = { file: 'hr.xlsx', sheet: 'Staff', headerRow: 3 };
    const { entityTypes } = await read(staff, { file: 'hr.xlsx', sheet: 'Teams' });
    expect(entityTypes.get('team')?.source.name).toBe('hr.xlsx#Teams');
    await read(staff, { headerRow: 3, sheet: 'Staff', file: 'hr.xlsx' });
  });

  test.each<[string, Parameters<typeof read>, RegExp]>([
    [
      'outside of the directory',
      [{ file: '../a.xlsx' }],
      /person\.source\.file: must be a file within/,
    ],
    [
      'without a file',
      [{ sheet: 'Staff' }],
      /person\.source: must be a workbook, or a sheet of one: \{ file/,
    ],
    [
      'with a header row before the first',
      [{ file: 'a.xlsx', headerRow: 0 }],
      /source\.headerRow: /,
    ],
    ['with a blank sheet', [{ file: 'a.xlsx', sheet: '' }], /source\.sheet: /],
    [
      'with an option that is none',
      [{ file: 'a.xlsx', shet: 'Staff' }],
      /person\.source\.shet: is not an option here; did you mean “sheet”\?/,
    ],
    [
      'whose sheet has another header elsewhere',
      [{ file: 'a.xlsx', headerRow: 3 }, 'a.xlsx'],
      /team\.source: is read in another way elsewhere; a source has one meaning/,
    ],
    [
      'that is a table',
      [{ table: 'person' }],
      /person\.source: must be a workbook, or a sheet of one/,
    ],
    ['of a csv connector', [{ file: 'a.csv', sheet: 'Staff' }, 'b.csv', 'csv'], /person\.source/],
  ])('%s is refused', async (_, sources, message) => {
    expect(await refusal(...sources)).toMatch(message);
  });

  test('takes the times that cells hold without a format', async () => {
    const { entityTypes } = await read('people.xlsx');
    const seen = entityTypes.get('person')?.properties[1];
    expect(seen).toMatchObject({ format: { type: 'datetime', format: 'ISO 8601' } });
  });
});
