/** What the configuration of a job says otherwise than that of the last load of its connector. */
import type { Configuration } from '../config/configuration.ts';
import {
  type ConfigurationChange,
  type ConnectorModel,
  configurationChanges,
} from '../engine/configuration-change.ts';
import type { FormerLoad } from './former-load.ts';

/** Empty when nothing was loaded yet, or when the configuration is the same. */
export function changesSince(
  { configuration: before }: FormerLoad,
  after: Configuration,
  connector: string,
): ConfigurationChange[] {
  if (before === null || before.version === after.version) return [];
  return configurationChanges(modelOf(before, connector), modelOf(after, connector));
}

/** When and by whom a connector may be run does not change what it loads; the limits are compared one by one. */
const aboutRunning: ReadonlySet<string> = new Set([
  'name',
  'modes',
  'schedules',
  'approvers',
  'approvals',
  'keepExtractionsDays',
  'thresholds',
]);

function modelOf(configuration: Configuration, connector: string): ConnectorModel {
  const settings: Readonly<Record<string, unknown>> = {
    ...configuration.connectors.get(connector),
    ...configuration.connectors.get(connector)?.thresholds,
  };
  const mine = ({ connector: owner }: { readonly connector: string }) => owner === connector;
  return {
    connector,
    settings: Object.fromEntries(
      Object.entries(settings).filter(([name]) => !aboutRunning.has(name)),
    ),
    entityTypes: [...configuration.entityTypes.values()].filter(mine),
    associations: [...configuration.associations.values()].filter(mine),
  };
}
