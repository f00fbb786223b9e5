/** All that jobs did to one resource and its links, over every job whose changes are kept. */
import type { ChangeKind, LinkChange, ResourceChange } from './changes.ts';
import type { StoredEntityType } from './entity-types.ts';
import type { ReadStore } from './read-store.ts';

/** Which job made a change, and who is behind it. */
export interface ChangeOrigin {
  readonly job: string;
  /** When it was applied, ISO 8601; null of one that a blocked job plans. */
  readonly at: string | null;
  /** `schedule` or `person`. */
  readonly trigger: string;
  readonly requestedBy: string | null;
  /** Who resumed the job, where it asked: the one Temporal authenticated, else who sent it, else who claimed to. */
  readonly decidedBy: string | null;
  readonly reason: string | null;
}

/** One change with its origin. **Danger:** identity data; for people, never for a log. */
export type HistoryEntry<Change = ResourceChange | LinkChange> = ChangeOrigin & {
  readonly change: Change;
  /** Line of its row in the extraction of that job, where the source said so. */
  readonly line: number | null;
};

/** SQL: columns of the origin of delta `d`. */
const origin = `d.id as "deltaId", j.id as job, d.applied_at as at, j.trigger, j.requested_by as "requestedBy",
  coalesce(s.principal, s.identity, s.claimed_by) as "decidedBy", s.reason`;

/** SQL: joins delta `d` with its job and the last resume of it that counted. */
const withJob = `join job j on j.id = d.job_id
  left join lateral (
    select principal, identity, claimed_by, reason from decision
    where job_id = j.id and action = 'resume' and effect = 'applied' order by id desc limit 1) s on true`;

/** SQL: deltas that were applied, and those that wait at the gate. */
const isReal = `(d.applied_at is not null
  or j.state = 'blocked' and d.id = (select max(id) from delta where job_id = j.id))`;

interface OriginRow extends Omit<ChangeOrigin, 'at'> {
  readonly deltaId: string;
  readonly at: Date | null;
}

function toOrigin({ job, at, trigger, requestedBy, decidedBy, reason }: OriginRow): ChangeOrigin {
  return { job, at: at?.toISOString() ?? null, trigger, requestedBy, decidedBy, reason };
}

/** A change, and the delta by which it is ordered. */
interface Found<Change> {
  readonly deltaId: bigint;
  readonly entry: HistoryEntry<Change>;
}

/**
 * The changes of the resource of a key and of the links from and to it, newest first. One that was deleted and came back
 * has one history: its key's.
 *
 * All changes that are kept are looked through: no index of keys makes every load pay for this question.
 */
export async function resourceHistory(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
  limit: number,
): Promise<HistoryEntry[]> {
  const ends = (outgoing: boolean) =>
    type.navigations.filter((end) => end.outgoing === outgoing).map(({ id }) => id);
  const found = await Promise.all([
    findResourceChanges(store, type, key, limit),
    findLinkChanges(store, { from: ends(true), to: ends(false) }, key, limit),
  ]);
  return newestFirst<ResourceChange | LinkChange>(found.flat()).slice(0, limit);
}

/** The changes of the resource of a key alone, newest first. */
export async function resourceChanges(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
): Promise<HistoryEntry<ResourceChange>[]> {
  return newestFirst(await findResourceChanges(store, type, key, 1000));
}

/** The changes of the single-valued navigation properties of a resource, newest first. */
export async function referenceChanges(
  store: ReadStore,
  type: StoredEntityType,
  key: string,
): Promise<HistoryEntry<LinkChange>[]> {
  const from = type.navigations.filter(({ singleValued }) => singleValued).map(({ id }) => id);
  return newestFirst(await findLinkChanges(store, { from, to: [] }, key, 1000));
}

/** Who is behind each of these deltas. */
export async function originsOf(
  { pool }: ReadStore,
  deltaIds: readonly string[],
): Promise<Map<string, ChangeOrigin>> {
  const { rows } = await pool.query<OriginRow>(
    `select ${origin} from delta d ${withJob} where d.id = any ($1::bigint[])`,
    [deltaIds],
  );
  return new Map(rows.map((row) => [row.deltaId, toOrigin(row)]));
}

function newestFirst<Change>(found: Found<Change>[]): HistoryEntry<Change>[] {
  return found.sort((a, b) => Number(b.deltaId - a.deltaId)).map(({ entry }) => entry);
}

async function findResourceChanges(
  { pool }: ReadStore,
  type: StoredEntityType,
  key: string,
  limit: number,
): Promise<Found<ResourceChange>[]> {
  type Row = OriginRow & Omit<ResourceChange, 'entityType'> & { line: number | null };
  const { rows } = await pool.query<Row>(
    `select ${origin}, c.line, c.key, c.change, c.before, c.after
     from resource_change c join delta d on d.id = c.delta_id ${withJob}
     where c.entity_type_id = $1 and c.key = $2 and ${isReal}
     order by d.id desc, c.resource_id desc limit $3`,
    [type.id, key, limit],
  );
  return rows.map((row) => {
    const { change, before, after, line } = row;
    const entityType = type.name;
    const entry = { ...toOrigin(row), change: { entityType, key, change, before, after }, line };
    return { deltaId: BigInt(row.deltaId), entry };
  });
}

/** @param ends navigation properties of which the key is at the `from` end, and at the `to` end */
async function findLinkChanges(
  { pool }: ReadStore,
  ends: { readonly from: readonly number[]; readonly to: readonly number[] },
  key: string,
  limit: number,
): Promise<Found<LinkChange>[]> {
  if (ends.from.length + ends.to.length === 0) return [];
  type Row = OriginRow & LinkChange & { change: ChangeKind; line: number | null };
  const { rows } = await pool.query<Row>(
    `select ${origin}, c.line, n.scope as association, n.property, c.change, c.from_key as from, c.to_key as to,
       case when c.change = 'update' then c.previous_key end as previous
     from link_change c join delta d on d.id = c.delta_id ${withJob}
     join navigation_property n on n.id = c.navigation_property_id
     where ${isReal} and (
       c.from_key = $1 and c.navigation_property_id = any ($2::int[])
       or (c.to_key = $1 or c.previous_key = $1) and c.navigation_property_id = any ($3::int[]))
     order by d.id desc, c.id desc limit $4`,
    [key, ends.from, ends.to, limit],
  );
  return rows.map((row) => {
    const { association, property, from, to, previous, change, line } = row;
    const link = { association, property, from, to, previous, change };
    return { deltaId: BigInt(row.deltaId), entry: { ...toOrigin(row), change: link, line } };
  });
}
