/** The worker's log: one JSON object a line on stderr, without a value of identity data. */
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';

export interface WorkerLog {
  /** For our activities. */
  readonly jobs: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** For Temporal's SDK. */
  readonly temporal: DefaultLogger;
}

/** @param level trace, debug, info, warn, error or silent */
export function createLog(level: string): WorkerLog {
  const log = pino({ level, base: { name: 'lockstep' } }, pino.destination({ fd: 2, sync: true }));
  const sdk = log.child({ from: 'temporal' });
  const levels = {
    TRACE: 'trace',
    DEBUG: 'debug',
    INFO: 'debug',
    WARN: 'warn',
    ERROR: 'error',
  } as const;
  return {
    jobs: log,
    temporal: new DefaultLogger('INFO', ({ level: sdkLevel, message, meta }) => {
      sdk[levels[sdkLevel]](safeFields(meta), message);
    }),
  };
}

/** Errors are logged by what they are, not by what they quote: our own messages are fit to be read, others may hold values. */
function safeFields(meta: Record<string | symbol, unknown> | undefined): object {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(meta ?? {})) {
    if (value instanceof Error)
      fields[name] = { name: value.name, type: (value as { type?: string }).type };
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      fields[name] = value;
  }
  return fields;
}
