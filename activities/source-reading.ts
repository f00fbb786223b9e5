import type { Progress } from '../connectors/connector.ts';
import type { Manifest } from '../connectors/extraction.ts';
import type { DigestSet } from '../engine/digest-set.ts';
import { digestText, seededDigest } from '../engine/record-digest.ts';
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
import { storedLinkDigests, storedResourceDigests } from '../store/stored-digests.ts';
import { readFormerRecords, stageGone } from './former-records.ts';
import type { MappedSource } from './mapped-source.ts';
import { type ComparedRecords, compareRecords } from './record-comparison.ts';
import type { Doubts, RecordMapper } from './record-mapper.ts';
import { linesOf } from './source-records.ts';

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
  /** The extraction that was loaded last. */
  readonly former: Manifest | null;
  readonly deltaId: bigint;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Reads one source against what is stored of it, and stages what is new and what is gone. */
export async function readSource(
  session: Session,
  source: MappedSource,
  mapper: RecordMapper,
  { untouched, former, deltaId, signal, onProgress }: ReadOptions,
): Promise<SourceReading> {
  const { kind, id } = source;
  const known = untouched.get(source.scope);
  const means = digestText(source.seed);
  if (known && known.sha256 === source.file.sha256 && known.seed === means) {
    return readBefore(source, known);
  }
  mapper.start();
  const before =
    known?.seed === means ? await readFormerRecords(source, known, former, signal) : undefined;
  const { digests, stored, withoutDigest, fresh } = before
    ? { digests: before.digests, stored: before.file.rows, withoutDigest: 0, fresh: false }
    : kind === 'rows'
      ? await storedResourceDigests(session, id)
      : await storedLinkDigests(session, id);
  const changes = fresh
    ? await openFirstChanges(session, changesTables[kind], deltaId, id, source.file.rows)
    : changesTables[kind];
  const place = fresh ? firstPlace(kind, id, deltaId, changes) : stagingPlace(kind, id);
  const sink = openStagingSink(session, place);
  const mapping = mapper.open(
    { task: source.task, first: fresh ? source.file.rows : null, ...place },
    sink,
  );
  let compared: ComparedRecords;
  let doubts: Doubts;
  try {
    compared = await compareRecords({
      source,
      digests,
      unseeded: before !== undefined,
      fresh,
      mapping,
      signal,
      onProgress,
    });
    doubts = await mapping.end();
    await sink.end();
  } catch (error) {
    await sink.abandon();
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
    goneAreStaged:
      source.infersDeletes &&
      before !== undefined &&
      (await stageGone(session, source, before, mapper)),
    ...(!source.infersDeletes && { partial: { deleted: 0 } }),
  };
  if (typeof comparison.unseen === 'number' && unseen > 0) {
    const gone = before ? seededDigests(digests, source.seed) : digests.unseen();
    await stageUnseen(session, comparison.scope, gone);
  }
  digests[Symbol.dispose]();
  return {
    source,
    comparison,
    ...compared,
    again: false,
    linesOf: (wanted, stop) => linesOf(source, wanted, stop),
  };
}

/** The digests that were not met, as the store has them. Each is valid until the next one. */
function* seededDigests(digests: DigestSet, seed: Uint32Array): Iterable<Uint32Array> {
  const seeded = new Uint32Array(4);
  for (const words of digests.unseen()) {
    seededDigest(words, 0, seed, seeded);
    yield seeded;
  }
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
    goneAreStaged: false,
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
