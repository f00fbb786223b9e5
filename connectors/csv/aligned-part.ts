/** One more file of a source that several make up: its rows, in the order of the first one's columns. */
import { LockstepError } from '../../engine/errors.ts';
import { RecordScanner } from '../../engine/record-scanner.ts';
import { parseRecords } from '../record-parser.ts';
import { longestRecord, neverCloses, tooLong } from './counting-copy.ts';
import { isSeparatorLine } from './delimiter.ts';
import { lineEnds } from './text-fault.ts';

/** What the first file of the source was like. */
export interface FirstPart {
  readonly file: string;
  /** Trimmed headings. */
  readonly header: readonly string[];
  readonly delimiter: string;
}

const lineFeed = Buffer.from('\n');

/**
 * Takes the text of a file and gives it back without its header, line by line where it was: rows keep their distance, so
 * that a line of the result tells the line of the file.
 */
export class AlignedPart {
  readonly #file: string;
  readonly #first: FirstPart;
  readonly #scanner: RecordScanner;
  #out: Uint8Array[] = [];
  /** Position in this file for each column of the first one; undefined while the header is not known. */
  #order: readonly number[] | undefined;
  #inOrder = true;
  /** Line of the first row, once there is one. */
  #firstLine: number | undefined;
  /** Line of the file that the next line of the result is. */
  #nextLine = 0;

  constructor(file: string, first: FirstPart) {
    this.#file = file;
    this.#first = first;
    this.#scanner = new RecordScanner(first.delimiter, ({ bytes }, start, end, line) =>
      this.#take(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start), line),
    );
  }

  /** Takes text; gives what it adds to the source, which is the caller's. */
  push(text: Buffer): Buffer {
    this.#scanner.push(text);
    const { line, bytes } = this.#scanner.unfinished;
    if (bytes > longestRecord) throw tooLong(this.#file, line);
    return this.#taken();
  }

  /** The rest, and the line of the file at which its rows begin. */
  end(): { readonly text: Buffer; readonly line: number } {
    const openQuote = this.#scanner.end();
    if (openQuote !== undefined) throw neverCloses(this.#file, openQuote);
    if (this.#firstLine === undefined) {
      const what = this.#order === undefined ? 'is blank' : 'holds only its header';
      throw new LockstepError('SourceEmpty', `${this.#file} ${what}`);
    }
    return { text: this.#taken(), line: this.#firstLine };
  }

  #taken(): Buffer {
    const taken = Buffer.concat(this.#out);
    this.#out = [];
    return taken;
  }

  #take(record: Buffer, line: number): void {
    if (this.#order === undefined) {
      if (!isSeparatorLine(record.toString('utf8'))) this.#takeHeader(record);
      return;
    }
    this.#firstLine ??= this.#nextLine = line;
    // Blank lines were passed over.
    for (; this.#nextLine < line; this.#nextLine += 1) this.#out.push(lineFeed);
    const row = this.#inOrder ? Buffer.from(record) : this.#reordered(record, this.#order);
    this.#out.push(row, lineFeed);
    this.#nextLine += 1 + lineEnds(record);
  }

  #takeHeader(record: Buffer): void {
    const { header, delimiter, file } = this.#first;
    const names = cellsOf(record, delimiter)?.map((cell) => cell.trim()) ?? [];
    const left = new Map<string, number[]>();
    for (const [position, name] of names.entries()) {
      left.set(name, [...(left.get(name) ?? []), position]);
    }
    const order = header.map((name) => left.get(name)?.shift() ?? -1);
    const missing = header.filter((_, index) => order[index] === -1);
    const more = names.filter((_, index) => !order.includes(index));
    if (missing.length > 0 || more.length > 0) {
      throw new LockstepError(
        'SourceUnreadable',
        `${this.#file} has not the columns of ${file}${listed('; it lacks', missing)}${listed('; only it has', more)}`,
        {
          hint: 'Files that are read as one have the same headings, in any order, and the same delimiter.',
        },
      );
    }
    this.#order = order;
    this.#inOrder = order.every((position, index) => position === index);
  }

  /** A row that cannot be told apart into as many cells as there are headings is left for the mapping to reject. */
  #reordered(record: Buffer, order: readonly number[]): Buffer {
    const { delimiter } = this.#first;
    const cells = cellsOf(record, delimiter);
    if (cells?.length !== order.length) return Buffer.from(record);
    const moved = order.map((position) => quoted(cells[position] as string, delimiter));
    return Buffer.from(moved.join(delimiter));
  }
}

function cellsOf(record: Buffer, delimiter: string): readonly string[] | undefined {
  const text = record.toString('utf8');
  if (!text.includes('"')) return text.split(delimiter);
  try {
    const rows = parseRecords(text, delimiter);
    return rows.length === 1 ? rows[0] : undefined;
  } catch {
    return undefined;
  }
}

function quoted(cell: string, delimiter: string): string {
  return cell.includes(delimiter) || /["\r\n]/.test(cell)
    ? `"${cell.replaceAll('"', '""')}"`
    : cell;
}

/** Headings, so many that a message stays readable. */
function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const some = names.slice(0, 5).map((name) => `“${name.slice(0, 60)}”`);
  return `${what} ${some.join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
}
