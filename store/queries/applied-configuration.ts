/** Which version of the configuration each connector was last run with. */
import type { ReadStore } from './read-store.ts';

/** A version of `lockstep.yaml` and the directory it was read from. */
export interface AppliedConfiguration {
  readonly version: string;
  readonly directory: string;
}

/** Connector → the configuration of its last job that succeeded and was no simulation. */
export async function appliedConfigurations(
  store: ReadStore,
): Promise<Map<string, AppliedConfiguration>> {
  const { rows } = await store.pool.query<AppliedConfiguration & { connector: string }>(
    `select distinct on (j.connector) j.connector, c.version, c.directory
     from job j join configuration c on c.version = j.configuration_version
     where j.state in ('succeeded', 'succeeded-with-rejects') and not j.simulated
     order by j.connector, j.started_at desc`,
  );
  return new Map(rows.map(({ connector, ...applied }) => [connector, applied]));
}
