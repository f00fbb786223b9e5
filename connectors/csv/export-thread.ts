/** The thread in which one source is exported. */
import { parentPort, workerData } from 'node:worker_threads';
import { LockstepError } from '../../engine/errors.ts';
import type { FromExportThread } from './export-in-thread.ts';
import { exportSource, type SourceTask } from './source-export.ts';

const say = (what: FromExportThread) => parentPort?.postMessage(what);

try {
  const extracted = await exportSource(workerData as SourceTask, {
    onBytes: (bytes) => say({ bytes }),
    // Who gives it up ends the thread.
    signal: new AbortController().signal,
  });
  say({ extracted });
} catch (error) {
  if (!(error instanceof LockstepError)) throw error;
  const { code, message, hint, fault } = error;
  say({ refused: { code, message, hint, fault } });
}
