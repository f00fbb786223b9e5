/**
 * Writes rows straight from the bytes of their records: making texts of all cells costs more than anything else about a
 * record. One that is not plain is left to the mapping, which alone says what is wrong with a row.
 */
import type { RecordCursor } from '../connectors/record-parser.ts';
import type { EntityType } from '../engine/entity-type.ts';
import { isPlainKey, isPlainText } from '../engine/key-text.ts';
import {
  endSources,
  Header,
  type PropertySource,
  propertySources,
  readCell,
} from '../engine/row-mapping.ts';
import { isSurelyRow } from '../engine/row-shape.ts';
import { type AttributeName, attributeNames, type RowWriter } from '../store/row-writer.ts';
import type { MappingTask } from './mapping-thread.ts';

/** Where the rows go. */
export interface PlainSink {
  /** What every usable row begins with. */
  readonly beginning: Uint8Array;
  readonly usable: RowWriter;
  readonly references: RowWriter;
}

/**
 * Writes the beginning, the keys and the attributes of the row that a record is, and its references.
 *
 * @returns false where the mapping has to look at the record; then nothing is written
 */
export type WritePlain = (record: RecordCursor) => boolean;

/** A column, and what a text in it means. */
type Column = Pick<PropertySource, 'convert' | 'isText'> & { readonly position: number };

/** Undefined where every record needs the mapping, because an expression has to see its values. */
export function compilePlainRows(task: MappingTask, sink: PlainSink): WritePlain | undefined {
  const header = new Header(task.header);
  const targets = new Map(task.entityTypes.map((type) => [type.name, type]));
  const write =
    'association' in task
      ? linkWriter(endSources(task.association, header, targets), sink)
      : resourceWriter(task, propertySources(task.entityType, header, targets, task.kinds), sink);
  return write && wholly(sink, (record) => isRow(record, header.names) && write(record));
}

/** Takes back what was written of a record that turned out not to be plain. */
function wholly({ beginning, usable, references }: PlainSink, write: WritePlain): WritePlain {
  return (record) => {
    const used = usable.length;
    const referred = references.length;
    usable.again(beginning);
    if (write(record)) return true;
    usable.truncate(used);
    references.truncate(referred);
    return false;
  };
}

function linkWriter(columns: readonly Column[], { usable }: PlainSink): WritePlain {
  const [from, to] = columns as [Column, Column];
  return (record) => writeKey(usable, record, from) && writeKey(usable, record, to);
}

function resourceWriter(
  task: Extract<MappingTask, { entityType: EntityType }>,
  sources: readonly PropertySource[],
  { usable, references }: PlainSink,
): WritePlain | undefined {
  const columns = new Map<string, Column>();
  for (const { property, position, convert, isText } of sources) {
    if (position === undefined) return undefined;
    columns.set(property.name, { position, convert, isText });
  }
  const scalars = sources.filter(({ property }) => property.kind === 'scalar');
  const attributes = attributeNames(scalars.map(({ property }) => property.name)).map((name) => ({
    name,
    column: columns.get(name.name) as Column,
  }));
  const ends = Array.from(task.references, ([name, id]) => ({
    id,
    column: columns.get(name) as Column,
  }));
  const key = columns.get(task.entityType.key) as Column;

  return (record) => {
    if (!writeKey(usable, record, key)) return false;
    const start = usable.beginAttributes();
    for (const { name, column } of attributes) {
      if (!writeAttribute(usable, record, name, column)) return false;
    }
    usable.endAttributes(start);
    for (const { id, column } of ends) {
      if (isEmpty(record, column)) continue;
      references.row(3).int(id);
      if (!writeKey(references, record, key) || !writeKey(references, record, column)) return false;
    }
    return true;
  };
}

function isRow(record: RecordCursor, header: readonly string[]): boolean {
  if (record.width !== header.length) return false;
  return isSurelyRow(record.bytes, record.cellStart(0), record.cellEnd(0), header);
}

function isEmpty(record: RecordCursor, { position }: Column): boolean {
  return record.cellStart(position) === record.cellEnd(position);
}

/** False for a blank cell, and one that is no key. */
function writeKey(writer: RowWriter, record: RecordCursor, column: Column): boolean {
  const { position, convert, isText } = column;
  const { bytes } = record;
  const start = record.cellStart(position);
  const end = record.cellEnd(position);
  if (isText && isPlainKey(bytes, start, end)) {
    writer.utf8(bytes, start, end);
    return true;
  }
  const conversion = readCell(record.cell(position), convert);
  if (conversion === undefined || 'problem' in conversion) return false;
  writer.text(String(conversion.value));
  return true;
}

/** A blank cell has no attribute. False for one that does not convert. */
function writeAttribute(
  writer: RowWriter,
  record: RecordCursor,
  name: AttributeName,
  column: Column,
): boolean {
  if (isEmpty(record, column)) return true;
  const { position, convert, isText } = column;
  const { bytes } = record;
  const start = record.cellStart(position);
  const end = record.cellEnd(position);
  if (isText && isPlainText(bytes, start, end) && writer.attributeUtf8(name, bytes, start, end)) {
    return true;
  }
  const conversion = readCell(record.cell(position), convert);
  if (conversion === undefined) return true;
  if ('problem' in conversion) return false;
  writer.attribute(name, conversion.value);
  return true;
}
