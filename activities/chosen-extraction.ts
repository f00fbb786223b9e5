/** The kept extraction that a task alone works on: the last one, the one that was asked for, or what was loaded last. */
import { type Diagnosis, diagnosisOf } from '../engine/diagnosis/diagnosis.ts';
import { LockstepError } from '../engine/errors.ts';
import { type Mode, type Task, tasks, usesKeptExtraction } from '../engine/job.ts';
import type { Store } from '../store/database.ts';
import {
  adoptExtraction,
  extractionForExpressions,
  loadedSince,
} from '../store/extraction-store.ts';

/** A kept extraction in numbers, as the workflow is told. */
export interface ChosenExtraction {
  readonly extraction: string;
  readonly bytes: number;
  readonly kept: true;
  /** A newer extraction that is loaded already: with this one the store would go back in time. */
  readonly newer: string | null;
}

interface Choice {
  readonly connector: string;
  readonly mode: Mode;
  readonly task: Task;
  readonly extraction?: string | null;
  readonly rollbackOf?: string | null;
}

/**
 * Chooses, and notes with the job, so that retention leaves it alone.
 *
 * @returns null for a task that makes its own
 * @throws LockstepError `UsageInvalid` for what cannot be asked for, `NotFound` when nothing fits
 */
export async function chosenExtraction(
  store: Store,
  jobId: string,
  { connector, mode, task, extraction: wanted, rollbackOf }: Choice,
): Promise<ChosenExtraction | null> {
  // A workflow can be started from anywhere, with anything.
  if (!tasks.includes(task)) {
    throw new LockstepError('UsageInvalid', 'there is no such task', {
      hint: `The tasks are ${tasks.join(', ')}.`,
    });
  }
  if (rollbackOf && task !== 'all') {
    throw new LockstepError('UsageInvalid', 'a rollback has no tasks of its own');
  }
  const mayChoose = task === 'prepare' || task === 'synchronize';
  if (wanted && !mayChoose) {
    throw new LockstepError(
      'UsageInvalid',
      `the task ${task} does not work on a chosen extraction`,
      {
        hint: 'Choose one with the task prepare or synchronize.',
      },
    );
  }
  if (!usesKeptExtraction(task)) return null;
  const asked = { connector, mode, jobId };
  const { id, bytes } =
    task === 'expressions'
      ? await extractionForExpressions(store, asked)
      : await adoptExtraction(store, { ...asked, wanted: wanted ?? null });
  const newer = await loadedSince(store, connector, id);
  return { extraction: id, bytes, kept: true, newer };
}

/** Says so when a newer extraction than this one is loaded already. */
export async function diagnoseOlder(
  store: Store,
  { connector, extraction }: { readonly connector: string; readonly extraction: string },
): Promise<Diagnosis[]> {
  const newer = await loadedSince(store, connector, extraction);
  if (newer === null) return [];
  const found = {
    kind: 'olderExtraction',
    scope: connector,
    detail: `loaded is ${newer}`,
  } as const;
  return [diagnosisOf({ ...found, columns: [], examples: [] })];
}
