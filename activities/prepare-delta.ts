/** Prepares the delta of a job: reads its extraction, maps what is new, compares, counts, and judges the limits. */
import { cancellationSignal } from '@temporalio/activity';
import type { ConnectorSettings } from '../config/configuration.ts';
import { DriftError } from '../engine/diagnosis/drift.ts';
import type { Session } from '../store/database.ts';
import {
  closeDelta,
  compareLinks,
  compareResources,
  type DeltaSummary,
  discardDeltas,
  openDelta,
} from '../store/delta-store.ts';
import {
  isSimulated,
  pinnedConfiguration,
  recordDiagnoses,
  recordStep,
} from '../store/job-store.ts';
import { readModel, type StoredModel } from '../store/model-store.ts';
import type { Plan } from '../store/plan.ts';
import { recordRejects, supplyLines, wantedLines } from '../store/plan-rejects.ts';
import { untouchedSources } from '../store/scope-source.ts';
import { SessionsBeside } from '../store/sessions-beside.ts';
import {
  keepConfigurationChanges,
  keepProvisional,
  simulateModel,
} from '../store/simulated-model.ts';
import { createStaging } from '../store/staging.ts';
import { readChanges } from './change-reading.ts';
import { diagnoseOlder } from './chosen-extraction.ts';
import { changesSince } from './configuration-changes.ts';
import { currentJob } from './current-job.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { findCauses } from './diagnosis.ts';
import { findDrift, stopAtTypeChanges, withStoredKinds } from './drift.ts';
import { formerLoad } from './former-load.ts';
import { judge } from './judge-delta.ts';
import { type MappedSource, sourcesOf } from './mapped-source.ts';
import type { Report } from './pulse.ts';
import { RecordMapper } from './record-mapper.ts';
import { allEnded } from './shared-session.ts';
import { type ReadOptions, readSource, type SourceReading } from './source-reading.ts';
import { untouchedExtraction } from './untouched-extraction.ts';

export interface PrepareRequest {
  readonly connector: string;
  readonly extraction: string;
  /** Made by an earlier job, so that it may have been touched since. */
  readonly kept?: boolean;
}

/**
 * Prepares the delta in one transaction: a worker that dies leaves nothing, and a retry starts over.
 *
 * Every source's header is checked before the first comparison.
 */
export async function prepareDelta(
  dependencies: ActivityDependencies,
  request: PrepareRequest,
  report: Report,
): Promise<DeltaSummary> {
  const { store, configurations, extractions, log } = dependencies;
  const { jobId } = currentJob();
  await recordStep(store, jobId, 'prepare', 'running');
  const configuration = configurations.parse(await pinnedConfiguration(store, jobId));
  const simulated = await isSimulated(store, jobId);
  const manifest = await untouchedExtraction({ store, extractions }, request.extraction, {
    thoroughly: request.kept ?? false,
  });
  const { connector } = request;
  const readBy = async (model: StoredModel) => {
    const found = await sourcesOf(configuration, connector, manifest, model, extractions);
    return { model, sources: await withStoredKinds(store, found) };
  };
  const known = simulated ? undefined : await readBy(await readModel(store, configuration));
  const former = await formerLoad(dependencies, request);
  const backInTime = request.kept ? await diagnoseOlder(store, request) : [];
  const mapper = new RecordMapper();
  try {
    await store.transaction('read committed', (session) => discardDeltas(session, jobId));
    const summary = await store.transaction(
      'repeatable read',
      async (session) => {
        const { model, sources } =
          known ?? (await readBy(await simulateModel(session, configuration)));
        await createStaging(session);
        const deltaId = await openDelta(session, jobId, request.extraction);
        await using beside = new SessionsBeside(store);
        const navigations = [...model.navigations.values()];
        const { rows, links } = await readSources(session, sources, mapper, {
          untouched: await untouchedSources(session),
          former: former.manifest,
          deltaId,
          navigations,
          beside,
          signal: cancellationSignal(),
          onProgress: report,
        });
        const readings = [...rows, ...links];
        const plan: Plan = {
          session,
          jobId,
          deltaId,
          connector,
          entityTypes: rows.map(comparisonOf),
          associations: links.map(comparisonOf),
          navigations,
        };
        await compareLinks(plan);
        for (const [scope, digests] of await wantedLines(session)) {
          const reading = readings.find(({ comparison }) => comparison.scope === scope);
          if (!reading) continue;
          const found = await reading.linesOf(digests, cancellationSignal());
          await supplyLines(session, reading.comparison, found);
        }
        const columns = readings.map(({ comparison, source }) => [
          comparison.scope,
          source.columnNames,
        ]);
        await recordRejects(plan, Object.fromEntries(columns));
        const judged = await judge(
          plan,
          readings,
          configuration,
          configuration.connectors.get(connector) as ConnectorSettings,
          former,
        );
        const drift = await findDrift(plan, judged.sources, former);
        const causes = await findCauses(plan, judged, former, cancellationSignal());
        stopAtTypeChanges(drift, causes, judged.delta.breaches.length > 0);
        if (simulated) await keepProvisional(session, deltaId);
        await keepConfigurationChanges(
          session,
          deltaId,
          changesSince(former, configuration, connector),
        );
        return await closeDelta(
          plan,
          judged.delta,
          [...backInTime, ...causes, ...drift.noted],
          judged.changes,
        );
      },
      cancellationSignal(),
    );
    await recordStep(store, jobId, 'prepare', 'succeeded');
    log.info({ job: jobId, counts: summary.counts, breaches: summary.breaches.length }, 'prepared');
    return summary;
  } catch (error) {
    if (error instanceof DriftError) await recordDiagnoses(store, jobId, error.diagnoses);
    throw error;
  } finally {
    await mapper.close();
  }
}

interface SourceReadings {
  readonly rows: readonly SourceReading[];
  readonly links: readonly SourceReading[];
}

/** Reads all sources, and has PostgreSQL compare the resources while the links are read. */
async function readSources(
  session: Session,
  sources: readonly MappedSource[],
  mapper: RecordMapper,
  options: ReadOptions,
): Promise<SourceReadings> {
  const read = async (kind: MappedSource['kind']) => {
    const all: SourceReading[] = [];
    for (const source of sources.filter((each) => each.kind === kind)) {
      const readFile = source.file.since === undefined ? readSource : readChanges;
      all.push(await readFile(session, source, mapper, options));
    }
    return all;
  };
  const rows = await read('rows');
  const entityTypes = rows.map(comparisonOf);
  const [, links] = await allEnded([
    compareResources({ session, deltaId: options.deltaId, entityTypes }),
    read('links'),
  ] as const);
  return { rows, links };
}

const comparisonOf = ({ comparison }: SourceReading) => comparison;
