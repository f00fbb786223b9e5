/** Compares the records of a source with what is known by digest, and hands on those that are new. */
import type { Progress } from '../connectors/connector.ts';
import { extractedPath, modified, readExtracted } from '../connectors/extraction.ts';
import { readRecords } from '../connectors/indexed-records.ts';
import { type IndexFile, readRecordIndex } from '../connectors/record-index.ts';
import type { DigestSet } from '../engine/digest-set.ts';
import { LockstepError } from '../engine/errors.ts';
import { noSeed, recordDigest, seededDigest } from '../engine/record-digest.ts';
import { WordList } from '../engine/word-list.ts';
import type { MappedSource } from './mapped-source.ts';
import type { SourceMapping } from './record-mapper.ts';
import { records } from './source-records.ts';

/** What to compare with, and where new records go. */
export interface RecordComparison {
  readonly source: MappedSource;
  readonly digests: DigestSet;
  /** The digests are those of the bytes alone, not of what they mean. */
  readonly unseeded: boolean;
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
  const { source, digests, unseeded, mapping, signal, onProgress } = comparison;
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
      const sighting = digests.see(unseeded ? raw : seeded);
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

/**
 * Compares the digests that the export left, and reads only the records that are new.
 *
 * @throws LockstepError `ExtractionModified` when a record that is new is not what the export wrote
 */
async function byIndex(comparison: RecordComparison, index: IndexFile): Promise<ComparedRecords> {
  const { source, digests, mapping, signal } = comparison;
  const { root, extraction, file } = source;
  const compared = await compareIndex(comparison, index);
  if (compared === undefined) {
    digests.forget();
    return await byScan(comparison);
  }
  const { added, landmarks, seen } = compared;
  const found = new DigestChain();
  const raw = new Uint32Array(4);
  const seeded = new Uint32Array(4);
  await readRecords(
    { path: extractedPath(root, extraction, file), file, landmarks },
    added.numbers,
    (_, scanned, start, end, line) => {
      recordDigest(scanned.words, start, end, noSeed, raw);
      found.add(raw, 0);
      seededDigest(raw, 0, source.seed, seeded);
      mapping.add(scanned, start, end, line, seeded);
    },
    async () => {
      signal.throwIfAborted();
      await mapping.flushIfFull();
    },
  );
  if (!found.equals(added.chain)) throw modified(extraction, file);
  return { read: file.rows, seen };
}

/** @returns undefined when the index is not what the export wrote: only the digests have noted anything by then */
async function compareIndex(comparison: RecordComparison, index: IndexFile) {
  const { source, digests, unseeded, signal, onProgress } = comparison;
  const { root, extraction, file } = source;
  const seeded = new Uint32Array(4);
  const added = new NewRecords();
  let read = 0;
  let seen = 0;
  try {
    const chunks = readExtracted(root, extraction, index, signal);
    const size = { records: file.rows, bytes: index.bytes };
    const landmarks = await readRecordIndex(chunks, size, (part) => {
      for (let at = 0; at < part.length; at += 4) {
        if (!unseeded) seededDigest(part, at, source.seed, seeded);
        const sighting = unseeded ? digests.see(part, at) : digests.see(seeded);
        if (sighting === 'known') seen += 1;
        else if (isNew(comparison, sighting)) added.add(read, part, at);
        read += 1;
      }
      onProgress({ done: read, total: file.rows, unit: 'rows' });
    });
    return read === file.rows ? { added, landmarks, seen } : undefined;
  } catch (error) {
    if (error instanceof LockstepError && error.code === 'ExtractionModified') return undefined;
    throw error;
  }
}

/** The numbers of the records that are new, and what their digests come to. */
class NewRecords {
  readonly chain = new DigestChain();
  readonly #numbers = new WordList();

  add(number: number, digests: Uint32Array, at: number): void {
    this.#numbers.push(number);
    this.chain.add(digests, at);
  }

  get numbers(): Uint32Array {
    return this.#numbers.words;
  }
}

/** A digest of digests in their order: whether those that were read are those that were wanted, in 16 bytes. */
class DigestChain {
  readonly #words = new Uint32Array(4);

  add(digests: Uint32Array, at: number): void {
    seededDigest(digests, at, this.#words, this.#words);
  }

  equals(other: DigestChain): boolean {
    return this.#words.every((word, index) => word === other.#words[index]);
  }
}
