/** Starting a reconciliation by hand, and waiting for it. */
import { didYouMean } from '../config/finding.ts';
import { LockstepError } from '../engine/errors.ts';
import type { JobDocument } from '../engine/job.ts';
import type { Mapping } from '../engine/mapping.ts';
import { manualJobId, reconcileJobType } from '../workflows/identifiers.ts';
import type { ReconcileJobRequest } from '../workflows/messages.ts';
import { viewJob } from './job-view.ts';
import { type RunOptions, randomSuffix, refuseIfBlocked, requireEnabled } from './run.ts';
import type { Session } from './session.ts';
import { startJobWorkflow } from './start-job.ts';
import { waitForJob } from './wait.ts';

/** How to reconcile. */
export type ReconcileOptions = Omit<RunOptions, 'mode' | 'task' | 'extraction'>;

/**
 * Runs one reconciliation of a mapping; resolves when it ended or blocked, or at once without `wait`.
 *
 * It works on what the store holds: run the connector first, where that may be out of date.
 *
 * @throws LockstepError `NotFound`, `ConnectorBusy`, before anything is started
 */
export async function reconcileMapping(
  session: Session,
  name: string,
  options: ReconcileOptions,
): Promise<JobDocument> {
  const { wait = true, simulate, by = session.identity } = options;
  const { connector } = await requireMapping(session, name);
  await requireEnabled(session, connector);
  if (wait) await refuseIfBlocked(session, connector);
  const workflowId = manualJobId(connector, name, new Date(), randomSuffix());
  const request: ReconcileJobRequest = {
    mapping: name,
    connector,
    trigger: 'person',
    by,
    ...(simulate && { simulate }),
  };
  await startJobWorkflow(session, {
    ...{ type: reconcileJobType, id: workflowId, request, connector },
    ...{ mode: 'complete', task: 'reconcile' },
    memo: { task: 'reconcile', mapping: name, simulated: simulate === true, by },
    summary: `${name}${simulate ? ', simulated' : ''}, by ${by}`,
  });
  options.onStart?.(workflowId);
  return wait
    ? await waitForJob(session, workflowId, options)
    : (await viewJob(session, workflowId)).document;
}

/** @throws LockstepError `NotFound` that names the nearest mapping there is */
export async function requireMapping(session: Session, name: string): Promise<Mapping> {
  const { mappings } = await session.configuration();
  const mapping = mappings.get(name);
  if (mapping) return mapping;
  throw new LockstepError(
    'NotFound',
    `There is no mapping “${name}”${didYouMean(name, [...mappings.keys()])}`,
    { hint: `Mappings are listed in ${session.settings.configurationFile}.` },
  );
}
