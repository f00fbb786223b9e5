/** What became of the records that a scope was last read from: those that are gone, and those that have come. */
import type { ExtractedFile } from '../connectors/connector.ts';
import {
  extractedPath,
  type Manifest,
  modified,
  readExtracted,
  unlessModified,
} from '../connectors/extraction.ts';
import { type DifferenceFile, readDifference } from '../connectors/former-comparison.ts';
import type { IndexedFile } from '../connectors/indexed-records.ts';
import type { Landmarks } from '../connectors/landmarks.ts';
import { readLandmarks } from '../connectors/landmarks.ts';
import { type IndexFile, readRecordIndex } from '../connectors/record-index.ts';
import { DigestSet } from '../engine/digest-set.ts';
import { NumberedDigests } from '../engine/numbered-digests.ts';
import type { SequenceDifference } from '../engine/sequence-comparison.ts';
import type { Session } from '../store/database.ts';
import type { StoredNavigation } from '../store/model-store.ts';
import type { FoundRows } from '../store/plan.ts';
import type { ScopeSource } from '../store/scope-source.ts';
import { createDeletionStaging, deletionPlace, openStagingSink } from '../store/staging.ts';
import { findRows, linkLookUp, resourceLookUp } from '../store/unseen-rows.ts';
import type { MappedSource } from './mapped-source.ts';
import { pickOf } from './picked-records.ts';
import type { RecordMapper, SourceMapping } from './record-mapper.ts';
import type { ReadOptions } from './source-reading.ts';

/** The digests are of the bytes alone. */
export interface RecordDifference extends SequenceDifference {
  /** Where the records of the source's file are. */
  readonly landmarks: Landmarks;
  /** What the rows of the scope were made from, one record each. */
  readonly former: IndexedFile & { readonly file: ExtractedFile };
}

/** A file of an extraction that has an index. */
interface Indexed {
  readonly extraction: string;
  readonly file: ExtractedFile;
  readonly index: IndexFile;
}

/**
 * Compares the records of a source with those that its scope holds, if the former extraction has them all: then one stands
 * for every stored row, and means what it means now.
 *
 * @returns undefined when the store has to be asked
 */
export async function differenceSince(
  source: MappedSource,
  known: ScopeSource,
  former: Manifest | null,
  signal: AbortSignal,
): Promise<RecordDifference | undefined> {
  const before = former?.files.find(({ sha256 }) => sha256 === known.sha256);
  const { file } = source;
  // Where several records say the same link, one of them may be gone and the link not.
  if (!former || !before?.index || !file.index || before.rows !== known.stored) return undefined;
  const then = { extraction: former.id, file: before, index: before.index };
  const now = { extraction: source.extraction, file, index: file.index };
  const { difference } = file;
  const told =
    difference?.before === before.sha256
      ? await unlessModified(() => toldDifference(source.root, then, now, difference, signal))
      : undefined;
  return told ?? (await unlessModified(() => comparedIndexes(source.root, then, now, signal)));
}

/** As the export has found it. */
async function toldDifference(
  root: string,
  then: Indexed,
  now: Indexed,
  difference: DifferenceFile,
  signal: AbortSignal,
): Promise<RecordDifference> {
  const chunks: Buffer[] = [];
  for await (const chunk of readExtracted(root, now.extraction, difference, signal)) {
    chunks.push(Buffer.from(chunk));
  }
  return {
    ...readDifference(Buffer.concat(chunks), difference),
    landmarks: await landmarksOf(root, now),
    former: indexedFile(root, then, await landmarksOf(root, then)),
  };
}

async function landmarksOf(root: string, { extraction, file, index }: Indexed): Promise<Landmarks> {
  const landmarks = await readLandmarks(extractedPath(root, extraction, index), index, file.rows);
  if (landmarks === undefined) throw modified(extraction, index);
  return landmarks;
}

/** In whatever order the records are. */
async function comparedIndexes(
  root: string,
  then: Indexed,
  now: Indexed,
  signal: AbortSignal,
): Promise<RecordDifference> {
  const read = ({ extraction, file, index }: Indexed, onDigests: (part: Uint32Array) => void) =>
    readRecordIndex(
      readExtracted(root, extraction, index, signal),
      { records: file.rows, bytes: index.bytes },
      onDigests,
    );
  const digests = new DigestSet(then.file.rows);
  const formerLandmarks = await read(then, ({ buffer, byteOffset, byteLength }) =>
    digests.addAll(new Uint8Array(buffer, byteOffset, byteLength)),
  );
  const come = new NumberedDigests();
  let number = 0;
  const landmarks = await read(now, (part) => {
    for (let at = 0; at < part.length; at += 4) {
      if (digests.see(part, at) !== 'known') come.add(number, part, at);
      number += 1;
    }
  });
  if (digests.size !== then.file.rows || number !== now.file.rows) {
    throw modified(now.extraction, now.index);
  }
  const gone = new NumberedDigests();
  for (const place of digests.unseenPlaces()) gone.add(place, digests.at(place), 0);
  return { come, gone, landmarks, former: indexedFile(root, then, formerLandmarks) };
}

function indexedFile(root: string, { extraction, file }: Indexed, landmarks: Landmarks) {
  return { path: extractedPath(root, extraction, file), file, landmarks };
}

/**
 * Reads the records that are new, and hands them on.
 *
 * @throws LockstepError `ExtractionModified` when one of them is not what the export wrote
 */
export async function mapCome(
  { root, extraction, file, seed }: MappedSource,
  { come, landmarks }: Pick<RecordDifference, 'come' | 'landmarks'>,
  mapping: SourceMapping,
  signal: AbortSignal,
): Promise<void> {
  if (come.length === 0) return;
  const path = extractedPath(root, extraction, file);
  const found = await mapping.pick(pickOf({ path, file, landmarks }, come, seed), signal);
  if (found !== come.length) throw modified(extraction, file);
}

/** More than so many, and more than one record in so many, are found faster by a look at every stored row. */
const few = { atLeast: 1000, oneIn: 20 } as const;

function areFew({ gone: { length }, former }: RecordDifference): boolean {
  return length <= few.atLeast || length * few.oneIn <= former.file.rows;
}

/** So many are worth a session of their own, and leave little in memory when they are found. */
const besides = { atLeast: 1000, atMost: 100_000 } as const;

/**
 * Looks the rows up whose records are gone, beside the session that compares.
 *
 * @returns undefined, at once or later, where that is not worth it, not possible, or would not find them: see {@link stageGone}
 */
export function findGoneBeside(
  source: MappedSource,
  difference: RecordDifference,
  mapper: RecordMapper,
  { beside, navigations, signal }: Pick<ReadOptions, 'beside' | 'navigations' | 'signal'>,
): Promise<FoundRows | undefined> | undefined {
  const { length } = difference.gone;
  if (!areFew(difference) || length < besides.atLeast || length > besides.atMost) return undefined;
  const { kind, id } = source;
  return beside.run(async (session) => {
    await createDeletionStaging(session);
    if (!(await stageGone(session, source, difference, mapper, { signal }))) return undefined;
    const navigation = navigations.find((each) => each.id === id);
    const lookUp =
      kind === 'rows' ? resourceLookUp(id) : linkLookUp(navigation as StoredNavigation);
    return await findRows(session, lookUp);
  });
}

/**
 * Stages keys and digests of the records that are gone, so that their rows can be looked up rather than looked for. They are
 * read and mapped at once, and copied when it is their `turn`, if the session has others to take.
 *
 * @returns false when that is not worth it, or the former file is not what it was: then nothing of use is staged
 */
export async function stageGone(
  session: Session,
  { kind, id, task, seed }: MappedSource,
  difference: RecordDifference,
  mapper: RecordMapper,
  { turn, signal }: { readonly turn?: Promise<unknown>; readonly signal: AbortSignal },
): Promise<boolean> {
  const { gone, former } = difference;
  if (gone.length === 0 || !areFew(difference)) return false;
  const place = deletionPlace(kind, id);
  const sink = openStagingSink(session, place, turn);
  const mapping = mapper.open({ task, first: null, ...place }, sink);
  try {
    const found = await mapping.pick(pickOf(former, gone, seed), signal);
    await mapping.end();
    await sink.end();
    return found === gone.length;
  } catch (error) {
    await sink.abandon();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
