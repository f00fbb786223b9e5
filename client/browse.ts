/** Looking at the store: resources, changes and rejects by the names a person types. */
import { didYouMean } from '../config/finding.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Reject } from '../engine/reject.ts';
import { type Change, listChanges } from '../store/queries/changes.ts';
import { provisionalNames } from '../store/queries/delta-scopes.ts';
import {
  entityTypeNames,
  findEntityType,
  linkScopes,
  type StoredEntityType,
} from '../store/queries/entity-types.ts';
import { jobDocument } from '../store/queries/job-document.ts';
import { listRejects } from '../store/queries/rejects.ts';
import { type Condition, conditionNames } from '../store/queries/resource-condition.ts';
import {
  keysLike,
  listResources,
  type ResourceDocument,
  showResource,
} from '../store/queries/resources.ts';
import { viewJob } from './job-view.ts';
import type { Session } from './session.ts';

/** Which resources to list. */
export interface ListOptions {
  /** `property=value` (equal) or `property~text` (contains, whatever the case); all must hold. */
  readonly filter?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Only keys after this one. */
  readonly after?: string | undefined;
}

/** Which changes to list. */
export interface ChangesOptions {
  /** An entity type (its resources, and links from or to them) or an association. */
  readonly entityType?: string | undefined;
  readonly limit?: number | undefined;
}

/** The resources of an entity type, in the order of their keys. */
export async function* browse(
  session: Session,
  entityType: string,
  { filter = [], limit, after }: ListOptions,
): AsyncGenerator<ResourceDocument, void, undefined> {
  const store = await session.store();
  const type = await requireEntityType(session, entityType);
  const where = filter.map((text) => parseCondition(type, text));
  yield* listResources(store, type, { where, limit, after });
}

/** One resource, with the entity type at the other end of each of its navigation properties. */
export async function look(
  session: Session,
  entityType: string,
  key: string,
): Promise<{ resource: ResourceDocument; type: StoredEntityType }> {
  const store = await session.store();
  const type = await requireEntityType(session, entityType);
  const resource = await showResource(store, type, key);
  if (resource) return { resource, type };
  const guess = didYouMean(key, await keysLike(store, type, key));
  const near = guess.startsWith('; did you mean') ? guess : '';
  throw new LockstepError('NotFound', `There is no ${type.name} “${key}”${near}`, {
    hint: `See \`lockstep list ${type.name}\` for those there are.`,
  });
}

/** The changes of the newest delta of a job. */
export async function* changesOf(
  session: Session,
  job: string,
  { entityType, limit }: ChangesOptions,
): AsyncGenerator<Change, void, undefined> {
  const store = await session.store();
  await requireJob(session, job);
  if (entityType !== undefined) await requireScope(session, job, entityType);
  yield* listChanges(store, job, { scope: entityType, limit });
}

/** The rejects of a job. */
export async function* rejectsOf(
  session: Session,
  job: string,
  options: { readonly limit?: number | undefined },
): AsyncGenerator<Reject, void, undefined> {
  const store = await session.store();
  await requireJob(session, job);
  yield* listRejects(store, job, options);
}

/** Reads `property=value` or `property~text`; the first of the two signs counts. */
export function parseCondition(type: StoredEntityType, text: string): Condition {
  const [, property, operator, value] = /^([^=~]+)([=~])(.*)$/s.exec(text) ?? [];
  if (property === undefined || value === undefined) {
    throw new LockstepError('UsageInvalid', `“${text}” is not a filter`, {
      hint: 'Write property=value, or property~text for “contains”.',
    });
  }
  const names = conditionNames(type);
  // Every entity type has a key, whatever it calls it.
  const name = property === 'key' && !names.includes('key') ? type.key : property;
  if (!names.includes(name)) {
    throw new LockstepError(
      'UsageInvalid',
      `${type.name} has no property “${property}”${didYouMean(property, names)}`,
      { hint: `It has ${names.join(', ')}.` },
    );
  }
  return { property: name, operator: operator as '=' | '~', value };
}

async function requireJob(session: Session, id: string): Promise<void> {
  // One that Temporal knows and the store does not has no changes yet, which is an answer.
  if ((await jobDocument(await session.store(), id)) === undefined) await viewJob(session, id);
}

/** @throws LockstepError `NotFound` that names the nearest entity type there is. */
export async function requireEntityType(session: Session, name: string): Promise<StoredEntityType> {
  const store = await session.store();
  const type = await findEntityType(store, name);
  if (type) return type;
  const names = await entityTypeNames(store);
  throw new LockstepError(
    'NotFound',
    `There is no entity type “${name}”${didYouMean(name, names)}`,
    {
      hint:
        names.length === 0
          ? 'The store knows none yet: run a connector, or `lockstep set` a resource, first.'
          : `There is ${names.join(', ')}.`,
    },
  );
}

async function requireScope(session: Session, job: string, name: string): Promise<void> {
  const store = await session.store();
  const names = [
    ...(await entityTypeNames(store)),
    ...(await linkScopes(store)),
    ...(await provisionalNames(store, job)),
  ];
  if (names.includes(name)) return;
  throw new LockstepError(
    'UsageInvalid',
    `There is no entity type or association “${name}”${didYouMean(name, names)}`,
    { hint: `There is ${names.join(', ')}.` },
  );
}
