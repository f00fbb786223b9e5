// Temporal's runtime in the test's own process, silent about what a test does on purpose.

import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** Call it before the first worker of a process. */
export function quietRuntime(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
    },
  });
}
