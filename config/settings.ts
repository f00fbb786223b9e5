/** The environment of a Lockstep process → settings. */
import { resolve } from 'node:path';

export interface Settings {
  /** `LOCKSTEP_CONFIG`; default `lockstep.yaml` in the working directory. Absolute. */
  readonly configurationFile: string;
  /** `LOCKSTEP_HOME`; default `.lockstep` in the working directory. Absolute; holds identity data. */
  readonly home: string;
  /** Where exports leave their extractions. Every worker of one task queue must share it. */
  readonly extractions: string;
  /** `DATABASE_URL`, when given. **Danger:** holds a password. */
  readonly databaseUrl: string | undefined;
  /** `LOCKSTEP_TASK_QUEUE`; default `lockstep`. */
  readonly taskQueue: string;
  /** `LOCKSTEP_LOG_LEVEL`; default `info`. */
  readonly logLevel: string;
  /** `LOCKSTEP_WORKFLOW_BUNDLE`: a bundle of these very workflows, so that a worker need not build its own. Absolute. */
  readonly workflowBundle: string | undefined;
  /**
   * `LOCKSTEP_ACCEPT_CONFIGURATION_FILE=1`: a job may name another configuration file than the worker's own. `lockstep
   * dev` sets it. **Danger:** elsewhere, whoever may start a workflow could then choose the limits. Default no.
   */
  readonly acceptsConfigurationFile: boolean;
  /** The environment itself, for `${ENV_NAME}` in the configuration. **Danger:** holds secrets. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Reads the settings. Nothing is checked for existence here: `lockstep check` does. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const home = resolve(environment['LOCKSTEP_HOME'] || '.lockstep');
  const bundle = environment['LOCKSTEP_WORKFLOW_BUNDLE'];
  return {
    configurationFile: resolve(environment['LOCKSTEP_CONFIG'] ?? 'lockstep.yaml'),
    home,
    extractions: resolve(home, 'extractions'),
    databaseUrl: environment['DATABASE_URL'],
    taskQueue: environment['LOCKSTEP_TASK_QUEUE'] ?? 'lockstep',
    logLevel: environment['LOCKSTEP_LOG_LEVEL'] ?? 'info',
    acceptsConfigurationFile: environment['LOCKSTEP_ACCEPT_CONFIGURATION_FILE'] === '1',
    workflowBundle: bundle ? resolve(bundle) : undefined,
    environment,
  };
}
