/** Runs a worker until SIGINT or SIGTERM. */
import { flushCompileCache } from 'node:module';
import { readSettings } from '../config/settings.ts';
import { LockstepError } from '../engine/errors.ts';
import { createLog } from './log.ts';
import { startWorker } from './worker.ts';

const settings = readSettings();
const log = createLog(settings.logLevel);
try {
  const worker = await startWorker(settings, log);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => worker.shutdown());
  // Not only at its end, which may be a kill.
  flushCompileCache();
  log.jobs.info({ taskQueue: settings.taskQueue, pid: process.pid }, 'worker is ready');
  await worker.stopped;
} catch (error) {
  if (error instanceof LockstepError) {
    process.stderr.write(`${error.code}: ${error.message}\n${error.hint}\n`);
    process.exitCode = error.code === 'ConfigurationInvalid' ? 2 : 1;
  } else {
    log.jobs.error({ err: error }, 'the worker cannot run');
    process.exitCode = 1;
  }
}
