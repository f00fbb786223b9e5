/** The configurations of a worker's jobs: validated once, not by every step of every job. */
import { readFile } from 'node:fs/promises';
import type { Configurations } from '../activities/dependencies.ts';
import {
  type Configuration,
  type ConfigurationSource,
  parseConfiguration,
  readConfiguration,
} from '../config/configuration.ts';

interface ReadConfiguration {
  readonly configuration: Configuration;
  readonly source: ConfigurationSource;
}

/** Jobs that wait for days keep old versions in use, but few at a time. */
const keptVersions = 20;

/**
 * Reads a file whenever it is asked for, and parses it only when its text is another one than before. A version stands
 * for one document, and the environment of a process does not change, so a validated version stays valid.
 *
 * @param chooseFile the file to read when a job asks for this one
 */
export function keepConfigurations(
  environment: NodeJS.ProcessEnv,
  chooseFile: (asked: string | undefined) => string,
): Configurations {
  let last: { file: string; text: string; read: ReadConfiguration } | undefined;
  const versions = new Map<string, Configuration>();
  const keep = (version: string, configuration: Configuration) => {
    versions.delete(version);
    versions.set(version, configuration);
    const [oldest] = versions.keys();
    if (versions.size > keptVersions && oldest !== undefined) versions.delete(oldest);
  };
  return {
    async read(asked) {
      const file = chooseFile(asked);
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text !== undefined && last?.file === file && last.text === text) return last.read;
      const read = await readConfiguration(file, environment);
      keep(read.source.version, read.configuration);
      // Written to in the meantime: which text was parsed is not known.
      const after = await readFile(file, 'utf8').catch(() => undefined);
      if (text !== undefined && text === after) last = { file, text, read };
      return read;
    },
    parse(source) {
      const configuration = versions.get(source.version) ?? parseConfiguration(source, environment);
      keep(source.version, configuration);
      return configuration;
    },
  };
}
