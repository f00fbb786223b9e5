/** The SQL connector: copies tables and queries of a database into the extraction, all of them as of one moment. */
import { join } from 'node:path';
import { LockstepError } from '../../engine/errors.ts';
import type { QuerySource, Source } from '../../engine/source.ts';
import type { Connector, ExportRequest, ExtractedFile } from '../connector.ts';
import { extractedName } from '../source-file.ts';
import { postgresql } from './postgresql.ts';
import { RowsFile } from './rows-file.ts';
import type { RowsPart, SqlDriver, SqlRows, SqlSettings } from './sql-driver.ts';

/** Protocol of a database's address → who reads it. */
const drivers: Readonly<Record<string, SqlDriver>> = {
  'postgres:': postgresql,
  'postgresql:': postgresql,
};

/** Creates a SQL connector; it connects when it exports. */
export function createSqlConnector(settings: SqlSettings): Connector {
  return {
    async test({ sources, signal }) {
      const driver = drivers[URL.parse(settings.url)?.protocol ?? ''] as SqlDriver;
      await using snapshot = await driver.open(settings, signal);
      for (const source of sources) await snapshot.look(source as Source<QuerySource>);
      const objectTypes = sources.map(({ name }) => name);
      return { version: null, objectTypes, capabilities: {} };
    },
    async export(request) {
      const driver = drivers[URL.parse(settings.url)?.protocol ?? ''] as SqlDriver;
      await using snapshot = await driver.open(settings, request.signal);
      const looked: { source: Source<QuerySource>; rows: SqlRows }[] = [];
      for (const each of request.sources) {
        const source = each as Source<QuerySource>;
        looked.push({ source, rows: await snapshot.look(source) });
      }
      const expected = looked.reduce((sum, { rows }) => sum + rows.expected, 0);
      const progress = new RowProgress(expected, request.onProgress);
      const files: ExtractedFile[] = [];
      for (const { source, rows } of looked) {
        files.push(...(await exportSource(source, rows, request, progress)));
      }
      progress.end();
      return files;
    },
  };
}

/** Everything there is; or what changed since the cursor, and beside it what is marked as deleted since. */
async function exportSource(
  source: Source<QuerySource>,
  rows: SqlRows,
  request: ExportRequest,
  progress: RowProgress,
): Promise<ExtractedFile[]> {
  const { name, options } = source;
  const write = (name: string, part: RowsPart, since?: string) =>
    writeRows(name, rows.csv(part, since), request, progress);
  const cursor = rows.cursor === undefined ? {} : { cursor: rows.cursor };
  const since = request.mode === 'incremental' ? request.cursors?.get(name) : undefined;
  if (since === undefined || !rows.follows(since)) {
    const all = await write(name, 'live');
    if (all.rows === 0) throw empty(name);
    return [{ ...all, ...cursor }];
  }
  if (!(await rows.exist())) throw empty(name);
  const changed = { ...(await write(name, 'live', since)), ...cursor, since };
  if (options.deleted === undefined) return [changed];
  const gone = await write(`${name} (deleted)`, 'deleted', since);
  return [
    { ...changed, deletions: gone.source },
    { ...gone, since },
  ];
}

async function writeRows(
  source: string,
  text: AsyncIterable<Buffer>,
  { directory, kept }: ExportRequest,
  progress: RowProgress,
): Promise<ExtractedFile> {
  const file = `${extractedName(source)}.csv`;
  const former = kept.find((each) => each.file.source === source);
  await using copy = await RowsFile.create(join(directory, file), former);
  for await (const chunk of text) {
    await copy.write(chunk);
    progress.at(copy.rows);
  }
  const written = await copy.end();
  progress.add(written.rows);
  return { source, file, ...written };
}

function empty(source: string): LockstepError {
  return new LockstepError('SourceEmpty', `${source} has no rows`, {
    hint: 'An empty table or query is never taken as “everybody left”. Find out why it is empty; nothing was changed.',
  });
}

/** Tells how many rows of all sources are written; of how many is a guess until the end. */
class RowProgress {
  readonly #expected: number;
  readonly #tell: ExportRequest['onProgress'];
  #done = 0;

  constructor(expected: number, tell: ExportRequest['onProgress']) {
    this.#expected = expected;
    this.#tell = tell;
  }

  /** So many rows of the source at hand. */
  at(rows: number): void {
    const done = this.#done + rows;
    this.#tell({ done, total: Math.max(done, this.#expected), unit: 'rows' });
  }

  /** A source is done. */
  add(rows: number): void {
    this.#done += rows;
  }

  end(): void {
    this.#tell({ done: this.#done, total: this.#done, unit: 'rows' });
  }
}
