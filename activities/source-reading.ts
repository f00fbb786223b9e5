import type { Progress } from '../connectors/connector.ts';
import type { Manifest } from '../connectors/extraction.ts';
import type { NumberedDigests } from '../engine/numbered-digests.ts';
import { digestText, seededDigest } from '../engine/record-digest.ts';
import type { Session } from '../store/database.ts';
import {
  analyseFirstChanges,
  changesTables,
  isOwnTable,
  openFirstChanges,
} from '../store/first-changes.ts';
import type { StoredNavigation } from '../store/model-store.ts';
import type { FoundRows, ScopeComparison } from '../store/plan.ts';
import type { ScopeSource } from '../store/scope-source.ts';
import type { SessionsBeside } from '../store/sessions-beside.ts';
import {
  firstPlace,
  openStagingSink,
  type StagingSink,
  stageUnseen,
  stagingPlace,
} from '../store/staging.ts';
import { storedLinkDigests, storedResourceDigests } from '../store/stored-digests.ts';
import type { MappedSource } from './mapped-source.ts';
import { type ComparedRecords, compareRecords } from './record-comparison.ts';
import { differenceSince, findGoneBeside, mapCome, stageGone } from './record-difference.ts';
import type { FirstRows, RecordMapper, SourceMapping } from './record-mapper.ts';
import { allEnded } from './shared-session.ts';
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
  /** Every navigation property that the store knows. */
  readonly navigations: readonly StoredNavigation[];
  readonly beside: SessionsBeside;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Reads one source against what is stored of it, and stages what is new and what is gone. */
export async function readSource(
  session: Session,
  source: MappedSource,
  mapper: RecordMapper,
  options: ReadOptions,
): Promise<SourceReading> {
  const { kind, id } = source;
  const { untouched, deltaId } = options;
  const noted = untouched.get(source.scope);
  const known = noted?.seed === digestText(source.seed) ? noted : undefined;
  if (known?.sha256 === source.file.sha256) return readBefore(source, known);
  mapper.start();
  const baseline = await baselineOf(session, source, mapper, { ...options, known });
  const { fresh, stored, withoutDigest } = baseline;
  const changes = fresh
    ? await openFirstChanges(session, changesTables[kind], deltaId, id, source.file.rows)
    : changesTables[kind];
  const place = fresh ? firstPlace(kind, id, deltaId, changes) : stagingPlace(kind, id);
  const sink = openStagingSink(session, place);
  const mapping = mapper.open(
    { task: source.task, first: fresh ? source.file.rows : null, ...place },
    sink,
  );
  // While one part is mapped or staged, the other is read.
  const come = stageNew(baseline, mapping, sink);
  const turn = come.catch(() => {});
  const beside = source.infersDeletes ? baseline.findGoneBeside() : undefined;
  const [{ compared, first }, staged] = await allEnded([
    come,
    source.infersDeletes && beside === undefined ? baseline.stageGone(turn) : false,
  ] as const);
  if (isOwnTable(changes)) await analyseFirstChanges(session, changes);
  const gone = baseline.gone();
  const comparison: ScopeComparison = {
    ...namesOf(source),
    fresh,
    changes,
    stored,
    staged: mapping.added,
    mayRepeat: !fresh || first.mayRepeat,
    mayDangle: !fresh || first.mayDangle,
    ...(first.usable && { usable: first.usable }),
    unseen: gone.count > 0 && gone.count === gone.of ? 'all' : gone.count,
    withoutDigest,
    gone: beside ?? (staged ? 'staged' : undefined),
    ...(!source.infersDeletes && { partial: { deleted: 0 } }),
  };
  if (typeof comparison.unseen === 'number' && gone.count > 0) {
    await stageUnseen(session, comparison.scope, gone.digests);
  }
  return {
    source,
    comparison,
    ...compared,
    again: false,
    linesOf: (wanted, stop) => linesOf(source, wanted, stop),
  };
}

/** Maps and stages the records that are new. */
async function stageNew(
  baseline: Baseline,
  mapping: SourceMapping,
  sink: StagingSink,
): Promise<{ compared: ComparedRecords; first: FirstRows }> {
  try {
    const compared = await baseline.compare(mapping);
    const first = await mapping.end();
    await sink.end();
    return { compared, first };
  } catch (error) {
    await sink.abandon();
    throw error;
  }
}

/** What the records of a source are compared with. */
interface Baseline {
  readonly stored: number;
  readonly withoutDigest: number;
  /** Nothing is stored. */
  readonly fresh: boolean;
  /** Hands the records that are new on. */
  compare(mapping: SourceMapping): Promise<ComparedRecords>;
  /** Once compared: how many stored records of how many were not met, and their digests as they are stored. */
  gone(): { readonly count: number; readonly of: number; readonly digests: Iterable<Uint32Array> };
  /** See {@link findGoneBeside}. */
  findGoneBeside(): Promise<FoundRows | undefined> | undefined;
  /** See {@link stageGone}. */
  stageGone(turn: Promise<unknown>): Promise<boolean>;
}

/** The former extraction, where the scope holds just what was read from it; else the store. */
async function baselineOf(
  session: Session,
  source: MappedSource,
  mapper: RecordMapper,
  { known, ...options }: ReadOptions & { readonly known: ScopeSource | undefined },
): Promise<Baseline> {
  const { kind, id, file, seed } = source;
  const { former, signal, onProgress } = options;
  const difference = known && (await differenceSince(source, known, former, signal));
  if (difference) {
    const { come, gone } = difference;
    return {
      stored: difference.former.file.rows,
      withoutDigest: 0,
      fresh: false,
      async compare(mapping) {
        await mapCome(source, difference, mapping, signal);
        onProgress({ done: file.rows, total: file.rows, unit: 'rows' });
        return { read: file.rows, seen: file.rows - come.length };
      },
      gone: () => ({
        count: gone.length,
        of: difference.former.file.rows,
        digests: seededDigests(gone, seed),
      }),
      findGoneBeside: () => findGoneBeside(source, difference, mapper, options),
      stageGone: (turn) => stageGone(session, source, difference, mapper, { turn, signal }),
    };
  }
  const asked =
    kind === 'rows'
      ? await storedResourceDigests(session, id)
      : await storedLinkDigests(session, id);
  const { digests, fresh } = asked;
  return {
    ...asked,
    compare: (mapping) => compareRecords({ source, digests, fresh, mapping, signal, onProgress }),
    gone: () => ({ count: digests.unseenCount, of: digests.size, digests: digests.unseen() }),
    findGoneBeside: () => undefined,
    stageGone: async () => false,
  };
}

/** The digests of records as the store has them. Each is valid until the next one. */
function* seededDigests({ length, digests }: NumberedDigests, seed: Uint32Array) {
  const seeded = new Uint32Array(4);
  for (let nth = 0; nth < length; nth++) {
    seededDigest(digests, nth * 4, seed, seeded);
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
