/** Starting the job of a person's edit, or of the rollback of one. */
import { localAuthority } from '../engine/managed-type.ts';
import { editJobType } from '../workflows/identifiers.ts';
import type { EditJobRequest } from '../workflows/messages.ts';
import { searchAttributesOf } from '../workflows/search-attributes.ts';
import { inOurWords } from './outage.ts';
import { searchAttributesMissing } from './search-attributes.ts';
import type { Session } from './session.ts';

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
  const configurationFile = await session.configurationFileOfJobs();
  const client = await session.temporal();
  try {
    await client.workflow.start(editJobType, {
      workflowId: id,
      taskQueue: session.settings.taskQueue,
      args: [{ ...request, ...(configurationFile !== undefined && { configurationFile }) }],
      memo: {
        ...{ connector: localAuthority, mode: 'complete', task: 'edit', simulated: simulate },
        ...(rollbackOf !== undefined && { rollbackOf }),
      },
      typedSearchAttributes: searchAttributesOf(localAuthority, 'complete', 'edit'),
      staticSummary: `${words}, by ${session.identity}`,
    });
  } catch (error) {
    throw searchAttributesMissing(error) ?? inOurWords(error);
  }
}
