/** A thread beside which there is no secret, and whose memory is bounded: where expressions of the configuration run. */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Starts the file of this name beside this one; what it takes too much memory for cannot take the worker with it. */
export function startSandboxThread(name: string, workerData: unknown): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // No environment but where compiled code is kept.
  const compiled = getCompileCacheDir();
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), {
    workerData,
    env: compiled === undefined ? {} : { NODE_COMPILE_CACHE: dirname(compiled) },
    resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
  });
}
