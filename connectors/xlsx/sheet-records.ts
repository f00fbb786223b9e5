/** The cells of a sheet as they stream by, put together to records: rows under one header, in the extraction's file. */
import { errorOf } from '../../engine/error-cell.ts';
import type { LockstepError } from '../../engine/errors.ts';
import type { RecordFile } from '../record-file.ts';
import { dateText, errorText, numberText, unescaped } from './cell-text.ts';
import { longestText } from './shared-strings.ts';
import type { Workbook } from './workbook.ts';
import { unreadable } from './workbook-fault.ts';
import type { AttributeOf, ElementHandler } from './xml-part.ts';

/** What a spreadsheet program has at most. */
const lastRow = 1_048_576;
const lastColumn = 16_384;
/** A row is at most so many characters long. */
const longestRow = 16 * 1024 * 1024;

const computeFirst =
  'Open it in a spreadsheet program, which computes its formulas, save it, and have that file read.';

/** A cell that is open. */
interface Cell {
  readonly column: number;
  readonly type: string;
  readonly style: number;
  /** What `v` holds; undefined where there is none. */
  stored: string | undefined;
  /** What `is` holds. */
  inline: string;
  hasFormula: boolean;
}

/**
 * Takes the elements of a sheet and gives records to the file, each on the line of its row. The ranges that a sheet says
 * to have are not believed; a row without content leaves nothing behind but a blank line.
 */
export class SheetRecords implements ElementHandler {
  readonly #workbook: Workbook;
  readonly #file: RecordFile;
  readonly #source: string;
  readonly #headerRow: number | undefined;
  /** How many columns the header has; undefined before it. */
  #width: number | undefined;
  #headerOn = 0;
  #row = 0;
  #written = 0;
  /** A cell beside the columns that the header names. */
  #hasBeside = false;
  #cells: string[] = [];
  #characters = 0;
  #column = 0;
  #cell: Cell | undefined;

  /** @param headerRow its number; left out, the first row that holds anything */
  constructor(
    file: RecordFile,
    {
      workbook,
      source,
      headerRow,
    }: { workbook: Workbook; source: string; headerRow: number | undefined },
  ) {
    this.#file = file;
    this.#workbook = workbook;
    this.#source = source;
    this.#headerRow = headerRow;
  }

  open(path: readonly string[], attribute: AttributeOf): void {
    if (path[1] !== 'sheetData') return;
    const name = path.at(-1);
    if (path.length === 3 && name === 'row') this.#openRow(attribute('r'));
    else if (path.length === 4 && name === 'c') this.#openCell(attribute);
    else if (path.length === 5 && name === 'f' && this.#cell) this.#cell.hasFormula = true;
  }

  close(path: readonly string[], text: string): void {
    if (path[1] !== 'sheetData') return;
    const name = path.at(-1);
    if (path.length === 3 && name === 'row') this.#closeRow();
    else if (path.length === 4 && name === 'c') this.#closeCell();
    else if (this.#cell === undefined || path[3] !== 'c') return;
    else if (path.length === 5 && name === 'v') this.#cell.stored = text;
    else if (name === 't' && path[4] === 'is' && isOwnText(path))
      this.#takeInline(this.#cell, text);
  }

  async pause(): Promise<void> {
    await this.#file.flushIfFull();
  }

  /** @throws LockstepError `SourceUnreadable` when what was taken for the header is a title: all else is beside it. */
  checkHeader(): void {
    if (this.#headerOn === this.#written && this.#hasBeside) {
      throw this.#fault(
        `row ${this.#headerOn}`,
        'the row was taken for the header, and no row has anything below its headings',
        'Name the row with the headings, as in source: { file: …, headerRow: 3 }.',
      );
    }
  }

  #openRow(number: string | undefined): void {
    const row = number === undefined ? this.#row + 1 : Number(number);
    if (!Number.isInteger(row) || row <= this.#row || row > lastRow) {
      throw this.#fault(`after row ${this.#row}`, 'the next row has a number that cannot follow');
    }
    this.#row = row;
    this.#cells = [];
    this.#characters = 0;
    this.#column = 0;
  }

  #openCell(attribute: AttributeOf): void {
    const reference = attribute('r');
    const column = reference === undefined ? this.#column + 1 : this.#columnOf(reference);
    if (column === undefined || column <= this.#column || column > lastColumn) {
      const what = 'a cell has a place that cannot follow the one before';
      throw this.#fault(`row ${this.#row}`, what);
    }
    this.#column = column;
    this.#cell = {
      column,
      type: attribute('t') ?? 'n',
      style: Number(attribute('s') ?? 0),
      stored: undefined,
      inline: '',
      hasFormula: false,
    };
  }

  #columnOf(reference: string): number | undefined {
    const [, letters, row] = /^([A-Z]{1,3})(\d{1,7})$/.exec(reference) ?? [];
    if (letters === undefined || Number(row) !== this.#row) return undefined;
    return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0);
  }

  #takeInline(cell: Cell, text: string): void {
    cell.inline += text;
    if (cell.inline.length > longestText) throw this.#tooLong(cell);
  }

  #closeCell(): void {
    const cell = this.#cell as Cell;
    this.#cell = undefined;
    // A title above the header, or a note beside the columns that it names.
    if (this.#isBeforeHeader) return;
    if (cell.column > (this.#width ?? lastColumn)) {
      this.#hasBeside ||= (cell.stored ?? cell.inline) !== '';
      return;
    }
    const text = this.#textOf(cell);
    if (text === '') return;
    while (this.#cells.length < cell.column - 1) this.#cells.push('');
    this.#cells.push(text);
    this.#characters += text.length;
    if (text.length > longestText || this.#characters > longestRow) throw this.#tooLong(cell);
  }

  get #isBeforeHeader(): boolean {
    return this.#width === undefined && this.#row < (this.#headerRow ?? 1);
  }

  #textOf(cell: Cell): string {
    const { type, hasFormula } = cell;
    const stored = cell.stored ?? '';
    if (hasFormula) this.#refuseUncomputed(cell);
    if (type === 'inlineStr') return unescaped(cell.inline);
    if (type === 'str') return unescaped(stored);
    if (type === 'e') return errorText(stored);
    const value = stored.trim();
    // Nothing is nothing: not 0, not false, and not the first of the shared texts.
    if (value === '') return '';
    const text = this.#valueOf(cell, value);
    if (text === undefined) {
      throw this.#fault(nameOf(cell.column, this.#row), 'the cell holds no value of its type');
    }
    return text;
  }

  #valueOf({ type, style }: Cell, value: string): string | undefined {
    const { strings, kinds, dateSystem } = this.#workbook;
    const kind = kinds[style] ?? 'number';
    switch (type) {
      case 's':
        return /^\d{1,9}$/.test(value) ? strings.at(Number(value)) : undefined;
      case 'n':
        return numberText(value, kind, dateSystem);
      case 'b':
        return booleans[value];
      case 'd':
        return dateText(value, kind);
      default:
        return undefined;
    }
  }

  /** A formula may give an empty text. Any other result that is not there was never computed. */
  #refuseUncomputed({ column, type, stored }: Cell): void {
    const missing = stored === undefined || (stored.trim() === '' && type !== 'str');
    const place = nameOf(column, this.#row);
    if (missing) {
      throw this.#fault(
        place,
        'the formula was never computed, so there is no value',
        computeFirst,
      );
    }
    if (this.#workbook.isStale) {
      const what =
        'the value of the formula is not to be relied on: the workbook wants all computed anew';
      throw this.#fault(place, what, computeFirst);
    }
  }

  #closeRow(): void {
    if (this.#cells.length === 0) return;
    if (this.#width === undefined) {
      if (this.#headerRow !== undefined && this.#row > this.#headerRow) {
        throw this.#fault(`row ${this.#headerRow}`, 'the row that is to be the header is blank');
      }
      // The heading of a column cannot be an error of it.
      this.#cells = this.#cells.map((heading) => errorOf(heading) ?? heading);
      this.#width = this.#cells.length;
      this.#headerOn = this.#row;
    }
    while (this.#cells.length < this.#width) this.#cells.push('');
    this.#file.skip(this.#row - this.#written - 1);
    this.#file.add(this.#cells);
    this.#written = this.#row;
  }

  #tooLong({ column }: Cell): LockstepError {
    const what = 'the row is longer up to this cell than any spreadsheet program would have it';
    return this.#fault(nameOf(column, this.#row), what);
  }

  #fault(place: string, what: string, hint?: string): LockstepError {
    return unreadable(this.#source, `${place}: ${what}`, hint);
  }
}

const booleans: Readonly<Record<string, string>> = {
  0: 'false',
  1: 'true',
  false: 'false',
  true: 'true',
};

/** True for a text or a run of text, not for a phonetic run. */
function isOwnText(path: readonly string[]): boolean {
  return path.length === 6 || (path.length === 7 && path[5] === 'r');
}

/** The name of a cell, as C7. */
function nameOf(column: number, row: number): string {
  let letters = '';
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return `cell ${letters}${row}`;
}
