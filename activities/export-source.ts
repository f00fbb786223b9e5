/** Exports the sources of a connector into an extraction. */
import { cancellationSignal } from '@temporalio/activity';
import type { Configuration, ConnectorSettings } from '../config/configuration.ts';
import { createExtraction, keptFiles } from '../connectors/extraction.ts';
import { createConnector } from '../connectors/registry.ts';
import type { Mode } from '../engine/job.ts';
import type { Source } from '../engine/source.ts';
import { newestExtraction, recordExtraction } from '../store/extraction-store.ts';
import { pinnedConfiguration, recordStep } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { Report } from './pulse.ts';

/** An extraction in numbers. */
export interface ExportInfo {
  readonly extraction: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Exports every mapped source of a connector. A retry starts over: an extraction is whole or not there. */
export async function exportSource(
  { store, configurations, extractions, log }: ActivityDependencies,
  request: { readonly connector: string; readonly mode: Mode },
  report: Report,
): Promise<ExportInfo> {
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'export', 'running');
  const configuration = configurations.parse(await pinnedConfiguration(store, jobId));
  const settings = configuration.connectors.get(request.connector) as ConnectorSettings;
  const extraction = await createExtraction(extractions, request.connector, jobId);
  try {
    const files = await createConnector(settings).export({
      mode: request.mode,
      sources: mappedSources(configuration, request.connector),
      kept: await keptFiles(extractions, await newestExtraction(store, request.connector)),
      directory: extraction.directory,
      onProgress: report,
      signal: cancellationSignal(),
    });
    const { manifest, sha256 } = await extraction.complete(files);
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    await recordExtraction(store, {
      id: manifest.id,
      connector: request.connector,
      jobId,
      mode: request.mode,
      createdAt: new Date(manifest.createdAt),
      rows,
      bytes,
      manifestSha256: sha256,
    });
    await recordStep(store, jobId, 'export', 'succeeded');
    log.info({ job: jobId, extraction: manifest.id, rows, bytes }, 'exported');
    return { extraction: manifest.id, rows, bytes };
  } catch (error) {
    await extraction.discard();
    throw error;
  }
}

/** The sources that entity types and associations of a connector are mapped to, each once. */
export function mappedSources(configuration: Configuration, connector: string): Source[] {
  const mapped = [...configuration.entityTypes.values(), ...configuration.associations.values()];
  const sources = mapped
    .filter((each) => each.connector === connector)
    .map(({ source }) => [source.name, source] as const);
  return [...new Map(sources).values()];
}
