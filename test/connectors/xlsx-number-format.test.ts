/** Which number formats of a workbook make a number a date or a time: those that only look like one do not. */
import { describe, expect, test } from 'vitest';
import { builtInKind, formatKind } from '../../connectors/xlsx/number-format.ts';

describe('which formats are dates', () => {
  test.each([
    ['General', 'number'],
    ['general" days"', 'number'],
    ['0.00E+00', 'number'],
    ['[Red]0.00', 'number'],
    ['[$USD-409]#,##0', 'number'],
    ['0" days"', 'number'],
    ['0\\d', 'number'],
    ['#,##0_d', 'number'],
    ['[h]:mm:ss', 'number'],
    ['[mm]:ss', 'number'],
    ['0;[Red]yyyy', 'number'],
    ['@', 'number'],
    ['"unclosed yyyy', 'number'],
    ['yyyy', 'date'],
    ['m', 'date'],
    ['mmm', 'date'],
    ['[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy', 'date'],
    ['[$-411]ggge"年"m"月"d"日"', 'date'],
    ['DD/MM/YYYY', 'date'],
    ['d/m/yy h:mm', 'datetime'],
    ['[$-409]m/d/yy\\ h:mm\\ AM/PM;@', 'datetime'],
    ['mmm h', 'datetime'],
    ['h:mm', 'time'],
    ['mm:ss.0', 'time'],
    ['h AM/PM', 'time'],
  ])('%s is %s', (code, kind) => {
    expect(formatKind(code)).toBe(kind);
  });

  test.each<[number, string]>([
    [0, 'number'],
    [9, 'number'],
    [13, 'number'],
    [14, 'date'],
    [17, 'date'],
    [18, 'time'],
    [21, 'time'],
    [22, 'datetime'],
    [27, 'date'],
    [37, 'number'],
    [45, 'time'],
    [46, 'number'],
    [47, 'time'],
    [49, 'number'],
    [57, 'date'],
  ])('built-in format %i is %s', (id, kind) => {
    expect(builtInKind(id)).toBe(kind);
  });
});
