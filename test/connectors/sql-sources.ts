/** Sources of a database, and what the SQL connector makes of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecords } from '../../connectors/record-parser.ts';
import { createSqlConnector } from '../../connectors/sql/sql-connector.ts';
import type { QuerySource, Source } from '../../engine/source.ts';
import { exportInto } from './conformance.ts';

export const connectorOf = (url: string, timeoutSeconds = 60) =>
  createSqlConnector({ url, timeoutSeconds });

export const table = (name: string, options: Partial<QuerySource> = {}): Source<QuerySource> => ({
  name,
  options: { relation: { table: name.split('.') }, ...options },
});

export const query = (text: string, options: Partial<QuerySource> = {}): Source<QuerySource> => ({
  name: 'query of person',
  options: { relation: { query: text }, ...options },
});

/** The rows of a source as they were written, header first. */
export async function exportedRows(url: string, source: Source<QuerySource>): Promise<string[][]> {
  let rows: string[][] = [];
  await exportInto(connectorOf(url), [source], async (directory, [file]) => {
    const text = await readFile(join(directory, file?.file ?? ''));
    rows = parseRecords(text, file?.delimiter ?? '');
  });
  return rows;
}
