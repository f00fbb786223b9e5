/** Editing what is managed by us: what is wanted is put down in the store, and a job of its own does it. */
import { didYouMean } from '../config/finding.ts';
import { type Edit, type ManagedEnd, managedEnds } from '../engine/edit.ts';
import { LockstepError } from '../engine/errors.ts';
import type { JobDocument } from '../engine/job.ts';
import type { ManagedType } from '../engine/managed-type.ts';
import type { Value } from '../engine/value-format.ts';
import { putEditRequest } from '../store/edit-request.ts';
import { findEntityType } from '../store/queries/entity-types.ts';
import { hasResource, keysLike } from '../store/queries/resources.ts';
import { editJobId } from '../workflows/identifiers.ts';
import { startEditJob } from './edit-job.ts';
import { viewJob } from './job-view.ts';
import { randomSuffix } from './run.ts';
import type { Session } from './session.ts';
import { type WaitOptions, waitForJob } from './wait.ts';

/** How to edit. */
export interface EditOptions extends WaitOptions {
  /** Why; kept with the edit, in the audit log. */
  readonly reason?: string | undefined;
  /** Default true: resolves when the edit is made, or asks. */
  readonly wait?: boolean | undefined;
}

/** Property → value; null: it has none from now on. Of a reference: the key of its target. */
export type EditedValues = Readonly<Record<string, Value | null>>;

/**
 * Sets values of a managed resource; creates it when there is none.
 *
 * @throws LockstepError `NotFound` or `UsageInvalid`, before anything is started
 */
export async function setResource(
  session: Session,
  entityType: string,
  key: string,
  values: EditedValues,
  options: EditOptions = {},
): Promise<JobDocument> {
  const type = await requireManagedType(session, entityType);
  for (const property of type.properties) {
    const target = values[property.name];
    if (property.kind !== 'reference' || typeof target !== 'string') continue;
    // A resource may refer to itself, also one that is about to be.
    if (property.references === entityType && target === key) continue;
    await requireKey(session, property.references, target);
  }
  return await makeEdit(session, entityType, { action: 'set', key, values }, options);
}

/** Deletes a managed resource with its links. @throws LockstepError `NotFound` before anything is started */
export async function deleteResource(
  session: Session,
  entityType: string,
  key: string,
  options: EditOptions = {},
): Promise<JobDocument> {
  await requireManagedType(session, entityType);
  await requireKey(session, entityType, key);
  return await makeEdit(session, entityType, { action: 'delete', key }, options);
}

/** A link to make or to take away: a resource, its navigation property, and the key at the other end. */
export type LinkEdit = Omit<Extract<Edit, { action: 'link' | 'unlink' }>, 'action'>;

/**
 * Makes a link or takes it away, named from either end; of a reference, the one that was there goes.
 *
 * @throws LockstepError `NotFound` before anything is started
 */
export async function editLink(
  session: Session,
  action: 'link' | 'unlink',
  entityType: string,
  { key, property, other }: LinkEdit,
  options: EditOptions = {},
): Promise<JobDocument> {
  await requireManagedType(session, entityType);
  const end = await requireEnd(session, entityType, property);
  await requireKey(session, entityType, key);
  if (action === 'link') await requireKey(session, end.isFrom ? end.to : end.from, other);
  return await makeEdit(session, entityType, { action, key, property, other }, options);
}

/** @throws LockstepError `NotFound` that names the nearest one, or says where the resources of this one come from */
export async function requireManagedType(session: Session, name: string): Promise<ManagedType> {
  const { managedTypes, entityTypes } = await session.configuration();
  const type = managedTypes.get(name);
  if (type) return type;
  const connected = entityTypes.get(name);
  if (connected) {
    throw new LockstepError(
      'NotFound',
      `${name} is not managed here: connector ${connected.connector} says what it holds`,
      { hint: 'Change it there, or what a mapping writes to it.' },
    );
  }
  throw new LockstepError(
    'NotFound',
    `There is no managed entity type “${name}”${didYouMean(name, [...managedTypes.keys()])}`,
    { hint: `They stand in ${session.settings.configurationFile}, with \`managed: true\`.` },
  );
}

async function requireEnd(
  session: Session,
  entityType: string,
  property: string,
): Promise<ManagedEnd> {
  const ends = managedEnds(await session.configuration(), entityType);
  const end = ends.get(property);
  if (end) return end;
  throw new LockstepError(
    'NotFound',
    `${entityType} has no navigation property “${property}”${didYouMean(property, [...ends.keys()])}`,
  );
}

/** Another key that this one may be a slip of; undefined when there is none. */
export async function similarKey(
  session: Session,
  entityType: string,
  key: string,
): Promise<string | undefined> {
  const store = await session.store();
  const type = await findEntityType(store, entityType);
  const others = type ? (await keysLike(store, type, key)).filter((each) => each !== key) : [];
  return /^; did you mean “(.*)”\?$/s.exec(didYouMean(key, others))?.[1];
}

/** The worker looks again; but only here can the nearest key be named. */
async function requireKey(session: Session, entityType: string, key: string): Promise<void> {
  const store = await session.store();
  const type = await findEntityType(store, entityType);
  if (type && (await hasResource(store, type, key))) return;
  const guess = type ? didYouMean(key, await keysLike(store, type, key)) : '';
  const near = guess.startsWith('; did you mean') ? guess : '';
  throw new LockstepError('NotFound', `There is no ${entityType} “${key}”${near}`, {
    hint: `See \`lockstep list ${entityType}\` for those there are.`,
  });
}

/** Puts the edit down, starts its job under the same id, and waits. */
async function makeEdit(
  session: Session,
  entityType: string,
  edit: Edit,
  options: EditOptions,
): Promise<JobDocument> {
  const { reason, wait = true } = options;
  // First of all: what is put down for a job that nobody can start would lie there.
  await session.temporal();
  const id = editJobId(new Date(), randomSuffix());
  const request = { ...edit, ...(reason !== undefined && { reason }) };
  await putEditRequest(await session.store(), {
    ...{ id, entityType, request },
    requestedBy: session.identity,
  });
  await startEditJob(session, id, {}, `edit of one ${entityType}`);
  return wait ? await waitForJob(session, id, options) : (await viewJob(session, id)).document;
}
