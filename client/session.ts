/** What one use of Lockstep holds open: settings, configuration, store and Temporal, each opened when first needed. */
import type { Client } from '@temporalio/client';
import { type Configuration, readConfiguration } from '../config/configuration.ts';
import { readSettings, type Settings } from '../config/settings.ts';
import { readDevState } from '../local/dev-state.ts';
import { openReadStore, type ReadStore } from '../store/queries/read-store.ts';
import { processEnvironment } from './environment.ts';
import { currentIdentity } from './identity.ts';
import { findDatabaseUrl, findTemporalServer } from './servers.ts';
import { connectTemporal } from './temporal.ts';

/** How to find everything; all of it has defaults. */
export interface LockstepOptions {
  /** Where `DATABASE_URL`, `TEMPORAL_*` and `LOCKSTEP_*` are looked up. Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Path of `lockstep.yaml`, over `LOCKSTEP_CONFIG`. Jobs started here run with it too. */
  readonly configurationFile?: string | undefined;
  /** Who we are in Temporal's history. Default: user@host. */
  readonly identity?: string | undefined;
  /** Takes what a person should know while waiting, such as that no worker is up. Default: nobody does. */
  readonly note?: ((text: string) => void) | undefined;
}

/** An open use of Lockstep. */
export class Session {
  readonly environment: NodeJS.ProcessEnv;
  readonly settings: Settings;
  readonly identity: string;
  readonly note: (text: string) => void;
  readonly #isConfigurationGiven: boolean;
  #store: Promise<ReadStore> | undefined;
  #temporal: Promise<Client> | undefined;
  #configuration: Promise<Configuration> | undefined;

  constructor(options: LockstepOptions) {
    const { configurationFile, environment = processEnvironment } = options;
    this.environment =
      configurationFile === undefined
        ? environment
        : { ...environment, LOCKSTEP_CONFIG: configurationFile };
    this.settings = readSettings(this.environment);
    this.identity = options.identity ?? currentIdentity();
    this.note = options.note ?? (() => {});
    this.#isConfigurationGiven = configurationFile !== undefined;
  }

  /** The store, for reading. It answers once a query is made, not before. */
  store(): Promise<ReadStore> {
    this.#store ??= findDatabaseUrl(this.environment).then((url) =>
      openReadStore(url, 'lockstep client'),
    );
    return this.#store;
  }

  /** @throws LockstepError `TemporalUnavailable` within seconds. Tried anew with the next call. */
  temporal(): Promise<Client> {
    this.#temporal ??= findTemporalServer(this.environment)
      .then((server) => connectTemporal(server, this.identity))
      .catch((error: unknown) => {
        this.#temporal = undefined;
        throw error;
      });
    return this.#temporal;
  }

  /** @throws LockstepError `ConfigurationInvalid` with every finding. */
  configuration(): Promise<Configuration> {
    this.#configuration ??= readConfiguration(
      this.settings.configurationFile,
      this.environment,
    ).then(({ configuration }) => configuration);
    return this.#configuration;
  }

  /**
   * The configuration file a job should be told to read: ours, when somebody named it, or when the worker of
   * `lockstep dev` shares this machine. Else the worker reads its own.
   */
  async configurationFileOfJobs(): Promise<string | undefined> {
    const isNamed =
      this.#isConfigurationGiven || (await readDevState(this.settings.home)) !== undefined;
    return isNamed ? this.settings.configurationFile : undefined;
  }

  async close(): Promise<void> {
    const [store, temporal] = await Promise.allSettled([this.#store, this.#temporal]);
    if (store.status === 'fulfilled') await store.value?.close();
    if (temporal.status === 'fulfilled') await temporal.value?.connection.close();
  }
}
