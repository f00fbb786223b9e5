/** The activities of a sync job: the only place where engine, connectors and store meet. */
import { CancelledFailure, cancellationSignal } from '@temporalio/activity';
import { beginEdit } from './begin-edit.ts';
import { begin } from './begin-job.ts';
import { beginReconciliation } from './begin-reconciliation.ts';
import { blockJob } from './block-job.ts';
import { checkSources } from './check-sources.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { conclude } from './end-job.ts';
import { exportSource } from './export-source.ts';
import { toFailure } from './failures.ts';
import { loadEdit } from './load-edit.ts';
import { loadReviewed } from './load-reviewed.ts';
import { prepareDelta } from './prepare-delta.ts';
import { prepareEdit } from './prepare-edit.ts';
import { prepareReconciliation } from './prepare-reconciliation.ts';
import { prepareRollback } from './prepare-rollback.ts';
import { provisionDelta } from './provision-delta.ts';
import { type Report, withPulse } from './pulse.ts';
import { settleDecision } from './settle-decision.ts';
import { settleMatch } from './settle-match.ts';
import { testConnection } from './test-connection.ts';

type Activity<Request, Info> = (
  dependencies: ActivityDependencies,
  request: Request,
  report: Report,
) => Promise<Info>;

/** Binds the activities to the worker's store, configuration and log. */
export function createSyncActivities(dependencies: ActivityDependencies) {
  /** Hands the dependencies in, heartbeats, and lets no error out that is not fit for Temporal's history. */
  function bind<Request, Info>(
    activity: Activity<Request, Info>,
  ): (request: Request) => Promise<Info> {
    return async (request) => {
      try {
        return await withPulse((report) => activity(dependencies, request, report));
      } catch (error) {
        // Whatever a cancelled activity stumbled over, it was stopped.
        if (cancellationSignal().aborted) throw new CancelledFailure('stopped');
        throw toFailure(error, dependencies.log);
      }
    };
  }
  return {
    /** Takes the connector, or tells who has it. */
    beginJob: bind(begin),
    /** Takes the connector of a mapping. */
    beginReconciliation: bind(beginReconciliation),
    /** Leaves an extraction. */
    exportSource: bind(exportSource),
    /** Leaves a delta; tells its counts, breaches and digest. */
    prepareDelta: bind(prepareDelta),
    /** The same from what another job has changed. */
    prepareRollback: bind(prepareRollback),
    /** Leaves a delta of what a mapping makes of both its sides; tells the situations too. */
    prepareReconciliation: bind(prepareReconciliation),
    /** Notes that the job waits for a person. */
    blockJob: bind(blockJob),
    /** Tells whether a decision counts. */
    settleDecision: bind(settleDecision),
    /** Applies the delta, once. */
    loadDelta: bind(loadReviewed),
    /** Takes the delta to the connected system: each resource once, and again where an attempt did not get so far. */
    provisionDelta: bind(provisionDelta),
    /** Writes the outcome and gives the connector back. */
    endJob: bind(conclude),
    /** Begins a person's edit; takes no connector. */
    beginEdit: bind(beginEdit),
    /** Leaves a delta of what the person has put down. */
    prepareEdit: bind(prepareEdit),
    /** Applies it, once. */
    loadEdit: bind(loadEdit),
    /** Carries out what a person has said of a match. */
    settleMatch: bind(settleMatch),
    /** Looks at the sources of a connector, for no job. */
    checkSources: bind(checkSources),
    /** Tells whether a connected system can be read, for no job. */
    testConnection: bind(testConnection),
  };
}

/** What workflows may call. */
export type SyncActivities = ReturnType<typeof createSyncActivities>;
