/** Finds the rows of a key in a kept extraction: one pass over its file, of which only rows that may hold the key are parsed. */

import { type Manifest, readExtracted } from '../connectors/extraction.ts';
import { parseEach } from '../connectors/record-parser.ts';
import type { EntityType } from '../engine/entity-type.ts';
import { errorOf } from '../engine/error-cell.ts';
import { LockstepError } from '../engine/errors.ts';
import { RecordScanner } from '../engine/record-scanner.ts';
import { Header, keyConversion } from '../engine/row-mapping.ts';
import { type SourcePlace, sourcePlace } from '../engine/source-part.ts';

/** A row of a source. **Danger:** raw identity data, for a terminal only. */
export interface SourceRecord {
  /** Where it comes from: the file of the connected system, and the line of its first character there. */
  readonly place: SourcePlace;
  /** Column → cell as it stands there. */
  readonly cells: ReadonlyMap<string, string>;
}

/** Rows beyond these are counted, not kept: a key that fills a whole file must not fill memory. */
const rowsKept = 20;

/** What a look for a key found. */
export interface FoundRecords {
  readonly rows: readonly SourceRecord[];
  readonly total: number;
}

/** Which rows to find, and where. */
export interface RecordSearch {
  /** Directory of the extractions. */
  readonly root: string;
  readonly manifest: Manifest;
  readonly entityType: EntityType;
  readonly key: string;
  /** A line at which the row was, when its key is made by an expression and cannot be looked for. */
  readonly line: number | null;
}

/**
 * Finds the rows of a key. Bounded memory; a file of a million rows takes a second, and some more for keys that are no text.
 *
 * @throws LockstepError `ExtractionModified` when the file is not what the export wrote, or is not there;
 * `SourceColumnMissing` when it has no column of the key
 */
export async function findRecords({
  root,
  manifest,
  entityType,
  key,
  line: wantedLine,
}: RecordSearch): Promise<FoundRecords> {
  const file = manifest.files.find(({ source }) => source === entityType.source.name);
  if (!file) {
    throw new LockstepError(
      'ExtractionModified',
      `extraction ${manifest.id} has no ${entityType.source.name}`,
    );
  }
  const isKey = keyTest(entityType, key);
  const needle = needleOf(entityType, key);
  const rows: SourceRecord[] = [];
  let header: Header | undefined;
  let total = 0;
  const scanner = new RecordScanner(
    file.delimiter,
    ({ bytes }, start, end, line) => {
      const record = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
      if (header === undefined) {
        header = new Header(cellsOf(record, file.delimiter) ?? []);
        return;
      }
      if (isKey === undefined ? line !== wantedLine : needle && !record.includes(needle)) return;
      const cells = cellsOf(record, file.delimiter);
      if (cells === null || (isKey && !isKey(header, cells))) return;
      total += 1;
      if (rows.length === rowsKept) return;
      rows.push({
        place: sourcePlace(file.source, file.parts, line),
        cells: new Map(
          header.names.map((name, at) => [name, errorOf(cells[at] ?? '') ?? cells[at] ?? '']),
        ),
      });
    },
    file.countsRecords,
  );
  const { signal } = new AbortController();
  for await (const chunk of readExtracted(root, manifest.id, file, signal)) scanner.push(chunk);
  scanner.end();
  return { rows, total };
}

type KeyTest = (header: Header, cells: readonly string[]) => boolean;

/** Tells whether a row has the key; undefined when an expression makes it, which only a worker evaluates. */
function keyTest(entityType: EntityType, key: string): KeyTest | undefined {
  const origin = entityType.properties.find(({ name }) => name === entityType.key)?.origin;
  if (origin?.from !== 'column') return undefined;
  const convert = keyConversion(entityType);
  return (header, cells) => {
    if (header.missing([origin.column]).length > 0) {
      throw new LockstepError(
        'SourceColumnMissing',
        `${entityType.source.name} has no column “${origin.column}”`,
      );
    }
    const conversion = convert(cells[header.position(origin.column)]?.trim() ?? '');
    return 'value' in conversion && String(conversion.value) === key;
  };
}

/** Bytes that a row of the key must hold; none where one key can be written in many ways. */
function needleOf(entityType: EntityType, key: string): Buffer | undefined {
  const property = entityType.properties.find(({ name }) => name === entityType.key);
  if (property?.kind !== 'scalar') return undefined;
  const { type } = property.format;
  if (type === 'string') return Buffer.from(key.replaceAll('"', '""'));
  return type === 'integer' ? Buffer.from(key.replace('-', '')) : undefined;
}

/** As `parseEach` does it, one by one. Null when the quoting of the record is broken. */
function cellsOf(record: Buffer, delimiter: string): string[] | null {
  if (!record.includes('"')) return record.toString('utf8').split(delimiter);
  const withLineEnd = Buffer.concat([record, Buffer.from('\n')]);
  const [cells] = parseEach(withLineEnd, Uint32Array.of(record.length), delimiter);
  return cells ?? null;
}
