/** Exports the sources of a connector into an extraction. */
import { cancellationSignal } from '@temporalio/activity';
import type { Configuration, ConnectorSettings } from '../config/configuration.ts';
import { createExtraction, keptFiles } from '../connectors/extraction.ts';
import { createConnector } from '../connectors/registry.ts';
import { blankSource } from '../engine/diagnosis/blank-source.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Mode } from '../engine/job.ts';
import type { Source } from '../engine/source.ts';
import { manifestDigest, newestExtraction, recordExtraction } from '../store/extraction-store.ts';
import { pinnedConfiguration, recordDiagnoses, recordStep } from '../store/job-store.ts';
import { currentJob } from './current-job.ts';
import { sharedCursors } from './cursors.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { removeOldExtractions } from './extraction-retention.ts';
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
  const newest = await newestExtraction(store, request.connector);
  const digest = newest === null ? null : await manifestDigest(store, newest);
  const extraction = await createExtraction(extractions, request.connector, jobId);
  try {
    const files = await createConnector(settings).export({
      mode: request.mode,
      sources: mappedSources(configuration, request.connector),
      cursors: await sharedCursors(store, configuration, request.connector),
      kept: await keptFiles(extractions, newest, digest),
      directory: extraction.directory,
      onProgress: report,
      signal: cancellationSignal(),
    });
    const { manifest, sha256 } = await extraction.complete(files, request.mode);
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
    await cleanUp(settings);
    return { extraction: manifest.id, rows, bytes };
  } catch (error) {
    await extraction.discard();
    if (error instanceof LockstepError && error.code === 'SourceEmpty') {
      await recordDiagnoses(store, jobId, [blankSource(request.connector, error.message)]);
    }
    throw error;
  }

  /** Who makes extractions removes the old ones, a few at a time. Whether that succeeds is not this job's concern. */
  async function cleanUp({ name, keepExtractionsDays }: ConnectorSettings): Promise<void> {
    if (keepExtractionsDays === null) return;
    const before = new Date(Date.now() - keepExtractionsDays * dayMs);
    const retention = { connector: name, before, actor: jobId, limit: removedAtOnce };
    try {
      const removed = await removeOldExtractions({ store, extractions }, retention);
      if (removed > 0) log.info({ job: jobId, removed }, 'removed old extractions');
    } catch (error) {
      const { name: kind, code } = error as NodeJS.ErrnoException;
      log.warn({ job: jobId, kind, code }, 'old extractions could not be removed');
    }
  }
}

const dayMs = 24 * 3_600_000;

/** More than one for each that is made: a backlog shrinks. */
const removedAtOnce = 20;

/** The sources that entity types and associations of a connector are mapped to, each once. */
export function mappedSources(configuration: Configuration, connector: string): Source[] {
  const mapped = [...configuration.entityTypes.values(), ...configuration.associations.values()];
  const sources = mapped
    .filter((each) => each.connector === connector)
    .map(({ source }) => [source.name, source] as const);
  return [...new Map(sources).values()];
}
