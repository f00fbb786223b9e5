/** Starting the workflow of a job of any kind. */
import type { JobTask, Mode } from '../engine/job.ts';
import { searchAttributesOf } from '../workflows/search-attributes.ts';
import { inOurWords } from './outage.ts';
import { searchAttributesMissing } from './search-attributes.ts';
import type { Session } from './session.ts';

/** What a job is, for its workflow and for whoever looks at Temporal's list. */
export interface JobStart {
  /** Name of the workflow. */
  readonly type: string;
  readonly id: string;
  /** What the workflow is given, but for the configuration file, which is the session's. */
  readonly request: object;
  readonly connector: string;
  readonly mode: Mode;
  readonly task: JobTask;
  /** What is known of it beside connector and mode before a worker has begun it. */
  readonly memo: Readonly<Record<string, unknown>>;
  /** One line, without identity data. */
  readonly summary: string;
}

/** Starts it in the session's name. @throws LockstepError `TemporalUnavailable` */
export async function startJobWorkflow(
  session: Session,
  { type, id, request, connector, mode, task, memo, summary }: JobStart,
): Promise<void> {
  const configurationFile = await session.configurationFileOfJobs();
  const client = await session.temporal();
  try {
    await client.workflow.start(type, {
      workflowId: id,
      taskQueue: session.settings.taskQueue,
      args: [{ ...request, ...(configurationFile !== undefined && { configurationFile }) }],
      memo: { connector, mode, ...memo },
      typedSearchAttributes: searchAttributesOf(connector, mode, task),
      staticSummary: summary,
    });
  } catch (error) {
    throw searchAttributesMissing(error) ?? inOurWords(error);
  }
}
