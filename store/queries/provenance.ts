/** Where what is stored of a resource comes from: its row, the loads of its connector, its rejects and pending links. */
import type { RejectCode } from '../../engine/errors.ts';
import type { Mode } from '../../engine/job.ts';
import type { StoredEntityType } from './entity-types.ts';
import type { ReadStore } from './read-store.ts';
import { type ChangeOrigin, originsOf } from './resource-history.ts';

/** What the row of a resource says beside its attributes. */
export interface StoredRow {
  /** Somebody other than a load has written to it, or to its references, since. */
  readonly isEdited: boolean;
  readonly origin: ChangeOrigin | null;
}

/** Undefined when there is no such resource. */
export async function storedRow(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
): Promise<StoredRow | undefined> {
  const { rows } = await store.pool.query<{ deltaId: string | null; isEdited: boolean }>(
    // A rollback leaves no digest either: what it wrote is no row of a source.
    `select r.delta_id as "deltaId", r.source_digest is null and not exists (
       select from delta d join job j on j.id = d.job_id
       where d.id = r.delta_id and j.rollback_of is not null) as "isEdited"
     from resource r where r.entity_type_id = $1 and r.key = $2`,
    [type.id, key],
  );
  const [row] = rows;
  if (!row) return undefined;
  const origins = row.deltaId === null ? undefined : await originsOf(store, [row.deltaId]);
  return { isEdited: row.isEdited, origin: origins?.get(row.deltaId ?? '') ?? null };
}

/** A load of a connector, with what it was read from and by which configuration. */
export interface Load {
  readonly job: string;
  readonly extraction: string;
  readonly mode: Mode;
  readonly at: string;
  /** SHA-256 that the manifest must have, where it was noted. */
  readonly manifestSha256: string | null;
  readonly configuration: {
    readonly version: string;
    readonly document: unknown;
    readonly directory: string;
  } | null;
}

/** The connector of an entity type; null of one that is managed by us. */
export async function connectorOf(
  { prisma }: ReadStore,
  type: StoredEntityType,
): Promise<string | null> {
  const found = await prisma.entityType.findUnique({
    where: { id: type.id },
    select: { connector: true },
  });
  return found?.connector ?? null;
}

/**
 * The last loads of a connector, newest first, back to one that read everything. What was up to date counts, too. A
 * rollback reads nothing.
 */
export async function lastLoads({ pool }: ReadStore, connector: string): Promise<Load[]> {
  type Row = Omit<Load, 'at' | 'configuration'> &
    NonNullable<Load['configuration']> & { at: Date; mode: Mode };
  const { rows } = await pool.query<Row>(
    `select j.id as job, d.extraction, coalesce(e.mode, j.mode) as mode, coalesce(d.applied_at, j.ended_at) as at,
       e.manifest_sha256 as "manifestSha256", c.version, c.document, c.directory
     from delta d join job j on j.id = d.job_id left join extraction e on e.id = d.extraction
     left join configuration c on c.version = j.configuration_version
     where j.connector = $1 and not j.simulated and d.extraction is not null
       and (d.applied_at is not null or j.state in ('succeeded', 'succeeded-with-rejects'))
     order by d.id desc limit 50`,
    [connector],
  );
  const complete = rows.findIndex(({ mode }) => mode === 'complete');
  return rows
    .slice(0, complete === -1 ? rows.length : complete + 1)
    .map(({ version, document, directory, at, ...load }) => ({
      ...load,
      at: at.toISOString(),
      configuration: version === null ? null : { version, document, directory },
    }));
}

/** An extraction that is newer than what was loaded. */
export interface UnloadedExtraction {
  readonly extraction: string;
  readonly job: string;
  readonly state: string;
  readonly createdAt: string;
  readonly manifestSha256: string | null;
}

/** The newest kept extraction of a connector, if it came after the one that was loaded last. */
export async function unloadedExtraction(
  { pool }: ReadStore,
  connector: string,
  loaded: string | null,
): Promise<UnloadedExtraction | null> {
  const { rows } = await pool.query<Omit<UnloadedExtraction, 'createdAt'> & { createdAt: Date }>(
    `select e.id as extraction, j.id as job, j.state, e.created_at as "createdAt",
       e.manifest_sha256 as "manifestSha256"
     from extraction e join job j on j.id = e.job_id
     where e.connector = $1 and e.removed_at is null and e.id is distinct from $2
       and e.created_at > coalesce((select created_at from extraction where id = $2), '-infinity')
     order by e.created_at desc limit 1`,
    [connector, loaded],
  );
  const [newest] = rows;
  return newest ? { ...newest, createdAt: newest.createdAt.toISOString() } : null;
}

/** A row that a job set aside. **Danger:** raw identity data. */
export interface RejectedRow {
  readonly job: string;
  readonly at: string;
  readonly file: string;
  readonly line: number | null;
  readonly column: string | null;
  readonly value: string | null;
  readonly code: RejectCode;
  readonly message: string;
}

/** The last rejects of a key of an entity type, newest first. */
export async function rejectsOfKey(
  { pool }: ReadStore,
  type: StoredEntityType,
  key: string,
): Promise<RejectedRow[]> {
  const { rows } = await pool.query<Omit<RejectedRow, 'at'> & { at: Date }>(
    `select j.id as job, j.started_at as at, r.file, r.line, r."column", r.value, r.code, r.message
     from reject r join job j on j.id = r.job_id
     where r.entity_type = $1 and r.key = $2 order by r.id desc limit 20`,
    [type.name, key],
  );
  return rows.map(({ at, ...reject }) => ({ ...reject, at: at.toISOString() }));
}

/** A link that waits for the resource at its other end. */
export interface PendingLink {
  /** As {@link StoredEntityType.navigations} calls it. */
  readonly property: string;
  readonly entityType: string;
  readonly key: string;
}

/** The pending links from and to a key, so many of each navigation property at most. */
export async function pendingLinksOf(
  { pool }: ReadStore,
  type: StoredEntityType,
  key: string,
  limit: number,
): Promise<PendingLink[]> {
  const found = await Promise.all(
    type.navigations.map(async ({ id, name, outgoing, entityType }) => {
      const [here, there] = outgoing ? ['from_key', 'to_key'] : ['to_key', 'from_key'];
      const { rows } = await pool.query<{ key: string }>(
        `select ${there} as key from pending_link
         where navigation_property_id = $1 and ${here} = $2 order by 1 limit $3`,
        [id, key, limit],
      );
      return rows.map((row) => ({ property: name, entityType, key: row.key }));
    }),
  );
  return found.flat();
}
