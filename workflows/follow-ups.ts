/** Starts the reconciliations that follow a job. */
import { ParentClosePolicy, startChild, uuid4, workflowInfo } from '@temporalio/workflow';
import { manualJobId, reconcileJobType } from './identifiers.ts';
import type { FollowUp, ReconcileJobRequest } from './messages.ts';
import { searchAttributesOf } from './search-attributes.ts';

/**
 * Starts them as jobs of their own, which live on when this workflow has ended. One that is blocked, or whose target is
 * down, holds up no other.
 */
export async function startFollowUps(
  followUps: readonly FollowUp[],
  configurationFile: string | undefined,
): Promise<void> {
  const by = workflowInfo().workflowId;
  for (const { mapping, connector } of followUps) {
    const request: ReconcileJobRequest = {
      mapping,
      connector,
      trigger: 'schedule',
      by,
      ...(configurationFile !== undefined && { configurationFile }),
    };
    const suffix = uuid4().slice(0, 8);
    await startChild(reconcileJobType, {
      workflowId: manualJobId(connector, mapping, new Date(), suffix),
      args: [request],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      memo: { connector, mode: 'complete', task: 'reconcile', mapping, simulated: false, by },
      typedSearchAttributes: searchAttributesOf(connector, 'complete', 'reconcile'),
      staticSummary: `${mapping}, follows ${by}`,
    });
  }
}
