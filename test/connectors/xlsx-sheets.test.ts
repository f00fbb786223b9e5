/** Which sheet, header and rows the XLSX connector reads, and the numbers that its rows keep. */
import { describe, expect, test } from 'vitest';
import {
  textRows,
  type WorkbookContent,
  workbook,
  workbookParts,
  zip,
} from '../support/workbook.ts';
import { exportedSheet, refusal, sheetError } from './sheet-export.ts';

const people = textRows([
  ['id', 'name'],
  ['1', 'Zoé'],
]);
const teams = textRows([
  ['code', 'label'],
  ['t1', 'Team'],
]);
const text = (reference: string, value: string) =>
  `<c r="${reference}" t="str"><v>${value}</v></c>`;

describe('the sheet', () => {
  const content: WorkbookContent = {
    sheets: { Secret: teams, Staff: people, Teams: teams },
    states: { Secret: 'hidden' },
  };

  test('is the first that is not hidden: the first part may be a sheet that nobody sees', async () => {
    expect((await exportedSheet(content)).records[0]).toEqual(['id', 'name']);
  });

  test.each(['Teams', 'teams', 'Secret'])('is the one that is named, %s', async (sheet) => {
    expect((await exportedSheet(content, { sheet })).records[0]).toEqual(['code', 'label']);
  });

  test('that is not there is refused with those that are', async () => {
    expect(await refusal(content, { sheet: 'Staf' })).toBe(
      'SourceUnreadable: people.xlsx#Staf has no sheet of that name; it has “Secret”, “Staff”, “Teams”',
    );
  });

  test('is found through its relationship: sheet1.xml may be the last one', async () => {
    const parts = workbookParts({ sheets: { Staff: people, Teams: teams } });
    const relations = 'xl/_rels/workbook.xml.rels';
    const swapped = String(parts[relations]).replaceAll(/sheet([12])\.xml/g, (_, number) =>
      number === '1' ? 'sheet2.xml' : 'sheet1.xml',
    );
    const { records } = await exportedSheet(zip({ ...parts, [relations]: swapped }));
    expect(records[0]).toEqual(['code', 'label']);
  });

  test('a sheet of a chart is none', async () => {
    const parts = workbookParts({ sheets: { Chart: '', Staff: people } });
    const relations = 'xl/_rels/workbook.xml.rels';
    const chart = String(parts[relations]).replace('/worksheet"', '/chartsheet"');
    const bytes = zip({ ...parts, [relations]: chart });
    expect((await exportedSheet(bytes)).records[0]).toEqual(['id', 'name']);
    expect(await refusal(bytes, { sheet: 'Chart' })).toMatch(/has no sheet of that name/);
  });

  test('of a workbook in the strict edition reads the same', async () => {
    const namespace = 'http://purl.oclc.org/ooxml/spreadsheetml/main';
    const { records } = await exportedSheet({ sheets: { Staff: people }, namespace });
    expect(records).toEqual([
      ['id', 'name'],
      ['1', 'Zoé'],
    ]);
  });

  test('of a workbook that prefixes every element reads the same: a reader by tag finds nothing', async () => {
    const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
    const sheet = `<?xml version="1.0"?><x:worksheet xmlns:x="${main}"><x:sheetData>${people.replaceAll(/<(\/?)(?=[a-z])/g, '<$1x:')}</x:sheetData></x:worksheet>`;
    const { records } = await exportedSheet({ sheets: { Staff: sheet } });
    expect(records[1]).toEqual(['1', 'Zoé']);
  });

  test('elements of other namespaces are no cells', async () => {
    const foreign =
      '<row r="3" xmlns:y="urn:y"><y:c r="A3"><y:v>9</y:v></y:c><c r="B3" t="str"><y:v>x</y:v><v>Ann</v><extLst><ext><y:x/></ext></extLst></c></row>';
    const { records } = await exportedSheet({ sheets: { Staff: people + foreign } });
    expect(records[2]).toEqual(['', 'Ann']);
  });

  test('parts in UTF-16, and parts named with other capitals, are read', async () => {
    const parts = workbookParts({ sheets: { Staff: people } });
    const sheet = String(parts['xl/worksheets/sheet1.xml']).replace('UTF-8', 'UTF-16');
    delete parts['xl/worksheets/sheet1.xml'];
    const { records } = await exportedSheet(
      zip({ ...parts, 'xl/Worksheets/Sheet1.xml': Buffer.from(`\uFEFF${sheet}`, 'utf16le') }),
    );
    expect(records[1]).toEqual(['1', 'Zoé']);
  });

  test('two sheets of one workbook are two sources with a file each', async () => {
    const [staff, groups] = await Promise.all(
      ['Staff', 'Teams'].map((sheet) => exportedSheet(content, { sheet })),
    );
    expect([staff?.file.file, groups?.file.file]).toEqual([
      'people.xlsx#Staff',
      'people.xlsx#Teams',
    ]);
  });
});

describe('the header', () => {
  const titled = `<row r="2">${text('A2', 'Staff of 2026')}</row><row r="4">${text('B4', 'id')}${text('C4', 'name')}</row><row r="7">${text('B7', '1')}${text('C7', 'Zoé')}</row>`;

  test('is the first row that holds anything', async () => {
    const { records, lines } = await exportedSheet({
      sheets: {
        Staff: `<row r="1"><c r="A1" s="0"/></row><row r="2">${text('A2', 'id')}${text('B2', 'name')}</row><row r="3">${text('A3', '1')}</row>`,
      },
    });
    expect([records[0], lines[0]]).toEqual([['id', 'name'], 2]);
  });

  test('that is the title of the sheet is seen as such when all else is beside it', async () => {
    expect(await refusal({ sheets: { Staff: titled } })).toBe(
      'SourceUnreadable: people.xlsx row 2: the row was taken for the header, and no row has anything below its headings',
    );
  });

  test('is the row that is named; what is above it is not read, not even looked at', async () => {
    const sheet = `<row r="1"><c r="A1"><f>NOW()</f></c></row>${titled}`;
    const { records, lines } = await exportedSheet({ sheets: { Staff: sheet } }, { headerRow: 4 });
    expect(records).toEqual([
      ['', 'id', 'name'],
      ['', '1', 'Zoé'],
    ]);
    expect(lines).toEqual([4, 7]);
  });

  test('that is blank is refused: the next row would be somebody', async () => {
    expect(await refusal({ sheets: { Staff: titled } }, { headerRow: 5 })).toBe(
      'SourceUnreadable: people.xlsx row 5: the row that is to be the header is blank',
    );
  });

  test('of numbers, dates and errors is text', async () => {
    const sheet = `<row><c><v>2024</v></c><c s="1"><v>45356</v></c><c t="e"><v>#REF!</v></c></row><row><c><v>1</v></c></row>`;
    const { records } = await exportedSheet({ sheets: { Staff: sheet }, formats: [14] });
    expect(records[0]).toEqual(['2024', '2024-03-05', '#REF!']);
  });

  test('ends with its last heading: a note beside the table widens no row', async () => {
    const sheet = `${people}<row r="3">${text('A3', '2')}${text('B3', 'Ann')}${text('H3', 'left in May')}</row><row r="4">${text('H4', 'see above')}</row><row r="5"><c r="K5"><f>SUM(A1:A3)</f></c></row>`;
    const { records } = await exportedSheet({ sheets: { Staff: sheet } });
    expect(records).toEqual([
      ['id', 'name'],
      ['1', 'Zoé'],
      ['2', 'Ann'],
    ]);
  });
});

describe('rows', () => {
  test('keep their numbers: rows left out, blank ones and line breaks in cells shift nobody', async () => {
    const sheet = `<row r="1">${text('A1', 'id')}${text('B1', 'name')}</row><row r="2">${text('A2', '1')}${text('B2', 'two\nlines, and\n\nmore')}</row><row r="5">${text('A5', '2')}</row><row r="6"><c r="A6" s="0"/></row><row r="9">${text('A9', '3')}${text('B9', 'x')}</row>`;
    const { records, lines, file } = await exportedSheet({ sheets: { Staff: sheet } });
    expect(lines).toEqual([1, 2, 5, 9]);
    expect(records[2]).toEqual(['2', '']);
    expect(file.rows).toBe(3);
  });

  test('and cells without a place are where they come in order', async () => {
    const sheet = `<row><c t="str"><v>id</v></c><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row><row r="4"><c t="str"><v>1</v></c><c r="C4" t="str"><v>x</v></c></row><row><c t="str"><v>2</v></c></row>`;
    const { records, lines } = await exportedSheet({ sheets: { Staff: sheet } });
    expect(records.slice(1)).toEqual([
      ['1', '', 'x'],
      ['2', '', ''],
    ]);
    expect(lines).toEqual([1, 4, 5]);
  });

  test('cells are found by their place: a row that leaves cells out is not moved to the left', async () => {
    const { records } = await exportedSheet({
      sheets: {
        Staff: textRows([
          ['id', 'a', 'b'],
          ['1', '', 'x'],
        ]),
      },
    });
    expect(records[1]).toEqual(['1', '', 'x']);
  });

  test('hidden, filtered and grouped ones are read like others, columns too: who is filtered out has not left', async () => {
    const sheet = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cols><col min="2" max="2" hidden="1"/></cols><sheetData>${people.replace('<row r="2">', '<row r="2" hidden="1" outlineLevel="1">')}</sheetData><autoFilter ref="A1:B2"/></worksheet>`;
    const { records } = await exportedSheet({ sheets: { Staff: sheet } });
    expect(records[1]).toEqual(['1', 'Zoé']);
  });

  test('the value of merged cells is in the first of them only, as it is stored', async () => {
    const sheet = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${textRows(
      [
        ['id', 'team'],
        ['1', 'Sales'],
        ['2', ''],
      ],
    )}</sheetData><mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells></worksheet>`;
    const { records } = await exportedSheet({ sheets: { Staff: sheet } });
    expect(records.slice(1)).toEqual([
      ['1', 'Sales'],
      ['2', ''],
    ]);
  });

  test.each(['A1', 'A1:XFD1048576', 'nonsense'])(
    'the range that a sheet says to have, %s, is not believed',
    async (range) => {
      const sheet = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="${range}"/><sheetData>${people}</sheetData></worksheet>`;
      const { records, file } = await exportedSheet({ sheets: { Staff: sheet } });
      expect([records.length, file.rows]).toEqual([2, 1]);
    },
  );

  test('20,000 styled rows of nothing are nobody, before the last row and after it', async () => {
    const styled = (from: number, rows: number) =>
      Array.from(
        { length: rows },
        (_, at) => `<row r="${from + at}" s="1"><c r="A${from + at}" s="1"/></row>`,
      ).join('');
    const last = `<row r="10003">${text('A10003', '2')}</row>`;
    const sheet = people + styled(3, 10_000) + last + styled(10_004, 10_000);
    const { file, lines, text: written } = await exportedSheet({ sheets: { Staff: sheet } });
    expect([file.rows, lines]).toEqual([2, [1, 2, 10_003]]);
    expect(written.split('\n')).toHaveLength(10_004);
  });

  test('the last row that a sheet can have is row 1048576', async () => {
    const last = `<row r="1048576">${text('A1048576', '2')}</row>`;
    const { lines } = await exportedSheet({ sheets: { Staff: people + last } });
    expect(lines).toEqual([1, 2, 1_048_576]);
  });

  test.each([
    [
      'a row twice',
      `<row r="2">${text('A2', '1')}</row><row r="2">${text('A2', '2')}</row>`,
      'row 2',
    ],
    ['rows out of order', `<row r="3"/><row r="2">${text('A2', '2')}</row>`, 'row 3'],
    ['a row beyond the last', `<row r="1048577">${text('A1048577', '2')}</row>`, 'row 1'],
    ['a row of no number', '<row r="x"/>', 'row 1'],
    ['a cell twice', `<row r="2">${text('A2', '1')}${text('A2', '2')}</row>`, 'row 2'],
    ['cells out of order', `<row r="2">${text('B2', '1')}${text('A2', '2')}</row>`, 'row 2'],
    ['a cell of another row', `<row r="2">${text('A3', '1')}</row>`, 'row 2'],
    ['a cell beyond the last column', `<row r="2">${text('XFE2', '1')}</row>`, 'row 2'],
    ['a cell of no place', `<row r="2">${text('2', '1')}</row>`, 'row 2'],
  ])('%s: refused, as nobody knows which is meant', async (_, rows, place) => {
    const header = `<row r="1">${text('A1', 'id')}</row>`;
    const message = await refusal({ sheets: { Staff: header + rows } });
    expect(message).toMatch(/^SourceUnreadable: people\.xlsx .*cannot follow/);
    expect(message).toContain(place);
  });
});

test.each([
  ['no row at all', '', 'is blank'],
  ['blank rows', '<row r="1"><c r="A1" s="0"/></row>', 'is blank'],
  ['a header alone', `<row r="1">${text('A1', 'id')}</row>`, 'holds only its header'],
])('a sheet with %s is SourceEmpty, never nobody', async (_, rows, message) => {
  expect(await refusal({ sheets: { Staff: rows } })).toBe(`SourceEmpty: people.xlsx ${message}`);
});

test('errors hold no cell', async () => {
  const bytes = workbook({
    sheets: {
      Staff: `${people}<row r="3">${text('A3', 'Secret')}<c r="B3"><v>Salary</v></c></row>`,
    },
  });
  const { message, hint } = await sheetError(bytes);
  expect(`${message} ${hint}`).toMatch(/B3/);
  expect(`${message} ${hint}`).not.toMatch(/Secret|Salary/);
});
