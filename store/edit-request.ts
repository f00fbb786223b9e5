/** What a person wants to be changed: put down by the client, the one thing it writes, and read by the job of the same id. */
import type { Pool, PoolClient } from 'pg';
import { LockstepError } from '../engine/errors.ts';
import type { ReadStore } from './queries/read-store.ts';

/** A request that was put down. **Danger:** `request` is identity data; it never goes to Temporal. */
export interface EditRequest<Request = unknown> {
  /** Id of the job that does it, once. */
  readonly id: string;
  /** A managed entity type; empty for what is about matches. */
  readonly entityType: string;
  readonly request: Request;
  /** Who the client says asks; who really does is read from Temporal's history. */
  readonly requestedBy: string | null;
}

/**
 * Puts a request down, committed when this returns. The session of a client is read-only otherwise.
 *
 * @throws LockstepError `ConfigurationInvalid` when the client's role of the database may not
 */
export async function putEditRequest(
  { pool }: Pick<ReadStore, 'pool'>,
  { id, entityType, request, requestedBy }: EditRequest,
): Promise<void> {
  const session = await pool.connect();
  let broken: Error | undefined;
  try {
    await session.query('begin read write');
    await session.query(
      'insert into edit_request (id, entity_type, request, requested_by) values ($1, $2, $3, $4)',
      [id, entityType, JSON.stringify(request), requestedBy],
    );
    await session.query('commit');
  } catch (error) {
    await session.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    if ((error as { code?: string }).code !== '42501') throw error;
    throw new LockstepError(
      'ConfigurationInvalid',
      'the database role of this command may not put down edits',
      { hint: 'Grant it INSERT on the table edit_request; that is all that edits need.' },
    );
  } finally {
    session.release(broken);
  }
}

/** The request of a job. @throws LockstepError `NotFound` when it is not there (any more) */
export async function editRequest<Request>(
  session: Pool | PoolClient,
  id: string,
): Promise<EditRequest<Request>> {
  const { rows } = await session.query<EditRequest<Request>>(
    `select id, entity_type as "entityType", request, requested_by as "requestedBy"
     from edit_request where id = $1`,
    [id],
  );
  const [found] = rows;
  if (found) return found;
  throw new LockstepError(
    'NotFound',
    'what this edit is to change was not put down, or is purged',
    {
      hint: 'Give the command again.',
    },
  );
}
