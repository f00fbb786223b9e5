/** Samples the records of an extracted file, evenly spread over it, in one pass and bounded memory. */
import type { ExtractedFile } from '../connectors/connector.ts';
import { type Manifest, readExtracted } from '../connectors/extraction.ts';
import { parseEach } from '../connectors/record-parser.ts';
import type { FileSample } from '../engine/diagnosis/file-profile.ts';
import { errorOf } from '../engine/error-cell.ts';
import { RecordScanner } from '../engine/record-scanner.ts';

/** So many records show what the columns hold. */
const sampleSize = 4000;
/** Longer ones say nothing more of their columns, and would fill the memory. */
const longestRecord = 1 << 16;

/** A file sampled, and its last record as it stands there. */
export interface SampledFile extends FileSample {
  readonly lastRecord: string;
}

/**
 * Reads a file through, and keeps one of so many of its records.
 *
 * @param sought a record whose place is wanted, as it stands in the file
 */
export async function sampleFile(
  root: string,
  manifest: Pick<Manifest, 'id'>,
  file: ExtractedFile,
  signal: AbortSignal,
  sought?: string,
): Promise<SampledFile> {
  const every = Math.max(1, Math.ceil(file.rows / sampleSize));
  const wanted = sought === undefined ? undefined : Buffer.from(sought);
  const kept: Buffer[] = [];
  let seen = -1;
  let last: Buffer = Buffer.alloc(0);
  let soughtAt: number | null = null;
  const scanner = new RecordScanner(file.delimiter, ({ bytes }, start, end) => {
    seen += 1;
    if (end - start > longestRecord) return;
    const chosen = seen === 0 || (seen - 1) % every === 0;
    if (chosen) kept.push(Buffer.from(bytes.slice(start, end)));
    if (seen === file.rows) last = Buffer.from(bytes.slice(start, end));
    if (wanted?.length === end - start && wanted.equals(bytes.subarray(start, end))) {
      soughtAt = seen;
    }
  });
  for await (const chunk of readExtracted(root, manifest.id, file, signal)) scanner.push(chunk);
  scanner.end();
  const [header, ...records] = cellsOf(kept, file.delimiter);
  return {
    header: (header ?? []).map((heading) => heading.trim()),
    records: records.filter((cells) => cells.length === header?.length),
    total: Math.max(0, seen),
    soughtAt,
    lastRecord: last.toString('utf8'),
  };
}

/** Records whose quoting is broken are left out. */
function cellsOf(records: readonly Buffer[], delimiter: string): string[][] {
  const lineFeed = Buffer.from('\n');
  let length = 0;
  const ends = Uint32Array.from(records, (record) => {
    const end = length + record.length;
    length = end + 1;
    return end;
  });
  const all = Buffer.concat(records.flatMap((record) => [record, lineFeed]));
  return [...parseEach(all, ends, delimiter)]
    .filter((cells) => cells !== null)
    .map((cells) => cells.map((cell) => errorOf(cell) ?? cell));
}
