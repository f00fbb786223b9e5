/** Reads what changed of a source since a cursor, and what is marked as deleted; the rest is not compared, and not gone. */

import { noSeed, recordDigest, seededDigest } from '../engine/record-digest.ts';
import type { OnRecord } from '../engine/record-scanner.ts';
import type { Session } from '../store/database.ts';
import { changesTables } from '../store/first-changes.ts';
import {
  deletionPlace,
  openStagingSink,
  type StagingPlace,
  stagingPlace,
} from '../store/staging.ts';
import { countStored } from '../store/stored-digests.ts';
import type { MappedSource } from './mapped-source.ts';
import type { RecordMapper } from './record-mapper.ts';
import { namesOf, type ReadOptions, type SourceReading } from './source-reading.ts';
import { linesOf, records } from './source-records.ts';

/**
 * Stages all rows of a file of changes: they are few, and rows of before (of the overlap) turn out to be equal. Stored
 * digests are not looked at, for they would only tell what was not returned.
 */
export async function readChanges(
  session: Session,
  source: MappedSource,
  mapper: RecordMapper,
  options: ReadOptions,
): Promise<SourceReading> {
  const { kind, id, deletions } = source;
  mapper.start();
  const staged = await stage(session, source, mapper, stagingPlace(kind, id), options);
  const deleted = deletions
    ? await stage(session, { ...source, ...deletions }, mapper, deletionPlace(kind, id), options)
    : 0;
  return {
    source,
    comparison: {
      ...namesOf(source),
      fresh: false,
      changes: changesTables[kind],
      stored: await countStored(session, kind, id),
      staged,
      mayRepeat: true,
      mayDangle: true,
      unseen: 'all',
      withoutDigest: 0,
      partial: { deleted },
    },
    read: staged + deleted,
    seen: 0,
    again: false,
    linesOf: (wanted, stop) => linesOf(source, wanted, stop),
  };
}

/** @returns how many records there are */
async function stage(
  session: Session,
  source: MappedSource,
  mapper: RecordMapper,
  place: StagingPlace,
  { signal, onProgress }: ReadOptions,
): Promise<number> {
  const sink = openStagingSink(session, place);
  const mapping = mapper.open({ task: source.task, first: null, ...place }, sink);
  const digest = new Uint32Array(4);
  const onRecord: OnRecord = (scanned, start, end, line) => {
    recordDigest(scanned.words, start, end, noSeed, digest);
    seededDigest(digest, 0, source.seed, digest);
    mapping.add(scanned, start, end, line, digest);
  };
  let done = 0;
  try {
    for await (const chunk of records(source, onRecord, signal)) {
      await mapping.flushIfFull();
      done += chunk;
      onProgress({ done, total: source.file.bytes, unit: 'bytes' });
    }
    await mapping.end();
    await sink.end();
  } catch (error) {
    await sink.abandon();
    throw error;
  }
  return mapping.added;
}
