/** A thread beside which there is no secret, and whose memory is bounded: where expressions of the configuration run. */
import type { Worker } from 'node:worker_threads';
import { startBareThread } from '../connectors/bare-thread.ts';

/** Starts the file of this name beside this one; what it takes too much memory for cannot take the worker with it. */
export function startSandboxThread(name: string, workerData: unknown): Worker {
  return startBareThread(new URL(`./${name}.ts`, import.meta.url), workerData, {
    maxOldGenerationSizeMb: 96,
    maxYoungGenerationSizeMb: 16,
  });
}
