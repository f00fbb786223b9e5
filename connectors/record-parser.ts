/** Parses records of an extraction into cells, by csv-parse. */
import { parse } from 'csv-parse/sync';

/**
 * Parses whole records, separated by line feeds, into their cells. Records may differ in width.
 *
 * @throws Error of csv-parse when the quoting of a record is broken. **Danger:** its message quotes the record.
 */
export function parseRecords(records: Buffer, delimiter: string): string[][] {
  return parse(records, {
    delimiter,
    record_delimiter: '\n',
    relax_column_count: true,
  }) as string[][];
}
