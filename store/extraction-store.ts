/** What the store knows of extractions: who made them, what their manifests must be, which was loaded last. */
import type { PoolClient } from 'pg';
import { LockstepError } from '../engine/errors.ts';
import type { Mode } from '../engine/job.ts';
import type { Store } from './database.ts';
import { changesSomething, wasLoaded } from './loaded-delta.ts';

/** An extraction as its export leaves it. */
export interface NewExtraction {
  readonly id: string;
  readonly connector: string;
  readonly jobId: string;
  readonly mode: Mode;
  readonly createdAt: Date;
  readonly rows: number;
  readonly bytes: number;
  readonly manifestSha256: string;
}

/** Notes an extraction with the job that made it. What an earlier attempt of the job left is superseded. */
export async function recordExtraction(store: Store, made: NewExtraction): Promise<void> {
  const { id, connector, jobId, mode, createdAt, rows, bytes, manifestSha256 } = made;
  await store.pool.query(
    `with superseded as (delete from extraction where job_id = $3 and id <> $1),
     job_noted as (update job set extraction = $1 where id = $3)
     insert into extraction (id, connector, job_id, mode, created_at, rows, bytes, manifest_sha256)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, connector, jobId, mode, createdAt, rows, bytes, manifestSha256],
  );
}

/** The newest extraction of a connector that is kept. */
export async function newestExtraction(store: Store, connector: string): Promise<string | null> {
  const newest = await store.prisma.extraction.findFirst({
    where: { connector, removedAt: null },
    orderBy: { createdAt: 'desc' },
    select: { id: true },
  });
  return newest?.id ?? null;
}

/** SHA-256 of the manifest as the export wrote it; null when that was not noted. */
export async function manifestDigest(store: Store, id: string): Promise<string | null> {
  const known = await store.prisma.extraction.findUnique({
    where: { id },
    select: { manifestSha256: true },
  });
  return known?.manifestSha256 ?? null;
}

/** Which extraction a job asks for. */
export interface ExtractionRequest {
  readonly jobId: string;
  readonly connector: string;
  readonly mode: Mode;
}

/** An extraction that is kept, and its size. */
export interface KeptExtraction {
  readonly id: string;
  readonly bytes: number;
}

interface ExtractionRow {
  readonly id: string;
  readonly connector: string;
  readonly mode: string;
  readonly bytes: string | null;
  readonly removed: boolean;
}

const columns = 'e.id, e.connector, e.mode, e.bytes, e.removed_at is not null as removed';

/**
 * Gives a job the extraction it asks for: from then on it is in use, and stays.
 *
 * @param wanted id of an extraction, or of a job that made or used one; null for the newest of the connector and mode
 * @throws LockstepError `NotFound`, or `UsageInvalid` when it is of another mode
 */
export async function adoptExtraction(
  store: Store,
  { jobId, connector, mode, wanted }: ExtractionRequest & { readonly wanted: string | null },
): Promise<KeptExtraction> {
  return await store.transaction('read committed', async (session) => {
    // Whoever would remove it takes the same lock, and then looks who uses it.
    const { rows } = await session.query<ExtractionRow>(
      wanted === null
        ? `select ${columns} from extraction e where connector = $1 and mode = $2 and removed_at is null
           order by created_at desc limit 1 for share`
        : `select ${columns} from extraction e
           where e.id in ($1, (select extraction from job where id = $1)) limit 1 for share`,
      wanted === null ? [connector, mode] : [wanted],
    );
    const [found] = rows;
    if (found?.connector !== connector) throw noExtraction(connector, mode, wanted);
    const { id } = found;
    if (found.removed) {
      throw new LockstepError('NotFound', `extraction ${id} is not kept any more`, { hint });
    }
    if (found.mode !== mode) {
      throw new LockstepError(
        'UsageInvalid',
        `extraction ${id} is ${found.mode}, the job ${mode}`,
        {
          hint: `Run it with --mode ${found.mode}.`,
        },
      );
    }
    return await use(session, jobId, found);
  });
}

const hint = 'See `lockstep extractions` for those that are kept, or make one: --task export.';

function noExtraction(connector: string, mode: Mode, wanted: string | null): LockstepError {
  const which = wanted === null ? `no kept extraction of mode ${mode}` : 'no such extraction';
  return new LockstepError('NotFound', `there is ${which} of ${connector}`, { hint });
}

async function use(
  session: PoolClient,
  jobId: string,
  { id, bytes }: Pick<ExtractionRow, 'id' | 'bytes'>,
): Promise<KeptExtraction> {
  await session.query('update job set extraction = $2 where id = $1', [jobId, id]);
  return { id, bytes: Number(bytes ?? 0) };
}

/** SQL: the deltas of connector $1 that were loaded, each with the extraction `e` that the store held afterwards. */
const loaded = `delta d join job j on j.id = d.job_id left join extraction e on e.id = d.extraction
  where j.connector = $1 and ${wasLoaded}`;

/**
 * Gives a job the extraction that its connector's resources and links come from, all of them: what its expressions give
 * today can be told from it alone.
 *
 * @throws LockstepError `NotFound` when nothing was loaded yet, when changes came from elsewhere since (an incremental
 * job), or when it is not kept: a job that exports is needed then
 */
export async function extractionForExpressions(
  store: Store,
  { jobId, connector, mode }: ExtractionRequest,
): Promise<KeptExtraction> {
  if (mode !== 'complete') {
    throw new LockstepError('UsageInvalid', 'expressions are recomputed for all resources', {
      hint: 'Leave --mode out.',
    });
  }
  return await store.transaction('read committed', async (session) => {
    // An incremental load that changed nothing has left what was there.
    const { rows } = await session.query<{ extraction: string | null; mode: string | null }>(
      `select d.extraction, e.mode from ${loaded} and (e.mode is distinct from 'incremental' or ${changesSomething})
       order by d.id desc limit 1`,
      [connector],
    );
    const [last] = rows;
    if (!last) throw needsExport(connector, 'nothing of it was loaded yet');
    const { rows: kept } = await session.query<ExtractionRow>(
      `select ${columns} from extraction e where id = $1 and mode = 'complete' and removed_at is null for share`,
      [last.extraction],
    );
    const [found] = kept;
    if (!found) {
      const why =
        last.extraction === null
          ? 'what was loaded last was rolled back'
          : last.mode === 'complete'
            ? 'the extraction loaded last is not kept any more'
            : 'what was loaded last is not all that is stored';
      throw needsExport(connector, why);
    }
    return await use(session, jobId, found);
  });
}

function needsExport(connector: string, why: string): LockstepError {
  return new LockstepError('NotFound', `the expressions of ${connector} need an export: ${why}`, {
    hint: `Run \`lockstep run ${connector}\`: changed expressions are recomputed by every complete job.`,
  });
}

/** The extraction a connector was last loaded from, if it is newer than another one; null if not. */
export async function loadedSince(
  { pool }: Pick<Store, 'pool'>,
  connector: string,
  extraction: string,
): Promise<string | null> {
  const { rows } = await pool.query<{ id: string; newer: boolean }>(
    `select e.id, e.created_at > (select created_at from extraction where id = $2) as newer
     from ${loaded} and e.id is not null order by d.id desc limit 1`,
    [connector, extraction],
  );
  const [last] = rows;
  return last?.newer ? last.id : null;
}
