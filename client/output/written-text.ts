/** What a job that has ended without success has left in the connected system. */
import type { JobDocument } from '../../engine/job.ts';

/** A provisioning that is stopped has written what it was done with; a write under way may have been done too. */
export function writtenText({ provisioning }: Pick<JobDocument, 'provisioning'>): string {
  if (provisioning === undefined) return 'Nothing was written.';
  const { applied, notApplied, failed } = provisioning;
  const told = [
    `at least ${applied} written`,
    ...(notApplied > 0 ? [`${notApplied} not applied`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return `In the connected system: ${told.join(', ')}.`;
}
