/** The records that a scope was last read from: their digests, and where they are in the former extraction. */
import type { ExtractedFile } from '../connectors/connector.ts';
import { extractedPath, type Manifest, readExtracted } from '../connectors/extraction.ts';
import { readRecords } from '../connectors/indexed-records.ts';
import { type Landmarks, readRecordIndex } from '../connectors/record-index.ts';
import { DigestSet } from '../engine/digest-set.ts';
import { LockstepError } from '../engine/errors.ts';
import { noSeed, recordDigest, seededDigest } from '../engine/record-digest.ts';
import type { Session } from '../store/database.ts';
import type { ScopeSource } from '../store/scope-source.ts';
import { deletionPlace, openStagingSink } from '../store/staging.ts';
import type { MappedSource } from './mapped-source.ts';
import type { RecordMapper } from './record-mapper.ts';

/** What the rows of a scope were made from, one record each, in the order of the former extraction. */
export interface FormerRecords {
  /** Of the bytes alone. */
  readonly digests: DigestSet;
  readonly path: string;
  readonly file: ExtractedFile;
  readonly landmarks: Landmarks;
}

/**
 * Reads the digests of the records that a scope holds, if the former extraction has them all: then one stands for every
 * stored row, and means what it means now.
 *
 * @returns undefined when the store has to be asked
 */
export async function readFormerRecords(
  source: MappedSource,
  known: ScopeSource,
  former: Manifest | null,
  signal: AbortSignal,
): Promise<FormerRecords | undefined> {
  const file = former?.files.find(({ sha256 }) => sha256 === known.sha256);
  // Where several records say the same link, one of them may be gone and the link not.
  if (!former || !file?.index || file.rows !== known.stored) return undefined;
  const digests = new DigestSet(file.rows);
  try {
    const chunks = readExtracted(source.root, former.id, file.index, signal);
    const size = { records: file.rows, bytes: file.index.bytes };
    const landmarks = await readRecordIndex(chunks, size, ({ buffer, byteOffset, byteLength }) =>
      digests.addAll(new Uint8Array(buffer, byteOffset, byteLength)),
    );
    if (digests.size !== file.rows) return undefined;
    return { digests, path: extractedPath(source.root, former.id, file), file, landmarks };
  } catch (error) {
    // Somebody touched it, or removed it since.
    if (error instanceof LockstepError && error.code === 'ExtractionModified') return undefined;
    throw error;
  }
}

/** More than so many, and more than one record in so many, are found faster by a look at every stored row. */
const few = { atLeast: 1000, oneIn: 20 } as const;

/**
 * Stages keys and digests of the records that were not met in the new extraction, so that their rows can be looked up
 * rather than looked for.
 *
 * @returns false when that is not worth it, or the former file is not what it was: then nothing of use is staged
 */
export async function stageGone(
  session: Session,
  source: MappedSource,
  { digests, path, file, landmarks }: FormerRecords,
  mapper: RecordMapper,
): Promise<boolean> {
  const gone = digests.unseenCount;
  if (gone === 0 || (gone > few.atLeast && gone * few.oneIn > digests.size)) return false;
  const place = deletionPlace(source.kind, source.id);
  const sink = openStagingSink(session, place);
  const mapping = mapper.open({ task: source.task, first: null, ...place }, sink);
  const raw = new Uint32Array(4);
  const seeded = new Uint32Array(4);
  let found = 0;
  try {
    await readRecords(
      { path, file, landmarks },
      digests.unseenPlaces(),
      (number, scanned, start, end, line) => {
        recordDigest(scanned.words, start, end, noSeed, raw);
        if (!sameDigest(raw, digests.at(number))) return;
        found += 1;
        seededDigest(raw, 0, source.seed, seeded);
        mapping.add(scanned, start, end, line, seeded);
      },
      () => mapping.flushIfFull(),
    );
    await mapping.end();
    await sink.end();
  } catch (error) {
    await sink.abandon();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  return found === gone;
}

function sameDigest(one: Uint32Array, other: Uint32Array): boolean {
  return one.every((word, index) => word === other[index]);
}
