/** The source of an entity type or association of an XLSX connector, as written, as the sheet that it reads. */
import type { SheetSource, Source } from '../engine/source.ts';
import type { SourceDocument } from './document.ts';
import { fileSource } from './file-source.ts';

/** A sheet: `people.xlsx`, or one that is named. Two sheets of one workbook are two sources. */
export function sheetSource(
  document: SourceDocument,
  report: (path: readonly string[], message: string) => void,
): Source<SheetSource> {
  if (typeof document === 'string') return fileSource(document, report);
  if (!('file' in document)) {
    report([], 'must be a workbook, or a sheet of one: { file: people.xlsx, sheet: Staff }');
    return { name: '', options: { file: '' } };
  }
  const { file, pick, sheet, headerRow } = document;
  if (pick === 'all') report(['pick'], 'is for CSV; of workbooks the newest one can be read');
  const { options } = fileSource({ file, ...(pick && { pick }) }, (inner, message) =>
    report(inner.length === 0 ? ['file'] : inner, message),
  );
  return {
    name: sheet === undefined ? file : `${file}#${sheet}`,
    options: { ...options, sheet, headerRow },
  };
}
