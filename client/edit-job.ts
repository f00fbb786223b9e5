/** Starting the job of a person's edit, or of the rollback of one. */
import { localAuthority } from '../engine/managed-type.ts';
import { editJobType } from '../workflows/identifiers.ts';
import type { EditJobRequest } from '../workflows/messages.ts';
import type { Session } from './session.ts';
import { startJobWorkflow } from './start-job.ts';

/**
 * Starts it in the session's name, which is what the worker reads back from Temporal.
 *
 * @param words what it does, without identity data: they stand in Temporal's list of workflows
 */
export async function startEditJob(
  session: Session,
  id: string,
  request: EditJobRequest,
  words: string,
): Promise<void> {
  const { rollbackOf, simulate = false } = request;
  await startJobWorkflow(session, {
    ...{ type: editJobType, id, request, connector: localAuthority },
    ...{ mode: 'complete', task: 'edit' },
    memo: { task: 'edit', simulated: simulate, ...(rollbackOf !== undefined && { rollbackOf }) },
    summary: `${words}, by ${session.identity}`,
  });
}
