/** What is mapped to which file of an extraction: headers checked, and digests seeded by what records mean. */
import { createHash } from 'node:crypto';
import type { Configuration } from '../config/configuration.ts';
import type { ExtractedFile } from '../connectors/connector.ts';
import { type Manifest, readExtracted } from '../connectors/extraction.ts';
import { parseRecords } from '../connectors/record-parser.ts';
import {
  type Association,
  type EntityType,
  mappedColumns,
  referenceScope,
} from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import { RecordScanner } from '../engine/record-scanner.ts';
import { Header } from '../engine/row-mapping.ts';
import type { ThresholdSettings } from '../engine/threshold.ts';
import type { StoredModel, StoredNavigation } from '../store/model-store.ts';
import type { MappingTask } from './mapping-thread.ts';

/** One entity type or association with the file its rows are in, header checked. */
export interface MappedSource {
  readonly kind: 'rows' | 'links';
  readonly name: string;
  readonly id: number;
  /** `r<entity type id>` or `l<navigation property id>`. */
  readonly scope: string;
  readonly root: string;
  readonly extraction: string;
  readonly file: ExtractedFile;
  /** False in an incremental job, whatever its files hold: what they do not show is left to the next complete one. */
  readonly infersDeletes: boolean;
  /** Beside a file of what changed: what is marked as deleted, of which only the key is looked at. */
  readonly deletions: { readonly file: ExtractedFile; readonly task: MappingTask } | undefined;
  readonly task: MappingTask;
  /** Digests depend on what records mean: header, mapping and the formats of referenced keys. */
  readonly seed: Uint32Array;
  /** A digest of the mapping alone, hexadecimal: a cursor is worth nothing once rows mean something else. */
  readonly meaning: string;
  readonly thresholds: ThresholdSettings;
  /** Property (or `from`, `to`, `#key`) → source column, for rejects. */
  readonly columnNames: Readonly<Record<string, string>>;
}

/** Grows with every change of what a stored digest stands for, so that old digests no longer match. */
const digestVersion = 3;

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
    const file = manifest.files.find(({ source }) => source === each.source.name);
    if (!file)
      throw new LockstepError(
        'ExtractionModified',
        `extraction ${manifest.id} has no ${each.source.name}`,
      );
    const header = await readHeader(root, manifest.id, file);
    const isEntityType = 'properties' in each;
    const columns = isEntityType ? mappedColumns(each) : [each.from.column, each.to.column];
    checkHeader(header, columns, each.name, fileName(file));
    const task: MappingTask = {
      header: header.names,
      delimiter: file.delimiter,
      entityTypes,
      references: new Map(isEntityType ? referencesOf(each, model) : []),
      ...(isEntityType
        ? { id: model.entityTypeIds.get(each.name) as number, entityType: each }
        : { id: model.navigations.get(each.name)?.id as number, association: each }),
    };
    sources.push({
      kind: isEntityType ? 'rows' : 'links',
      name: each.name,
      id: task.id,
      scope: `${isEntityType ? 'r' : 'l'}${task.id}`,
      root,
      extraction: manifest.id,
      file,
      infersDeletes: manifest.mode !== 'incremental',
      deletions: deletionsOf(manifest, file, task),
      task,
      meaning: digestOfMeaning(each, entityTypes),
      seed: seedOf(task),
      thresholds: each.thresholds,
      columnNames: isEntityType
        ? columnNames(each)
        : { from: each.from.column, to: each.to.column },
    });
  }
  return sources;
}

/**
 * Reads the header of an extracted file.
 *
 * @throws LockstepError `SourceUnreadable` when it is not well-formed
 */
export async function readHeader(
  root: string,
  extraction: string,
  file: ExtractedFile,
): Promise<Header> {
  let header: Buffer | undefined;
  const scanner = new RecordScanner(file.delimiter, ({ bytes }, start, end) => {
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
    throw new LockstepError(
      'SourceUnreadable',
      `the header of ${fileName(file)} is not well-formed`,
      {
        cause,
      },
    );
  }
}

/** The file whose header it is, as people know it. */
export function fileName({ source, parts }: ExtractedFile): string {
  return parts?.[0]?.file ?? source;
}

function checkHeader(header: Header, columns: readonly string[], name: string, file: string): void {
  const missing = header.missing(columns);
  if (missing.length > 0) {
    const lacks = missing.map((column) => `“${column}”`).join(', ');
    // A first line without any mapped column may be a person's row in a file without a header: it is not quoted.
    const instead = columns.some((column) => !missing.includes(column))
      ? `it has ${header.names.join(', ')}`
      : 'its first line does not seem to be a header at all';
    throw new LockstepError(
      'SourceColumnMissing',
      `${file} has no column ${lacks}, which ${name} is mapped to; ${instead}`,
    );
  }
  const repeated = header.repeated(columns);
  if (repeated.length > 0) {
    throw new LockstepError(
      'SourceUnreadable',
      `${file} has the heading “${repeated[0]}” more than once`,
      {
        hint: 'Columns are found by name, so a mapped one must be unique. Have one of them renamed.',
      },
    );
  }
}

/** Everything that a record's values depend on besides its bytes; the limits, for one, are no part of it. */
function seedOf(task: MappingTask): Uint32Array {
  const mapped = 'association' in task ? task.association : task.entityType;
  const meaning = meaningOf(mapped, task.entityTypes);
  const digest = createHash('sha256')
    .update(JSON.stringify([digestVersion, task.header, task.delimiter, meaning]))
    .digest();
  return Uint32Array.from([0, 4, 8, 12], (at) => digest.readUInt32LE(at));
}

function meaningOf(mapped: EntityType | Association, entityTypes: readonly EntityType[]): unknown {
  const keyOf = (name: string) => {
    const target = entityTypes.find((type) => type.name === name);
    return target?.properties.find((property) => property.name === target.key);
  };
  return 'from' in mapped
    ? [mapped.from, mapped.to].map((end) => [end.column, keyOf(end.entityType)])
    : [
        mapped.key,
        mapped.properties.map((property) => [
          property,
          property.kind === 'reference' ? keyOf(property.references) : null,
        ]),
      ];
}

/** What rows mean, whatever else is in them; hexadecimal. */
export function digestOfMeaning(
  mapped: EntityType | Association,
  entityTypes: readonly EntityType[],
): string {
  return createHash('sha256')
    .update(JSON.stringify([digestVersion, meaningOf(mapped, entityTypes)]))
    .digest('hex')
    .slice(0, 32);
}

/** A row that is marked as deleted need not convert, but for its key. */
function deletionsOf(
  { id, files }: Manifest,
  { deletions }: ExtractedFile,
  task: MappingTask,
): MappedSource['deletions'] {
  if (deletions === undefined) return undefined;
  const file = files.find(({ source }) => source === deletions);
  if (!file) {
    throw new LockstepError('ExtractionModified', `extraction ${id} has no ${deletions}`);
  }
  if ('association' in task) return { file, task };
  const { entityType } = task;
  const key = entityType.properties.filter(({ name }) => name === entityType.key);
  // The expression of a key may need any other property.
  const properties = key[0]?.origin.from === 'column' ? key : entityType.properties;
  return {
    file,
    task: { ...task, entityType: { ...entityType, properties }, references: new Map() },
  };
}

function referencesOf({ name, properties }: EntityType, model: StoredModel): [string, number][] {
  return properties
    .filter(({ kind }) => kind === 'reference')
    .map((property) => {
      const navigation = model.navigations.get(referenceScope(name, property.name));
      return [property.name, (navigation as StoredNavigation).id];
    });
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
