/** Exports one workbook for a test: the records that came of it, or the error. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExtractedFile } from '../../connectors/connector.ts';
import { parseRecords } from '../../connectors/record-parser.ts';
import { createXlsxConnector } from '../../connectors/xlsx/xlsx-connector.ts';
import type { LockstepError } from '../../engine/errors.ts';
import { RecordScanner } from '../../engine/record-scanner.ts';
import type { SheetSource } from '../../engine/source.ts';
import { type WorkbookContent, workbook } from '../support/workbook.ts';
import { exportError, exportInto } from './conformance.ts';

export interface ExportedSheet {
  readonly text: string;
  readonly file: ExtractedFile;
  /** Every record, the header first. */
  readonly records: string[][];
  /** The number of the sheet's row that each record is on, as rejects will name it. */
  readonly lines: number[];
}

type Choice = Partial<Omit<SheetSource, 'file'>>;

const sourceOf = ({ sheet, headerRow }: Choice = {}) => ({
  name: sheet === undefined ? 'people.xlsx' : `people.xlsx#${sheet}`,
  options: { file: 'people.xlsx', sheet, headerRow },
});

async function inDirectory<Result>(
  bytes: Buffer | WorkbookContent,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-xlsx-'));
  try {
    const content = Buffer.isBuffer(bytes) ? bytes : workbook(bytes);
    await writeFile(join(directory, 'people.xlsx'), content);
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Exports `people.xlsx` of this content. */
export async function exportedSheet(
  bytes: Buffer | WorkbookContent,
  choice: Choice = {},
): Promise<ExportedSheet> {
  return await inDirectory(bytes, async (directory) => {
    let exported: ExportedSheet | undefined;
    await exportInto(
      createXlsxConnector({ directory }),
      [sourceOf(choice)],
      async (target, [file]) => {
        if (file === undefined) throw new Error('nothing was exported');
        const text = await readFile(join(target, file.file), 'utf8');
        exported = { text, file, ...scanned(text, file) };
      },
    );
    return exported as ExportedSheet;
  });
}

/** The records and their lines as a job reads them. */
function scanned(text: string, file: ExtractedFile) {
  const records: string[][] = [];
  const lines: number[] = [];
  const scanner = new RecordScanner(
    file.delimiter,
    ({ bytes }, start, end, line) => {
      records.push(...parseRecords(Buffer.from(bytes.slice(start, end)), file.delimiter));
      lines.push(line);
    },
    file.countsRecords,
  );
  scanner.push(Buffer.from(text));
  scanner.end();
  return { records, lines };
}

/** The error of an export that must fail. */
export async function sheetError(
  bytes: Buffer | WorkbookContent,
  choice: Choice = {},
): Promise<LockstepError> {
  return await inDirectory(bytes, (directory) =>
    exportError(createXlsxConnector({ directory }), [sourceOf(choice)]),
  );
}

/** The same as `code: message`. */
export async function refusal(
  bytes: Buffer | WorkbookContent,
  choice: Choice = {},
): Promise<string> {
  const { code, message } = await sheetError(bytes, choice);
  return `${code}: ${message}`;
}

/** One row `id, value` below its header, with this cell as the value. */
export function valueSheet(cell: string): string {
  return `<row r="1"><c r="A1" t="str"><v>id</v></c><c r="B1" t="str"><v>value</v></c></row><row r="2"><c r="A2" t="str"><v>1</v></c>${cell}</row>`;
}
