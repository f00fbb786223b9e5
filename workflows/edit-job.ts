/** A person's edit of one resource or link that is managed by us, or the rollback of one: prepare, gate, load. */
import type { JobState } from '../engine/job.ts';
import { localAuthority } from '../engine/managed-type.ts';
import { beginEdit, loadEdit, prepareEdit, prepareRollback } from './activity-proxies.ts';
import { Job, runToItsEnd } from './job.ts';
import type { EditJobRequest, SyncJobResult } from './messages.ts';

/**
 * Does what a person has put down in the store under the id of this workflow, or takes another edit back.
 *
 * An edit says what should be, not what it was made from: when somebody else was faster, it is prepared again, and goes on
 * unless a person has reviewed what is no longer so.
 */
export async function editJob(request: EditJobRequest = {}): Promise<SyncJobResult> {
  const { rollbackOf, simulate = false, configurationFile } = request;
  const job = new Job({ connector: localAuthority, task: 'edit', rollbackOf, configurationFile });
  const prepare =
    rollbackOf === undefined
      ? () => prepareEdit({})
      : () => prepareRollback({ connector: localAuthority, rollbackOf });
  return await runToItsEnd(job, async (): Promise<JobState> => {
    await beginEdit({
      configurationFile: configurationFile ?? null,
      simulate,
      rollbackOf: rollbackOf ?? null,
    });
    for (let isStale = false, wasReviewed = false; ; isStale = true) {
      job.enter('prepare');
      job.review(await prepare());
      if (simulate) return 'succeeded';
      const asksAgain = isStale && wasReviewed && job.changesSomething;
      if (job.breached || asksAgain) {
        wasReviewed = true;
        await job.waitAtTheGate(asksAgain);
      }
      await job.passTheGate();
      if (job.isDeltaEmpty) return job.withoutLoad();
      if ((await loadEdit({ digest: job.digest })) === 'applied') return 'succeeded';
    }
  });
}
