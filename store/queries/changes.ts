/** The changes of a job's newest delta, page by page: a delta may hold millions. */
import { entityTypesOfDelta, navigationsOfDelta } from './delta-scopes.ts';
import type { ReadStore } from './read-store.ts';

export type ChangeKind = 'insert' | 'update' | 'delete';

/** A change of a resource. **Danger:** identity data; for people, never for a log. */
export interface ResourceChange {
  readonly entityType: string;
  readonly key: string;
  readonly change: ChangeKind;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  /** What became of writing it to its connected system; only of a change that is provisioned. */
  readonly status?: WriteStatus;
}

/** What became of a write: [the states](../../docs/provisioning.md). */
export interface WriteStatus {
  readonly state: 'pending' | 'applied' | 'not-applied' | 'failed';
  /** Of one that did not take. */
  readonly code: string | null;
  readonly message: string | null;
  /** What is not as it should be. */
  readonly paths: readonly string[];
}

/** A change of a link. */
export interface LinkChange {
  /** The scope: `sab_user.organisation` of a reference, the name of an association. */
  readonly association: string;
  readonly property: string;
  readonly from: string;
  readonly to: string;
  /** The target before; only of an update. */
  readonly previous: string | null;
  readonly change: ChangeKind;
}

export type Change = ResourceChange | LinkChange;

/** Which changes to list. */
export interface ChangeFilter {
  /** Only resources of this entity type and links from or to them; or only the links of this association. */
  readonly scope?: string | undefined;
  readonly limit?: number | undefined;
  /** Where the page before ended. */
  readonly after?: string | undefined;
}

/** Some changes, and where the next ones begin; null at the end. */
export interface ChangePage {
  readonly changes: readonly Change[];
  readonly next: string | null;
}

const pageSize = 1000;

/** All changes of the newest delta of a job: resources first, then links. Reads ahead one page only. */
export async function* listChanges(
  store: ReadStore,
  jobId: string,
  filter: ChangeFilter = {},
): AsyncGenerator<Change, void, undefined> {
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  let after = filter.after;
  while (left > 0) {
    const { changes, next } = await pageOfChanges(store, jobId, {
      ...filter,
      after,
      limit: Math.min(left, pageSize),
    });
    yield* changes;
    if (next === null) return;
    left -= changes.length;
    after = next;
  }
}

/** One page of the changes of a job, in the order of {@link listChanges}. */
export async function pageOfChanges(
  store: ReadStore,
  jobId: string,
  filter: ChangeFilter = {},
): Promise<ChangePage> {
  const limit = filter.limit ?? pageSize;
  const { deltaId, place } = await startOf(store, jobId, filter.after);
  if (deltaId === undefined || limit <= 0) return { changes: [], next: null };
  const page = { deltaId, scope: filter.scope ?? null, limit };
  if (place.part === 'links') return await linkPage(store, page, place.at);
  const resources = await resourcePage(store, page, place.at);
  const short = limit - resources.changes.length;
  if (short === 0 || resources.next !== null) return resources;
  const links = await linkPage(store, { ...page, limit: short }, ['0', '0']);
  return { changes: [...resources.changes, ...links.changes], next: links.next };
}

interface Page {
  readonly deltaId: string;
  readonly scope: string | null;
  readonly limit: number;
}

/** A place in the list: of the last change seen, its part and the rest of its primary key. */
interface Place {
  readonly part: 'resources' | 'links';
  readonly at: readonly string[];
}

async function startOf(
  store: ReadStore,
  jobId: string,
  after: string | undefined,
): Promise<{ deltaId: string | undefined; place: Place }> {
  if (after !== undefined) {
    const [deltaId, part, ...at] = after.split('.');
    if (part === 'resources' || part === 'links') return { deltaId, place: { part, at } };
  }
  const { rows } = await store.pool.query<{ id: string }>(
    'select id from delta where job_id = $1 order by id desc limit 1',
    [jobId],
  );
  return { deltaId: rows[0]?.id, place: { part: 'resources', at: ['0', '0'] } };
}

/** In the order of entity types, and within one in the order in which the delta was prepared. */
async function resourcePage(
  store: ReadStore,
  { deltaId, scope, limit }: Page,
  [typeId, resourceId]: readonly string[],
): Promise<ChangePage> {
  const { rows: types } = await store.pool.query<{ id: number; name: string }>(
    `select id, name from ${entityTypesOfDelta} t
     where id >= $2 and ($3::text is null or name = $3) order by id`,
    [deltaId, typeId, scope],
  );
  const changes: ResourceChange[] = [];
  let last: string | null = null;
  for (const { id, name } of types) {
    if (changes.length === limit) break;
    const { rows } = await store.pool.query<ResourceChange & { id: string }>(
      `select c.resource_id as id, c.key, c.change, c.before, c.after, case when p.state is not null then
         json_build_object('state', p.state, 'code', p.code, 'message', p.message, 'paths', p.paths) end as status
       from resource_change c left join provisioning p on p.delta_id = c.delta_id
         and p.entity_type_id = c.entity_type_id and p.resource_id = c.resource_id
       where c.delta_id = $1 and c.entity_type_id = $2 and c.resource_id > $3
       order by c.resource_id limit $4`,
      [deltaId, id, String(id) === typeId ? resourceId : '0', limit - changes.length],
    );
    for (const { key, change, before, after, status } of rows) {
      changes.push({ entityType: name, key, change, before, after, ...(status && { status }) });
    }
    const end = rows.at(-1);
    if (end) last = [deltaId, 'resources', id, end.id].join('.');
  }
  return { changes, next: changes.length === limit ? last : null };
}

/** In the order of navigation properties, and within one in the order in which the delta was prepared. */
async function linkPage(
  store: ReadStore,
  { deltaId, scope, limit }: Page,
  [navigationId, changeId]: readonly string[],
): Promise<ChangePage> {
  const { rows: navigations } = await store.pool.query<{
    id: number;
    association: string;
    property: string;
  }>(
    `select n.id, n.scope as association, n.property from ${navigationsOfDelta} n
     where n.id >= $2 and ($3::text is null or $3 in (n.scope, n."from", n."to"))
     order by n.id`,
    [deltaId, navigationId, scope],
  );
  const changes: LinkChange[] = [];
  let last: string | null = null;
  for (const { id, association, property } of navigations) {
    if (changes.length === limit) break;
    const { rows } = await store.pool.query<LinkChange & { id: string }>(
      `select id, from_key as from, to_key as to, change,
         case when change = 'update' then previous_key end as previous
       from link_change where delta_id = $1 and navigation_property_id = $2 and id > $3
       order by id limit $4`,
      [deltaId, id, String(id) === navigationId ? changeId : '0', limit - changes.length],
    );
    for (const { from, to, previous, change } of rows) {
      changes.push({ association, property, from, to, previous, change });
    }
    const end = rows.at(-1);
    if (end) last = [deltaId, 'links', id, end.id].join('.');
  }
  return { changes, next: changes.length === limit ? last : null };
}
