/** Which job an activity works for: the workflow that called it. */
import { activityInfo } from '@temporalio/activity';

export function currentJob(): { readonly jobId: string; readonly runId: string } {
  const execution = activityInfo().workflowExecution;
  if (!execution) throw new Error('activities of a job are called by its workflow');
  return { jobId: execution.workflowId, runId: execution.runId };
}
