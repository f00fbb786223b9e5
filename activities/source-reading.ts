/** Reads one extracted source: knows unchanged records by their digest, and has the new ones mapped and staged. */
import { createHash } from 'node:crypto';
import type { Configuration } from '../config/configuration.ts';
import type { ExtractedFile, Progress } from '../connectors/connector.ts';
import { type Manifest, readExtracted } from '../connectors/extraction.ts';
import { parseRecords } from '../connectors/record-parser.ts';
import { DigestSet } from '../engine/digest-set.ts';
import { type Association, type EntityType, mappedColumns } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import { recordDigest } from '../engine/record-digest.ts';
import { type OnRecord, RecordScanner } from '../engine/record-scanner.ts';
import { Header } from '../engine/row-mapping.ts';
import type { ThresholdSettings } from '../engine/threshold.ts';
import type { Session } from '../store/database.ts';
import { storedLinkDigests, storedResourceDigests } from '../store/delta-store.ts';
import type { StoredModel } from '../store/model-store.ts';
import type { ScopeComparison } from '../store/plan.ts';
import { openStagingSink, stageUnseen } from '../store/staging.ts';
import type { MappingTask } from './mapping-thread.ts';
import type { RecordMapper } from './record-mapper.ts';

/** One entity type or association with the file its rows are in, header checked. */
export interface MappedSource {
  readonly kind: 'rows' | 'links';
  readonly name: string;
  readonly id: number;
  readonly root: string;
  readonly extraction: string;
  readonly file: ExtractedFile;
  readonly task: MappingTask;
  /** Digests depend on what records mean: header, mapping and the formats of referenced keys. */
  readonly seed: Uint32Array;
  readonly thresholds: ThresholdSettings;
  /** Property (or `from`, `to`, `#key`) → source column, for rejects. */
  readonly columnNames: Readonly<Record<string, string>>;
}

/** What reading a source found. */
export interface SourceReading {
  readonly source: MappedSource;
  readonly comparison: ScopeComparison;
  readonly read: number;
  /** Records that are stored exactly as they are. */
  readonly seen: number;
  /** Finds on which lines records of these digests are, by reading the source once more. */
  linesOf(
    digests: readonly Uint32Array[],
    signal: AbortSignal,
  ): Promise<{ digest: Uint32Array; line: number }[]>;
}

/** Grows with every change of what a stored digest stands for, so that old digests no longer match. */
const digestVersion = 1;

/**
 * The sources of a connector, entity types before associations.
 *
 * @throws LockstepError `SourceColumnMissing` or `SourceUnreadable` when a header does not hold what is mapped
 */
export async function sourcesOf(
  configuration: Configuration,
  connector: string,
  manifest: Manifest,
  model: StoredModel,
  root: string,
): Promise<MappedSource[]> {
  const entityTypes = [...configuration.entityTypes.values()];
  const mapped: (EntityType | Association)[] = [
    ...entityTypes,
    ...configuration.associations.values(),
  ].filter((each) => each.connector === connector);
  const sources: MappedSource[] = [];
  for (const each of mapped) {
    const file = manifest.files.find(({ source }) => source === each.source);
    if (!file)
      throw new LockstepError(
        'ExtractionModified',
        `extraction ${manifest.id} has no ${each.source}`,
      );
    const header = await readHeader(root, manifest.id, file);
    const isEntityType = 'properties' in each;
    const columns = isEntityType ? mappedColumns(each) : [each.from.column, each.to.column];
    checkHeader(header, columns, each);
    const task: MappingTask = {
      header: header.names,
      delimiter: file.delimiter,
      entityTypes,
      ...(isEntityType
        ? { id: model.entityTypeIds.get(each.name) as number, entityType: each }
        : { id: model.navigations.get(each.name)?.id as number, association: each }),
    };
    sources.push({
      kind: isEntityType ? 'rows' : 'links',
      name: each.name,
      id: task.id,
      root,
      extraction: manifest.id,
      file,
      task,
      seed: seedOf(task),
      thresholds: each.thresholds,
      columnNames: isEntityType
        ? columnNames(each)
        : { from: each.from.column, to: each.to.column },
    });
  }
  return sources;
}

/** Reads one source against what is stored of it, and stages what is new and what is gone. */
export async function readSource(
  session: Session,
  source: MappedSource,
  mapper: RecordMapper,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: Progress) => void },
): Promise<SourceReading> {
  const { kind, id } = source;
  const { digests, withoutDigest } =
    kind === 'rows'
      ? await storedResourceDigests(session, id)
      : await storedLinkDigests(session, id);
  const sink = openStagingSink(session, kind);
  const mapping = mapper.open(source.task, sink);
  const digest = new Uint32Array(4);
  let read = 0;
  let seen = 0;
  let done = 0;
  const onRecord: OnRecord = (bytes, start, end, line) => {
    read += 1;
    recordDigest(bytes, start, end, source.seed, digest);
    const sighting = digests.see(digest);
    if (sighting === 'known') seen += 1;
    // Repeated rows of an association say the same link; a repeated resource is a duplicate key, for SQL to find.
    else if (sighting === 'new' || kind === 'rows') mapping.add(bytes, start, end, line, digest);
  };
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
  const comparison: ScopeComparison = {
    scope: `${kind === 'rows' ? 'r' : 'l'}${id}`,
    id,
    name: source.name,
    file: source.file.source,
    unseen: digests.size > 0 && digests.unseenCount === digests.size ? 'all' : digests.unseenCount,
    withoutDigest,
  };
  if (typeof comparison.unseen === 'number' && comparison.unseen > 0) {
    await stageUnseen(session, comparison.scope, digests.unseen());
  }
  return {
    source,
    comparison,
    read,
    seen,
    linesOf: (wanted, stop) => linesOf(source, wanted, stop),
  };
}

async function linesOf(source: MappedSource, wanted: readonly Uint32Array[], signal: AbortSignal) {
  const sought = new DigestSet(wanted.length);
  for (const words of wanted) sought.add(words);
  const found: { digest: Uint32Array; line: number }[] = [];
  const digest = new Uint32Array(4);
  const onRecord: OnRecord = (bytes, start, end, line) => {
    recordDigest(bytes, start, end, source.seed, digest);
    if (sought.see(digest) === 'known') found.push({ digest: digest.slice(), line });
  };
  for await (const _ of records(source, onRecord, signal));
  return found;
}

/** Scans the records after the header, chunk by chunk; gives the bytes read. */
async function* records(
  { root, extraction, file }: MappedSource,
  onRecord: OnRecord,
  signal: AbortSignal,
): AsyncGenerator<number> {
  let inHeader = true;
  const scanner = new RecordScanner(file.delimiter, (bytes, start, end, line) => {
    if (inHeader) inHeader = false;
    else onRecord(bytes, start, end, line);
  });
  for await (const chunk of readExtracted(root, extraction, file, signal)) {
    scanner.push(chunk);
    yield chunk.length;
  }
  scanner.end();
}

async function readHeader(root: string, extraction: string, file: ExtractedFile): Promise<Header> {
  let header: Buffer | undefined;
  const scanner = new RecordScanner(file.delimiter, (bytes, start, end) => {
    header ??= Buffer.from(bytes.slice(start, end));
  });
  const stop = new AbortController();
  for await (const chunk of readExtracted(root, extraction, file, stop.signal)) {
    scanner.push(chunk);
    if (header !== undefined) break;
  }
  scanner.end();
  try {
    return new Header(parseRecords(header ?? Buffer.alloc(0), file.delimiter)[0] ?? []);
  } catch (cause) {
    throw new LockstepError('SourceUnreadable', `the header of ${file.source} is not well-formed`, {
      cause,
    });
  }
}

function checkHeader(
  header: Header,
  columns: readonly string[],
  { name, source }: EntityType | Association,
): void {
  const missing = header.missing(columns);
  if (missing.length > 0) {
    const lacks = missing.map((column) => `“${column}”`).join(', ');
    // A first line without any mapped column may be a person's row in a file without a header: it is not quoted.
    const instead = columns.some((column) => !missing.includes(column))
      ? `it has ${header.names.join(', ')}`
      : 'its first line does not seem to be a header at all';
    throw new LockstepError(
      'SourceColumnMissing',
      `${source} has no column ${lacks}, which ${name} is mapped to; ${instead}`,
    );
  }
  const repeated = header.repeated(columns);
  if (repeated.length > 0) {
    throw new LockstepError(
      'SourceUnreadable',
      `${source} has the heading “${repeated[0]}” more than once`,
      {
        hint: 'Columns are found by name, so a mapped one must be unique. Have one of them renamed.',
      },
    );
  }
}

/** Everything that a record's values depend on besides its bytes; the limits, for one, are no part of it. */
function seedOf(task: MappingTask): Uint32Array {
  const keyOf = (name: string) => {
    const target = task.entityTypes.find((type) => type.name === name);
    return target?.properties.find((property) => property.name === target.key);
  };
  const meaning =
    'association' in task
      ? [task.association.from, task.association.to].map((end) => [
          end.column,
          keyOf(end.entityType),
        ])
      : [
          task.entityType.key,
          task.entityType.properties.map((property) => [
            property,
            property.kind === 'reference' ? keyOf(property.references) : null,
          ]),
        ];
  const digest = createHash('sha256')
    .update(JSON.stringify([digestVersion, task.header, task.delimiter, meaning]))
    .digest();
  return Uint32Array.from([0, 4, 8, 12], (at) => digest.readUInt32LE(at));
}

function columnNames(entityType: EntityType): Record<string, string> {
  const names: Record<string, string> = {};
  for (const { name, origin } of entityType.properties) {
    if (origin.from !== 'column') continue;
    names[name] = origin.column;
    if (name === entityType.key) names['#key'] = origin.column;
  }
  return names;
}
