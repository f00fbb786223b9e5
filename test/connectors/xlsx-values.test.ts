/** What the XLSX connector makes of one cell: the stored value as text; each test names what a naive reader would make of it. */
import { describe, expect, test } from 'vitest';
import { plainNumber } from '../../connectors/xlsx/cell-text.ts';
import { errorOf } from '../../engine/error-cell.ts';
import type { WorkbookContent } from '../support/workbook.ts';
import { exportedSheet, refusal, valueSheet } from './sheet-export.ts';

/** The text that comes of a cell; style 1 is the first of `formats`. */
async function textOf(cell: string, content: WorkbookContent = {}): Promise<string | undefined> {
  const { records } = await exportedSheet({ ...content, sheets: { Staff: valueSheet(cell) } });
  return records[1]?.[1];
}

const refused = async (cell: string, content: WorkbookContent = {}) =>
  await refusal({ ...content, sheets: { Staff: valueSheet(cell) } });

describe('a number is the shortest decimal that is it', () => {
  test.each([
    ['1', '1'],
    ['0.1', '0.1'],
    // Excel writes 17 digits: a copy of the text would be 0.10000000000000001.
    ['0.10000000000000001', '0.1'],
    ['1.0000000000000001E-2', '0.01'],
    ['1E-7', '0.0000001'],
    ['-1.5E-10', '-0.00000000015'],
    // String(number) would be 1e+21; a telephone number would read 1.23456789012E+11.
    ['1.23456789012E+11', '123456789012'],
    ['1E21', '1000000000000000000000'],
    ['1.5e+22', '15000000000000000000000'],
    ['9007199254740993', '9007199254740992'],
    ['-0', '0'],
    ['007', '7'],
    [' 5 ', '5'],
    ['.5', '0.5'],
  ])('%s is %s', async (stored, text) => {
    expect(await textOf(`<c r="B2"><v>${stored}</v></c>`)).toBe(text);
  });

  test.each(['abc', 'NaN', 'INF', '1E999', '0x10', '1,5', '1 2'])(
    '%s is no number: the cell is named, not guessed at',
    async (stored) => {
      expect(await refused(`<c r="B2"><v>${stored}</v></c>`)).toBe(
        'SourceUnreadable: people.xlsx cell B2: the cell holds no value of its type',
      );
    },
  );

  test('every number comes back from its text, and the text has no exponent', () => {
    for (let nth = 0; nth < 2000; nth++) {
      const value = ((nth * 2654435761) % 4294967296) * 10 ** ((nth % 60) - 30);
      const text = plainNumber(String(value)) as string;
      expect(Number(text)).toBe(value);
      expect(text).toMatch(/^\d+(\.\d+)?$/);
    }
  });
});

describe('the stored type wins over what the format shows', () => {
  test.each([
    ['leading zeros that only a format adds', '00000', '123', '123'],
    ['percent', '0%', '0.25', '0.25'],
    ['currency', '#,##0.00\\ [$€-1]', '1234.5', '1234.5'],
    ['rounding', '0', '2.7', '2.7'],
    ['scientific', '0.00E+00', '123456', '123456'],
    ['fraction', '# ?/?', '0.5', '0.5'],
    ['text', '@', '5', '5'],
  ])('%s', async (_, format, stored, text) => {
    const cell = `<c r="B2" s="1"><v>${stored}</v></c>`;
    expect(await textOf(cell, { formats: [format] })).toBe(text);
  });

  test('text of digits keeps its zeros', async () => {
    const cell = '<c r="B2" t="s"><v>0</v></c>';
    expect(await textOf(cell, { strings: ['<t>00123</t>'] })).toBe('00123');
  });
});

describe('a number with the format of a date is a date, with no zone to shift it', () => {
  test.each<[string, string | number, string, string]>([
    ['a built-in date', 14, '45356', '2024-03-05'],
    ['a built-in date and time', 22, '45356.572916666664', '2024-03-05T13:45:00'],
    ['one of its own', 'dd/mm/yyyy', '45356', '2024-03-05'],
    ['one with a language', '[$-409]d\\-mmm\\-yy;@', '45356', '2024-03-05'],
    ['a time that the format hides', 'yyyy-mm-dd', '45356.572916666664', '2024-03-05T13:45:00'],
    ['midnight where a time is shown', 'yyyy-mm-dd hh:mm', '45356', '2024-03-05T00:00:00'],
    // 13:44:59.999… truncated would be 13:44:59.
    ['a time that a double does not hold exactly', 22, '45356.573611111111', '2024-03-05T13:46:00'],
    ['a moment before midnight', 22, '45356.999999999999', '2024-03-06T00:00:00'],
    ['milliseconds', 'ss.000', '45356.5000014468', '2024-03-05T12:00:00.125'],
    ['a time of day', 'h:mm', '0.5', '12:00:00'],
    ['a time of day in AM and PM', 18, '0.75', '18:00:00'],
    ['the first day', 14, '1', '1900-01-01'],
    ['the day before the one that never was', 14, '59', '1900-02-28'],
    ['the day after it: most readers are a day off before or after', 14, '61', '1900-03-01'],
    ['the last day', 14, '2958465', '9999-12-31'],
  ])('%s', async (_, format, stored, text) => {
    const cell = `<c r="B2" s="1"><v>${stored}</v></c>`;
    expect(await textOf(cell, { formats: [format] })).toBe(text);
  });

  test.each<[string, string, string | undefined]>([
    ['29 February 1900, which never was', '60', '60'],
    ['day 0', '0', '0'],
    ['below zero', '-1', '-1'],
    ['beyond the year 9999', '2958466', '2958466'],
  ])('%s stays the number, which no date property takes', async (_, stored, text) => {
    const cell = `<c r="B2" s="1"><v>${stored}</v></c>`;
    expect(await textOf(cell, { formats: [14] })).toBe(text);
  });

  test.each([
    ['0', '1904-01-01'],
    ['60', '1904-03-01'],
    ['43894', '2024-03-05'],
  ])('of a workbook that counts from 1904, %s is %s: four years later', async (stored, text) => {
    const cell = `<c r="B2" s="1"><v>${stored}</v></c>`;
    const content = { formats: [14], properties: 'date1904="1"' };
    expect(await textOf(cell, content)).toBe(text);
  });

  test('every day from 1900-03-01 on is the one that a calendar says', async () => {
    const days = Array.from({ length: 400 }, (_, index) => 61 + index * 7001 + (index % 3));
    const rows = days.map((day, at) => `<row><c s="1"><v>${day}</v></c><c><v>${at}</v></c></row>`);
    const header = '<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>';
    const { records } = await exportedSheet({
      sheets: { Staff: header + rows.join('') },
      formats: ['yyyy\\-mm\\-dd'],
    });
    const expected = days.map((day) => {
      const date = new Date(Date.UTC(1970, 0, 1));
      date.setUTCDate(1 + day - 25569);
      return date.getUTCFullYear() > 9999 ? String(day) : date.toISOString().slice(0, 10);
    });
    expect(records.slice(1).map(([date]) => date)).toEqual(expected);
  });

  test.each<[string, string, string | number]>([
    ['2024-03-05', '2024-03-05', 0],
    ['2024-03-05T00:00:00', '2024-03-05', 14],
    ['2024-03-05T00:00:00.000', '2024-03-05', 14],
    ['2024-03-05T00:00:00', '2024-03-05T00:00:00', 22],
    ['2024-03-05T13:45', '2024-03-05T13:45:00', 22],
    ['2024-03-05T13:45:00.500', '2024-03-05T13:45:00.500', 22],
    ['2024-03-05T13:45:00Z', '2024-03-05T13:45:00Z', 22],
    ['2024-03-05T13:45:00+02:00', '2024-03-05T13:45:00+02:00', 22],
    ['13:45:00', '13:45:00', 20],
  ])('a cell of type date, %s, is %s', async (stored, text, format) => {
    const cell = `<c r="B2" s="1" t="d"><v>${stored}</v></c>`;
    expect(await textOf(cell, { formats: [format] })).toBe(text);
  });

  test('a cell without a style has the first style, whatever cell style is called the first', async () => {
    expect(await textOf('<c r="B2"><v>45356</v></c>', { formats: ['yyyy'] })).toBe('45356');
  });
});

describe('text', () => {
  test.each<[string, string, string]>([
    ['shared', '<c r="B2" t="s"><v>1</v></c>', 'Łęcka'],
    ['shared, in runs of a look each', '<c r="B2" t="s"><v>2</v></c>', 'Zoé Łęcka'],
    // A reader that takes every <t> would have the name twice.
    ['shared, with its reading in kana', '<c r="B2" t="s"><v>3</v></c>', '山田'],
    ['shared and blank', '<c r="B2" t="s"><v>0</v></c>', ''],
    ['in the cell', '<c r="B2" t="inlineStr"><is><t>Zoé</t></is></c>', 'Zoé'],
    [
      'in the cell, in runs, with a reading',
      '<c r="B2" t="inlineStr"><is><r><t>山</t></r><r><rPr><b/></rPr><t>田</t></r><rPh sb="0" eb="2"><t>やまだ</t></rPh></is></c>',
      '山田',
    ],
    ['of a formula', '<c r="B2" t="str"><f>A2</f><v>Zoé</v></c>', 'Zoé'],
    ['with entities', '<c r="B2" t="str"><v>a &lt;b&gt; &amp; &#x263A;</v></c>', 'a <b> & ☺'],
    ['in CDATA', '<c r="B2" t="str"><v><![CDATA[a <b>]]></v></c>', 'a <b>'],
    ['around a comment', '<c r="B2" t="str"><v>Zo<!-- é -->é</v></c>', 'Zoé'],
    ['an escape', '<c r="B2" t="str"><v>a_x0009_b</v></c>', 'a\tb'],
    ['an escaped escape', '<c r="B2" t="str"><v>a_x005F_x000D_b</v></c>', 'a_x000D_b'],
    ['a pair of escapes', '<c r="B2" t="str"><v>_xD83D__xDE00_</v></c>', '😀'],
    ['what only looks like one', '<c r="B2" t="str"><v>_xZZZZ_ _x12_</v></c>', '_xZZZZ_ _x12_'],
    ['a delimiter and quotes', '<c r="B2" t="str"><v>a, "b"</v></c>', 'a, "b"'],
    [
      'a line break',
      '<c r="B2" t="str"><v xml:space="preserve">a\nb_x000D_\nc</v></c>',
      'a\nb\r\nc',
    ],
    ['space around it', '<c r="B2" t="str"><v xml:space="preserve"> a </v></c>', ' a '],
  ])('%s', async (_, cell, text) => {
    const strings = [
      '',
      '<t>Łęcka</t>',
      '<r><t xml:space="preserve">Zoé </t></r><r><rPr><b/></rPr><t>Łęcka</t></r>',
      '<t>山田</t><rPh sb="0" eb="2"><t>やまだ</t></rPh><phoneticPr fontId="1"/>',
    ];
    expect(await textOf(cell, { strings })).toBe(text);
  });

  test.each([
    ['beyond the last', '99'],
    ['that is none', 'x'],
    ['below zero', '-1'],
  ])('a shared text %s is refused with its cell, not blank', async (_, index) => {
    expect(await refused(`<c r="B2" t="s"><v>${index}</v></c>`, { strings: ['<t>a</t>'] })).toMatch(
      /cell B2/,
    );
  });

  test('a thousand shared texts stay apart, across the segments that hold them', async () => {
    const texts = Array.from({ length: 1000 }, (_, at) => `${at} ${'ü'.repeat(at * 5)}`);
    const rows = texts.map((_, at) => `<row><c t="s"><v>${999 - at}</v></c></row>`).join('');
    const { records } = await exportedSheet({
      sheets: { Staff: `<row><c t="str"><v>name</v></c></row>${rows}` },
      strings: texts.map((text) => `<t>${text}</t>`),
    });
    expect(records.slice(1).map(([text]) => text)).toEqual(texts.toReversed());
  });
});

describe('booleans, blanks and errors', () => {
  test.each([
    ['true', '<c r="B2" t="b"><v>1</v></c>', 'true'],
    ['false', '<c r="B2" t="b"><v>0</v></c>', 'false'],
    ['in words', '<c r="B2" t="b"><v>true</v></c>', 'true'],
    // Number('') is 0, and text 0 is somebody's name.
    ['a number that is blank', '<c r="B2"><v></v></c>', ''],
    ['a boolean that is blank', '<c r="B2" t="b"><v/></c>', ''],
    ['a shared text that is blank', '<c r="B2" t="s"><v> </v></c>', ''],
    ['a styled cell of nothing', '<c r="B2" s="1"/>', ''],
  ])('%s', async (_, cell, text) => {
    expect(await textOf(cell, { strings: ['<t>Zoé</t>'], formats: [14] })).toBe(text);
  });

  test('a boolean that is neither is refused', async () => {
    expect(await refused('<c r="B2" t="b"><v>2</v></c>')).toMatch(/cell B2/);
  });

  test('a type that nobody knows is refused', async () => {
    expect(await refused('<c r="B2" t="zz"><v>2</v></c>')).toMatch(/cell B2/);
  });

  test.each(['#N/A', '#REF!', '#DIV/0!', '#NAME?', '#NULL!', '#NUM!', '#VALUE!', '#SPILL!'])(
    'the error %s is marked as one; most readers give its text, which would be a name',
    async (error) => {
      const text = (await textOf(`<c r="B2" t="e"><f>X()</f><v>${error}</v></c>`)) as string;
      expect(errorOf(text)).toBe(error);
    },
  );

  test.each(['', '<v/>', '<v>Err:508</v>'])('an error that says %j is one', async (stored) => {
    const text = (await textOf(`<c r="B2" t="e">${stored}</c>`)) as string;
    expect(errorOf(text)).toBe('#ERROR!');
  });

  test.each([
    ['as it is', '#N/A'],
    ['behind the mark, escaped', '_x001A_#N/A'],
    ['behind the mark, escaped twice', '_x005F_x001A_#N/A'],
  ])('text that says #N/A, %s, is text', async (_, stored) => {
    const text = (await textOf(`<c r="B2" t="str"><v>${stored}</v></c>`)) as string;
    expect(text).toContain('#N/A');
    expect(errorOf(text)).toBeUndefined();
  });
});

describe('formulas give what was computed when the workbook was saved', () => {
  test.each([
    ['a number', '<c r="B2"><f>1+1</f><v>2</v></c>', '2'],
    ['a date', '<c r="B2" s="1"><f>TODAY()</f><v>45356</v></c>', '2024-03-05'],
    ['a boolean', '<c r="B2" t="b"><f>TRUE()</f><v>1</v></c>', 'true'],
    ['a blank text', '<c r="B2" t="str"><f>""</f><v></v></c>', ''],
    ['shared', '<c r="B2"><f t="shared" si="0"/><v>3</v></c>', '3'],
  ])('%s', async (_, cell, text) => {
    expect(await textOf(cell, { formats: [14] })).toBe(text);
  });

  test.each([
    ['without any value, as openpyxl writes it', '<c r="B2"><f>1+1</f><v></v></c>'],
    ['without the element', '<c r="B2"><f>1+1</f></c>'],
    ['shared, without a value', '<c r="B2"><f t="shared" si="0"/></c>'],
    ['that is to give text, without a value', '<c r="B2" t="str"><f>A2</f></c>'],
  ])('one %s is refused by its cell: a blank or 0 would be everybody’s value', async (_, cell) => {
    expect(await refused(cell)).toBe(
      'SourceUnreadable: people.xlsx cell B2: the formula was never computed, so there is no value',
    );
  });

  test('one of a workbook that wants all computed anew is refused: XlsxWriter saves 0 for each', async () => {
    const content = { calculation: 'fullCalcOnLoad="1"' };
    const cell = '<c r="B2"><f>1+1</f><v>0</v></c>';
    expect(await refused(cell, content)).toMatch(/cell B2: .*not to be relied on/);
    expect(await textOf('<c r="B2"><v>0</v></c>', content)).toBe('0');
  });
});
