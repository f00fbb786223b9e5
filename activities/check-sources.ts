/** Looks at the sources of a connector as a run would read them; writes nothing and leaves nothing. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cancellationSignal } from '@temporalio/activity';
import type { Configuration, ConnectorSettings } from '../config/configuration.ts';
import { createExtraction } from '../connectors/extraction.ts';
import { createConnector } from '../connectors/registry.ts';
import { type CheckFact, isFine } from '../engine/check-fact.ts';
import { LockstepError } from '../engine/errors.ts';
import { unknownKeys } from '../store/queries/unknown-keys.ts';
import { currentJob } from './current-job.ts';
import { checkData } from './data-check.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { mappedSources } from './export-source.ts';
import type { Report } from './pulse.ts';
import { type CheckedFile, columnFacts, type Mapping } from './source-headers.ts';
import { exportWatched } from './watched-export.ts';

/** What to look at. */
export interface CheckRequest {
  readonly connector: string;
  /** Path of another configuration file than the worker's own; null for that. */
  readonly configurationFile: string | null;
}

/** Sources that are read side by side: one that answers slowly does not keep the others waiting. */
const atOnce = 3;

/**
 * Exports every source into a directory of its own that is removed in the end, and looks at columns; then, only if all
 * of them are as mapped, at every row.
 *
 * @throws LockstepError `NotFound` or `ConfigurationInvalid` by the configuration that this worker has
 */
export async function checkSources(
  { store, configurations, extractions, log }: ActivityDependencies,
  { connector, configurationFile }: CheckRequest,
  report: Report,
): Promise<CheckFact[]> {
  const { configuration } = await configurations.read(configurationFile ?? undefined);
  const settings = configuration.connectors.get(connector);
  if (!settings) {
    throw new LockstepError('NotFound', `the worker’s configuration has no connector ${connector}`);
  }
  const place = await createExtraction(extractions, connector, currentJob().jobId);
  const signal = cancellationSignal();
  try {
    const exported = await exportEach(configuration, settings, place.directory, report);
    const mappings = [
      ...configuration.entityTypes.values(),
      ...configuration.associations.values(),
    ].filter((each) => each.connector === connector);
    const sources = mappings.flatMap((mapping) => {
      const file = exported.files.get(mapping.source.name);
      return file ? [{ mapping, ...file }] : [];
    });
    const columns = await Promise.all(
      sources.map(({ mapping, ...file }) => headerFacts(mapping, file)),
    );
    const facts = [...exported.facts, ...columns.flat()];
    if (!facts.every(isFine)) return [...facts, { fact: 'data-passed-over' }];
    let done = 0;
    const total = sources.reduce((sum, { file }) => sum + file.bytes, 0);
    const data = await checkData({
      sources,
      entityTypes: configuration.entityTypes,
      unknownKeys: (entityType, keys) => unknownKeys(store, entityType, keys),
      onBytes(bytes) {
        done += bytes;
        report({ done, total, unit: 'bytes' });
      },
      signal,
    });
    return [...facts, ...data];
  } finally {
    await place.discard();
    log.info({ connector }, 'sources checked');
  }
}

/** A header that cannot be read is a fault of its source, not of the look. */
async function headerFacts(mapping: Mapping, file: CheckedFile): Promise<CheckFact[]> {
  try {
    return await columnFacts(mapping, file);
  } catch (error) {
    return [failedSource(file.file.source, error)];
  }
}

interface Exported {
  readonly files: ReadonlyMap<string, CheckedFile>;
  readonly facts: readonly CheckFact[];
}

async function exportEach(
  configuration: Configuration,
  settings: ConnectorSettings,
  directory: string,
  report: Report,
): Promise<Exported> {
  const sources = mappedSources(configuration, settings.name);
  const files = new Map<string, CheckedFile>();
  const facts: CheckFact[] = [];
  const waiting = sources.entries();
  async function work(): Promise<void> {
    for (const [index, source] of waiting) {
      const extraction = String(index);
      await mkdir(join(directory, extraction));
      try {
        const outcome = await exportWatched(createConnector(settings), {
          source,
          directory: join(directory, extraction),
          onProgress: report,
          signal: cancellationSignal(),
        });
        if ('silentSeconds' in outcome) {
          const { silentSeconds: seconds } = outcome;
          facts[index] = { fact: 'source-silent', source: source.name, seconds };
        } else {
          const { file } = outcome;
          files.set(source.name, { root: directory, extraction, file });
          facts[index] = { fact: 'source-read', source: source.name, rows: file.rows };
        }
      } catch (error) {
        facts[index] = failedSource(source.name, error);
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return { files, facts };
}

/** @throws what is no word about the source */
function failedSource(source: string, error: unknown): CheckFact {
  if (!(error instanceof LockstepError)) throw error;
  const { code, message, hint } = error;
  return { fact: 'source-failed', source, code, message, hint };
}
