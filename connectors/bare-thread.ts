/** Threads that know nothing of the worker's environment, where its secrets are. */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { type ResourceLimits, Worker } from 'node:worker_threads';

/**
 * Starts a thread.
 *
 * @param file its entry, as it is called in a checkout; a build has it as `.js`
 */
export function startBareThread(
  file: URL,
  workerData: unknown,
  resourceLimits: ResourceLimits = {},
): Worker {
  const isBuilt = import.meta.url.endsWith('.js');
  // No environment but where compiled code is kept.
  const compiled = getCompileCacheDir();
  return new Worker(isBuilt ? new URL(file.href.replace(/\.ts$/, '.js')) : file, {
    workerData,
    env: compiled === undefined ? {} : { NODE_COMPILE_CACHE: dirname(compiled) },
    resourceLimits,
  });
}
