import type { Progress } from '../connectors/connector.ts';
import { readExtracted } from '../connectors/extraction.ts';
import { DigestSet } from '../engine/digest-set.ts';
import { digestText, recordDigest } from '../engine/record-digest.ts';
import { type OnRecord, RecordScanner } from '../engine/record-scanner.ts';
import type { Session } from '../store/database.ts';
import {
  analyseFirstChanges,
  changesTables,
  isOwnTable,
  openFirstChanges,
} from '../store/first-changes.ts';
import type { ScopeComparison } from '../store/plan.ts';
import type { ScopeSource } from '../store/scope-source.ts';
import { firstPlace, openStagingSink, stageUnseen, stagingPlace } from '../store/staging.ts';
import {
  type StoredDigests,
  storedLinkDigests,
  storedResourceDigests,
} from '../store/stored-digests.ts';
import { DigestKeeper, readKeptDigests } from './kept-digests.ts';
import type { MappedSource } from './mapped-source.ts';
import type { Doubts, RecordMapper } from './record-mapper.ts';

/** What reading a source found. */
export interface SourceReading {
  readonly source: MappedSource;
  readonly comparison: ScopeComparison;
  readonly read: number;
  /** Records that are stored exactly as they are. */
  readonly seen: number;
  /** All of the source is what was read before, so nothing of it was compared. */
  readonly again: boolean;
  /** Finds all lines on which records of these digests are, by reading the source once more. */
  linesOf(
    digests: readonly Uint32Array[],
    signal: AbortSignal,
  ): Promise<{ digest: Uint32Array; line: number }[]>;
}

/** How to read a source, and for whom. */
export interface ReadOptions {
  /** What each scope was read from, as long as it holds just that. */
  readonly untouched: ReadonlyMap<string, ScopeSource>;
  readonly deltaId: bigint;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Reads one source against what is stored of it, and stages what is new and what is gone. */
export async function readSource(
  session: Session,
  source: MappedSource,
  mapper: RecordMapper,
  { untouched, deltaId, signal, onProgress }: ReadOptions,
): Promise<SourceReading> {
  const { kind, id } = source;
  const known = untouched.get(source.scope);
  if (known && known.sha256 === source.file.sha256 && known.seed === digestText(source.seed)) {
    return readBefore(source, known);
  }
  mapper.start();
  const { digests, stored, withoutDigest, fresh } =
    (known && (await keptDigests(source, known, signal))) ??
    (kind === 'rows'
      ? await storedResourceDigests(session, id)
      : await storedLinkDigests(session, id));
  const changes = fresh
    ? await openFirstChanges(session, changesTables[kind], deltaId, id, source.file.rows)
    : changesTables[kind];
  const place = fresh ? firstPlace(kind, id, deltaId, changes) : stagingPlace(kind, id);
  const sink = openStagingSink(session, place);
  const keeper = await DigestKeeper.open(source, known);
  const mapping = mapper.open(
    { task: source.task, first: fresh ? source.file.rows : null, ...place },
    sink,
  );
  const digest = new Uint32Array(4);
  let read = 0;
  let seen = 0;
  let done = 0;
  let doubts: Doubts | undefined;
  const onRecord: OnRecord = (scanned, start, end, line) => {
    read += 1;
    recordDigest(scanned.words, start, end, source.seed, digest);
    keeper?.add(digest);
    const sighting = digests.see(digest);
    if (sighting === 'known') seen += 1;
    // Repeated rows of an association say the same link; a repeated resource is a duplicate key, for SQL to find.
    else if (sighting === 'new' || kind === 'rows') mapping.add(scanned, start, end, line, digest);
  };
  try {
    for await (const chunk of records(source, onRecord, signal)) {
      await mapping.flushIfFull();
      await keeper?.flushIfFull();
      done += chunk;
      onProgress({ done, total: source.file.bytes, unit: 'bytes' });
    }
    doubts = await mapping.end();
    await sink.end();
    await keeper?.end();
  } catch (error) {
    await sink.abandon();
    await keeper?.abandon();
    throw error;
  }
  if (isOwnTable(changes)) await analyseFirstChanges(session, changes);
  const unseen = digests.unseenCount;
  const comparison: ScopeComparison = {
    ...namesOf(source),
    fresh,
    changes,
    stored,
    staged: mapping.added,
    mayRepeat: !fresh || doubts.mayRepeat,
    mayDangle: !fresh || doubts.mayDangle,
    unseen: unseen > 0 && unseen === digests.size ? 'all' : unseen,
    withoutDigest,
    ...(!source.infersDeletes && { partial: { deleted: 0 } }),
  };
  if (typeof comparison.unseen === 'number' && unseen > 0) {
    await stageUnseen(session, comparison.scope, digests.unseen());
  }
  return {
    source,
    comparison,
    read,
    seen,
    again: false,
    linesOf: (wanted, stop) => linesOf(source, wanted, stop),
  };
}

/** What the stored rows of an untouched scope are known by, as they were read. */
async function keptDigests(
  source: MappedSource,
  known: ScopeSource,
  signal: AbortSignal,
): Promise<StoredDigests | undefined> {
  const digests = await readKeptDigests(source, known, signal);
  return digests && { digests, stored: known.stored, withoutDigest: 0, fresh: false };
}

/** The bytes say what they said before, and the scope holds just that. */
function readBefore(source: MappedSource, { stored }: ScopeSource): SourceReading {
  const { rows } = source.file;
  const nothing = {
    fresh: false,
    staged: 0,
    mayRepeat: false,
    mayDangle: false,
    unseen: 0,
    withoutDigest: 0,
  };
  const changes = changesTables[source.kind];
  return {
    source,
    comparison: { ...namesOf(source), ...nothing, changes, stored },
    read: rows,
    seen: rows,
    again: true,
    linesOf: (wanted, stop) => linesOf(source, wanted, stop),
  };
}

/** What a comparison calls its source. */
export function namesOf({ scope, id, name, file }: MappedSource) {
  return { scope, id, name, file: file.source, parts: file.parts };
}

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
    recordDigest(words, start, end, source.seed, digest);
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
