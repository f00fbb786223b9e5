/** The records of a source, one after another, and the lines on which some of them are. */
import { readExtracted } from '../connectors/extraction.ts';
import { DigestSet } from '../engine/digest-set.ts';
import { noSeed, recordDigest, seededDigest } from '../engine/record-digest.ts';
import { type OnRecord, RecordScanner } from '../engine/record-scanner.ts';
import type { MappedSource } from './mapped-source.ts';

/** Finds all lines on which records of these digests are. */
export async function linesOf(
  source: MappedSource,
  wanted: readonly Uint32Array[],
  signal: AbortSignal,
) {
  const sought = new DigestSet(wanted.length);
  for (const words of wanted) sought.add(words);
  const found: { digest: Uint32Array; line: number }[] = [];
  const digest = new Uint32Array(4);
  const onRecord: OnRecord = ({ words }, start, end, line) => {
    recordDigest(words, start, end, noSeed, digest);
    seededDigest(digest, 0, source.seed, digest);
    if (sought.see(digest) !== 'new') found.push({ digest: digest.slice(), line });
  };
  for await (const _ of records(source, onRecord, signal));
  return found;
}

/** Scans the records after the header, chunk by chunk; gives the bytes read. */
export async function* records(
  { root, extraction, file }: MappedSource,
  onRecord: OnRecord,
  signal: AbortSignal,
): AsyncGenerator<number> {
  let inHeader = true;
  const onEach: OnRecord = (scanned, start, end, line) => {
    if (inHeader) inHeader = false;
    else onRecord(scanned, start, end, line);
  };
  const scanner = new RecordScanner(file.delimiter, onEach, file.countsRecords);
  for await (const chunk of readExtracted(root, extraction, file, signal)) {
    scanner.push(chunk);
    yield chunk.length;
  }
  scanner.end();
}
