/** The source of an entity type or association of a CSV connector, as written, as the files that it reads. */
import { type FileSource, isPattern, type Source } from '../engine/source.ts';
import type { SourceDocument } from './document.ts';

/** Tells of a problem at a path below the source's own. */
type Report = (path: readonly string[], message: string) => void;

/** A file in the directory of a connector, or a pattern of files. */
export function fileSource(document: SourceDocument, report: Report): Source<FileSource> {
  if (typeof document === 'object' && !('file' in document)) {
    report([], 'must be the name of a file; only a sql connector has tables and queries');
    return { name: '', options: { file: '' } };
  }
  const { file, pick, sheet, headerRow } =
    typeof document === 'string' ? { file: document } : document;
  for (const [option, value] of Object.entries({ sheet, headerRow })) {
    if (value !== undefined) report([option], 'has a meaning only for an xlsx connector');
  }
  const folders = file.split(/[\\/]/);
  const name = folders.pop() ?? '';
  if (file.startsWith('/') || [...folders, name].includes('..')) {
    report([], 'must be a file within the directory of its connector');
  }
  if (folders.some(isPattern)) {
    report([], '* and ? stand in the name of a file, not of its folder');
  } else if (pick !== undefined && !isPattern(name)) {
    report(['pick'], 'has no meaning without * or ? in the name of the file');
  }
  const options: FileSource = isPattern(name) ? { file, pick: pick ?? 'newest' } : { file };
  return { name: file, options };
}
