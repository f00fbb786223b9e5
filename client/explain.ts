/** From the raw row to what is stored of a resource: which line, which format, which job, who, and why not. */
import { didYouMean } from '../config/finding.ts';
import { LockstepError } from '../engine/errors.ts';
import type { StoredEntityType } from '../store/queries/entity-types.ts';
import { type LinkOrigin, linkOrigins } from '../store/queries/link-origins.ts';
import {
  type PendingLink,
  pendingLinksOf,
  type RejectedRow,
  rejectsOfKey,
  storedRow,
} from '../store/queries/provenance.ts';
import {
  type ChangeOrigin,
  type HistoryEntry,
  referenceChanges,
  resourceChanges,
  resourceHistory,
} from '../store/queries/resource-history.ts';
import { keysLike, showResource } from '../store/queries/resources.ts';
import { requireEntityType } from './browse.ts';
import {
  type ExplainedState,
  type Facts,
  notesOf,
  stateOf,
  whyNotAsRead,
} from './explain-notes.ts';
import { explainManaged } from './explained-managed.ts';
import { type ExplainedProperty, explainProperty } from './explained-property.ts';
import { type ExplainedSource, type FoundSource, findSource } from './found-source.ts';
import type { Session } from './session.ts';

/** All that can be told of a resource. **Danger:** identity data; for people, never for a log. */
export interface Explanation {
  readonly entityType: string;
  readonly key: string;
  readonly state: ExplainedState;
  /** What a person should know first, in sentences. */
  readonly notes: readonly string[];
  /** The job that last changed it. */
  readonly lastChange: (ChangeOrigin & { readonly change: string }) | null;
  readonly source: ExplainedSource | null;
  readonly properties: readonly ExplainedProperty[];
  readonly links: readonly LinkOrigin[];
  readonly pendingLinks: readonly PendingLink[];
  readonly rejects: readonly RejectedRow[];
}

/** So many links of each navigation property are explained. */
const linksTold = 50;

/**
 * Explains one resource, or one property of it.
 *
 * @throws LockstepError `NotFound` when nothing was ever known of the key, with the nearest one there is
 */
export async function explain(
  session: Session,
  entityType: string,
  key: string,
  property?: string,
): Promise<Explanation> {
  const store = await session.store();
  const type = await requireEntityType(session, entityType);
  if (property !== undefined) requireProperty(type, property);
  const [row, resource, changes, linkChanges, rejects, pendingLinks, links] = await Promise.all([
    storedRow(store, type, key),
    showResource(store, type, key),
    resourceChanges(store, type, key),
    referenceChanges(store, type, key),
    rejectsOfKey(store, type, key),
    pendingLinksOf(store, type, key, linksTold),
    linkOrigins(store, type, key, linksTold),
  ]);
  const found = await findSource(session, type, key, changes);
  const isStored = row !== undefined;
  const isEdited = row?.isEdited === true;
  const facts: Facts = { isStored, isEdited, found, changes, rejects, pendingLinks };
  const state = stateOf(facts);
  if (state === undefined) throw await neverSeen(session, type, key);
  const newest = changes.find(({ at }) => at !== null);
  const isTold = (name: string) => property === undefined || name === property;
  const stored = { ...resource?.attributes, ...resource?.links };
  const today = await session.configuration().catch(() => undefined);
  const properties =
    today?.managedTypes
      .get(type.name)
      ?.properties.map((each) => explainManaged(each, { stored, changes, linkChanges })) ??
    explainProperties(found, { facts, stored, linkChanges });
  return {
    entityType: type.name,
    key,
    state,
    notes: notesOf(facts),
    lastChange: newest ? withoutChange(newest) : null,
    source: found?.source ?? null,
    properties: properties.filter((each) => isTold(each.property)),
    links: links.filter((link) => isTold(link.property)),
    pendingLinks: pendingLinks.filter((link) => isTold(link.property)),
    rejects,
  };
}

interface Stored {
  readonly facts: Facts;
  readonly stored: Readonly<Record<string, unknown>>;
  readonly linkChanges: Awaited<ReturnType<typeof referenceChanges>>;
}

/** As the configuration of that load maps them; none when it cannot be read. */
function explainProperties(
  found: FoundSource | undefined,
  { facts, stored, linkChanges }: Stored,
): ExplainedProperty[] {
  const { entityType, configuration } = found ?? {};
  if (!found || !entityType || !configuration) return [];
  return entityType.properties.map((property) =>
    explainProperty(property, {
      entityType,
      entityTypes: configuration.entityTypes,
      record: found.loaded.rows[0],
      newerRecord: found.newer?.records.rows[0],
      stored,
      changes: facts.changes,
      linkChanges,
      pending: facts.pendingLinks.find((link) => link.property === property.name)?.key ?? null,
      whyNotAsRead: whyNotAsRead(facts),
    }),
  );
}

/**
 * Everything that jobs did to one resource and its links, newest first, as far as changes are kept.
 *
 * @throws LockstepError `NotFound` when nothing was ever known of the key
 */
export async function history(
  session: Session,
  entityType: string,
  key: string,
  limit = 1000,
): Promise<HistoryEntry[]> {
  const store = await session.store();
  const type = await requireEntityType(session, entityType);
  const entries = await resourceHistory(store, type, key, limit);
  if (entries.length === 0 && (await storedRow(store, type, key)) === undefined) {
    throw await neverSeen(session, type, key);
  }
  return entries;
}

function withoutChange({ change, line: _, ...origin }: HistoryEntry): Explanation['lastChange'] {
  return { ...origin, change: change.change };
}

function requireProperty(type: StoredEntityType, property: string): void {
  const names = [...type.properties, ...type.navigations.map(({ name }) => name)];
  if (names.includes(property)) return;
  throw new LockstepError(
    'NotFound',
    `${type.name} has no property “${property}”${didYouMean(property, names)}`,
    { hint: `It has ${names.join(', ')}.` },
  );
}

async function neverSeen(
  session: Session,
  type: StoredEntityType,
  key: string,
): Promise<LockstepError> {
  const guess = didYouMean(key, await keysLike(await session.store(), type, key));
  const near = guess.startsWith('; did you mean') ? guess : '';
  return new LockstepError(
    'NotFound',
    `Nothing is known of a ${type.name} “${key}”: it is not stored, and no kept job changed or rejected it${near}`,
    { hint: `See \`lockstep list ${type.name}\` for those there are.` },
  );
}
