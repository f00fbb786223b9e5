/** The XLSX connector: reads sheets of workbooks, with what their cells store, into the extraction. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SheetSource, Source } from '../../engine/source.ts';
import { type ChosenFile, chooseFiles } from '../chosen-files.ts';
import type { Connector, ExportRequest, ExtractedFile } from '../connector.ts';
import { fileDigest } from '../file-digest.ts';
import { testFiles } from '../file-test.ts';
import { linkUnchanged, originDigest } from '../kept-file.ts';
import { RecordFile } from '../record-file.ts';
import { asReadError, extractedName, readUndisturbed } from '../source-file.ts';
import { refuseForeign } from './foreign-file.ts';
import { SheetRecords } from './sheet-records.ts';
import { readWorkbook } from './workbook.ts';
import { WorkbookPackage } from './workbook-package.ts';
import { readXml } from './xml-part.ts';

/** Where the workbooks of an XLSX connector are. */
export interface XlsxSettings {
  /** Absolute. */
  readonly directory: string;
}

/** Creates an XLSX connector. It reads everything at every export: a file says what there is, not what changed. */
export function createXlsxConnector(settings: XlsxSettings): Connector {
  return {
    async export(request) {
      const sources = request.sources as readonly Source<SheetSource>[];
      const chosen = await Promise.all(
        sources.map(async (source) => {
          const [file] = await chooseFiles(settings.directory, source.options);
          return { source, file: file as ChosenFile };
        }),
      );
      const total = chosen.reduce((sum, { file }) => sum + file.size, 0);
      let done = 0;
      const files: ExtractedFile[] = [];
      for (const { source, file } of chosen) {
        const onBytes = (bytes: number) => {
          done += bytes;
          request.onProgress({ done, total, unit: 'bytes' });
        };
        files.push(await exportSheet(file, source, request, onBytes));
      }
      return files;
    },
    test: ({ sources }) => testFiles(settings.directory, sources),
  };
}

/** Grows with every change of what an extraction makes of the same bytes. */
const readingVersion = 1;

async function exportSheet(
  { path, file: chosen }: ChosenFile,
  { name, options: { file: pattern, sheet, headerRow } }: Source<SheetSource>,
  { kept, directory, signal }: ExportRequest,
  onBytes: (bytes: number) => void,
): Promise<ExtractedFile> {
  const target = join(directory, extractedName(name));
  // What people know it as: the workbook that was read, with its sheet.
  const source = chosen + name.slice(pattern.length);
  const parts = source === name ? {} : { parts: [{ file: source, firstLine: 1, line: 1 }] };
  const originOf = (sha256: string) =>
    originDigest(readingVersion, sha256, { sheet: sheet ?? null, headerRow: headerRow ?? null });
  return await readUndisturbed(path, source, async () => {
    const before = kept.find(({ file }) => file.source === name);
    const unchanged = await linkUnchanged({
      path,
      target,
      kept: before,
      originOf,
      signal,
      onBytes,
    });
    if (unchanged) return { ...unchanged, ...parts };
    await refuseForeign(path, source);
    using workbookPackage = await WorkbookPackage.open(path, source, signal);
    const workbook = await readWorkbook(workbookPackage, sheet);
    await using file = await RecordFile.create(target, source, {
      countsRecords: true,
      former: before,
    });
    const records = new SheetRecords(file, { workbook, source, headerRow });
    const { size } = await stat(path);
    const onShare = shareOf(size, workbookPackage.size(workbook.sheetPart), onBytes);
    await readXml(workbookPackage, workbook.sheetPart, records, onShare);
    records.checkHeader();
    const counted = await file.end();
    const origin = originOf(await digestOf(path, source, signal));
    return {
      source: name,
      file: basename(target),
      ...counted,
      ...parts,
      countsRecords: true,
      origin,
      originBytes: size,
    };
  });
}

async function digestOf(path: string, source: string, signal: AbortSignal): Promise<string> {
  try {
    return await fileDigest(path, { signal });
  } catch (error) {
    throw asReadError(error, source);
  }
}

/** Tells of each inflated chunk of a sheet which share of the whole file it stands for. */
function shareOf(
  size: number,
  inflated: number,
  onBytes: (bytes: number) => void,
): (bytes: number) => void {
  let read = 0;
  let told = 0;
  return (bytes) => {
    read += bytes;
    const done = Math.floor((size * read) / Math.max(1, inflated));
    onBytes(done - told);
    told = done;
  };
}
