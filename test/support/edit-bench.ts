/** Edits of what is managed by us, made by the real activities on the store of a bench. */
import { randomUUID } from 'node:crypto';
import type { Edit } from '../../engine/edit.ts';
import { putEditRequest } from '../../store/edit-request.ts';
import { type Change, listChanges } from '../../store/queries/changes.ts';
import { findEntityType, type StoredEntityType } from '../../store/queries/entity-types.ts';
import { type ResourceDocument, showResource } from '../../store/queries/resources.ts';
import type { SyncBench } from './sync-bench.ts';

type Prepared = Awaited<ReturnType<SyncBench['run']>> & object;

/** An edit whose delta is prepared. */
export interface PreparedEdit {
  readonly id: string;
  readonly summary: Extract<Prepared, { digest: string; empty: boolean }>;
  changes(): Promise<Change[]>;
  again(): Promise<PreparedEdit>;
  load(): Promise<'applied' | 'stale'>;
  end(): Promise<void>;
}

/** Begins and prepares an edit, as `somebody@bench`. Rejects with the error of the activity. */
export async function prepareEdit(
  bench: SyncBench,
  entityType: string,
  edit: Edit & { readonly reason?: string },
): Promise<PreparedEdit> {
  const id = `local.edit.${randomUUID()}`;
  await putEditRequest(bench.store, { id, entityType, request: edit, requestedBy: 'jane' });
  await begin(bench, id, null);
  return await prepare(bench, id, () => bench.run('prepareEdit', {}, id));
}

/** Begins and prepares the rollback of an edit. */
export async function prepareEditRollback(
  bench: SyncBench,
  rollbackOf: string,
): Promise<PreparedEdit> {
  const id = `local.rollback.${randomUUID()}`;
  await begin(bench, id, rollbackOf);
  const request = { connector: 'local', rollbackOf };
  return await prepare(bench, id, () => bench.run('prepareRollback', request, id));
}

async function begin(bench: SyncBench, id: string, rollbackOf: string | null): Promise<void> {
  await bench.run('beginEdit', { configurationFile: null, simulate: false, rollbackOf }, id);
}

async function prepare(
  bench: SyncBench,
  id: string,
  plan: () => Promise<PreparedEdit['summary']>,
): Promise<PreparedEdit> {
  const summary = await plan();
  return {
    id,
    summary,
    async changes() {
      const all: Change[] = [];
      for await (const change of listChanges(bench.store, id)) all.push(change);
      return all;
    },
    again: () => prepare(bench, id, plan),
    load: () => bench.run('loadEdit', { digest: summary.digest }, id),
    async end() {
      const outcome = { connector: 'local', state: 'succeeded' as const, error: null };
      await bench.run('endJob', outcome, id);
    },
  };
}

/** Makes an edit; fails when it asks or has been overtaken. */
export async function makeEdit(
  bench: SyncBench,
  entityType: string,
  edit: Edit & { readonly reason?: string },
): Promise<PreparedEdit> {
  const prepared = await prepareEdit(bench, entityType, edit);
  if (prepared.summary.breaches.length > 0) throw new Error('the edit asks');
  if (!prepared.summary.empty && (await prepared.load()) !== 'applied') throw new Error('stale');
  await prepared.end();
  return prepared;
}

/** A resource as `show` has it; undefined when there is none. */
export async function shown(
  { store }: SyncBench,
  entityType: string,
  key: string,
): Promise<ResourceDocument | undefined> {
  return await showResource(
    store,
    (await findEntityType(store, entityType)) as StoredEntityType,
    key,
  );
}
