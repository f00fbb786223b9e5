/** The thread in which one source is exported. */
import { parentPort, workerData } from 'node:worker_threads';
import { LockstepError } from '../../engine/errors.ts';
import type { FromExportThread } from './export-in-thread.ts';
import { exportSource, type SourceTask } from './source-export.ts';

const say = (what: FromExportThread) => parentPort?.postMessage(what);

/** A message wakes the worker's own thread. */
const toldBytes = 1 << 22;
let bytes = 0;
const tell = () => {
  say({ bytes });
  bytes = 0;
};

try {
  const extracted = await exportSource(workerData as SourceTask, {
    onBytes: (more) => {
      bytes += more;
      if (bytes >= toldBytes) tell();
    },
    // Who gives it up ends the thread.
    signal: new AbortController().signal,
  });
  tell();
  say({ extracted });
} catch (error) {
  if (!(error instanceof LockstepError)) throw error;
  const { code, message, hint, fault } = error;
  say({ refused: { code, message, hint, fault } });
}
