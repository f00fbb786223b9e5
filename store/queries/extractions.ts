/** The extractions that are kept: who made them, how large they are, which were loaded. */
import type { Mode } from '../../engine/job.ts';
import { wasLoaded } from '../loaded-delta.ts';
import type { ReadStore } from './read-store.ts';

/** One kept extraction. */
export interface ExtractionSummary {
  readonly extraction: string;
  readonly connector: string;
  /** The job that made it. */
  readonly job: string;
  readonly mode: Mode;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Null when it was not noted (before version 0.2). */
  readonly rows: number | null;
  readonly bytes: number | null;
  /** When it was loaded last, ISO 8601; null when it never was. */
  readonly loadedAt: string | null;
}

interface Row {
  readonly extraction: string;
  readonly connector: string;
  readonly job: string;
  readonly mode: string;
  readonly createdAt: Date;
  readonly rows: string | null;
  readonly bytes: string | null;
  readonly loadedAt: Date | null;
}

/** The kept extractions, of one connector or of all, newest first. */
export async function listExtractions(
  { pool }: ReadStore,
  filter: { readonly connector?: string | undefined; readonly limit: number },
): Promise<ExtractionSummary[]> {
  // What was up to date already counts as loaded, as the job says it succeeded.
  const { rows } = await pool.query<Row>(
    `select e.id as extraction, e.connector, e.job_id as job, e.mode, e.created_at as "createdAt", e.rows, e.bytes,
       l.loaded_at as "loadedAt"
     from extraction e left join (
       select d.extraction, max(coalesce(d.applied_at, j.ended_at)) as loaded_at from delta d join job j on j.id = d.job_id
       where ${wasLoaded}
       group by 1) l on l.extraction = e.id
     where e.removed_at is null and ($1::text is null or e.connector = $1)
     order by e.created_at desc limit $2`,
    [filter.connector ?? null, filter.limit],
  );
  return rows.map(({ createdAt, rows: records, bytes, loadedAt, mode, ...row }) => ({
    ...row,
    mode: mode as Mode,
    createdAt: createdAt.toISOString(),
    rows: records === null ? null : Number(records),
    bytes: bytes === null ? null : Number(bytes),
    loadedAt: loadedAt?.toISOString() ?? null,
  }));
}

/** The mode of an extraction, named by its id or by a job that made or used it; undefined when there is none. */
export async function extractionMode(store: ReadStore, named: string): Promise<Mode | undefined> {
  return (await findExtraction(store, named))?.mode;
}

/** An extraction as it is noted, whether its files are kept or not. */
export interface NotedExtraction {
  readonly id: string;
  readonly mode: Mode;
  readonly manifestSha256: string | null;
  readonly isKept: boolean;
}

/** Finds an extraction by its id, or by the id of a job that made or used it. */
export async function findExtraction(
  { pool }: ReadStore,
  named: string,
): Promise<NotedExtraction | undefined> {
  const { rows } = await pool.query<NotedExtraction>(
    `select id, mode, manifest_sha256 as "manifestSha256", removed_at is null as "isKept"
     from extraction where id in ($1, (select extraction from job where id = $1))`,
    [named],
  );
  return rows[0];
}
