/** Compares the records of a source with the digests of the store, and hands on those that are new. */
import type { Progress } from '../connectors/connector.ts';
import { readExtracted, unlessModified } from '../connectors/extraction.ts';
import { type IndexFile, readRecordIndex } from '../connectors/record-index.ts';
import type { DigestSet } from '../engine/digest-set.ts';
import { NumberedDigests } from '../engine/numbered-digests.ts';
import { noSeed, recordDigest, seededDigest } from '../engine/record-digest.ts';
import type { MappedSource } from './mapped-source.ts';
import { mapCome } from './record-difference.ts';
import type { SourceMapping } from './record-mapper.ts';
import { records } from './source-records.ts';

/** What to compare with, and where new records go. */
export interface RecordComparison {
  readonly source: MappedSource;
  readonly digests: DigestSet;
  /** Nothing is stored: every record is new. */
  readonly fresh: boolean;
  readonly mapping: SourceMapping;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** How many records there are, and how many of them are stored as they are. */
export interface ComparedRecords {
  readonly read: number;
  readonly seen: number;
}

/** Compares all records, by the index of the file if it has one. */
export async function compareRecords(comparison: RecordComparison): Promise<ComparedRecords> {
  const { source, fresh } = comparison;
  const { index } = source.file;
  return index && !fresh ? await byIndex(comparison, index) : await byScan(comparison);
}

/** Repeated rows of an association say the same link; a repeated resource is a duplicate key, for SQL to find. */
const isNew = ({ source }: RecordComparison, sighting: ReturnType<DigestSet['see']>) =>
  sighting === 'new' || (sighting === 'again' && source.kind === 'rows');

/** Finds every record and digests it. */
async function byScan(comparison: RecordComparison): Promise<ComparedRecords> {
  const { source, digests, mapping, signal, onProgress } = comparison;
  const raw = new Uint32Array(4);
  const seeded = new Uint32Array(4);
  let read = 0;
  let seen = 0;
  let done = 0;
  const chunks = records(
    source,
    (scanned, start, end, line) => {
      read += 1;
      recordDigest(scanned.words, start, end, noSeed, raw);
      seededDigest(raw, 0, source.seed, seeded);
      const sighting = digests.see(seeded);
      if (sighting === 'known') seen += 1;
      else if (isNew(comparison, sighting)) mapping.add(scanned, start, end, line, seeded);
    },
    signal,
  );
  for await (const chunk of chunks) {
    await mapping.flushIfFull();
    done += chunk;
    onProgress({ done, total: source.file.bytes, unit: 'bytes' });
  }
  return { read, seen };
}

/** Compares the digests that the export left, and reads only the records that are new. */
async function byIndex(comparison: RecordComparison, index: IndexFile): Promise<ComparedRecords> {
  const { source, digests, mapping, signal } = comparison;
  const compared = await compareIndex(comparison, index);
  if (compared === undefined) {
    digests.forget();
    return await byScan(comparison);
  }
  await mapCome(source, compared, mapping, signal);
  return { read: source.file.rows, seen: compared.seen };
}

/** @returns undefined when the index is not what the export wrote: only the digests have noted anything by then */
async function compareIndex(comparison: RecordComparison, index: IndexFile) {
  const { source, digests, signal, onProgress } = comparison;
  const { root, extraction, file } = source;
  const seeded = new Uint32Array(4);
  const come = new NumberedDigests();
  let read = 0;
  let seen = 0;
  return await unlessModified(async () => {
    const chunks = readExtracted(root, extraction, index, signal);
    const size = { records: file.rows, bytes: index.bytes };
    const landmarks = await readRecordIndex(chunks, size, (part) => {
      for (let at = 0; at < part.length; at += 4) {
        seededDigest(part, at, source.seed, seeded);
        const sighting = digests.see(seeded);
        if (sighting === 'known') seen += 1;
        else if (isNew(comparison, sighting)) come.add(read, part, at);
        read += 1;
      }
      onProgress({ done: read, total: file.rows, unit: 'rows' });
    });
    return read === file.rows ? { come, landmarks, seen } : undefined;
  });
}
