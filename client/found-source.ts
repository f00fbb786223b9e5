/** Where the row of a key is: in what was loaded last, and in what was exported since. */
import { type Configuration, parseConfiguration } from '../config/configuration.ts';
import { readManifest } from '../connectors/extraction.ts';
import type { EntityType } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import type { SourcePlace } from '../engine/source-part.ts';
import type { StoredEntityType } from '../store/queries/entity-types.ts';
import {
  connectorOf,
  type Load,
  lastLoads,
  unloadedExtraction,
} from '../store/queries/provenance.ts';
import type { HistoryEntry } from '../store/queries/resource-history.ts';
import type { Session } from './session.ts';
import { type FoundRecords, findRecords } from './source-record.ts';

/** Where the row of a resource was looked for. */
export interface ExplainedSource {
  readonly connector: string;
  /** The job that loaded it, when, and from which extraction. */
  readonly job: string;
  readonly at: string;
  readonly extraction: string;
  /** Name of the source that the entity type is read from. */
  readonly source: string;
  /** Where the rows are that have the key, the first ones. */
  readonly places: readonly SourcePlace[];
  /** Why there is no row to show; null when there is one. */
  readonly missing: string | null;
}

/** The rows of a key, in what was loaded and in what was exported since. */
export interface FoundSource {
  readonly source: ExplainedSource;
  readonly configuration: Configuration | undefined;
  readonly entityType: EntityType | undefined;
  /** Whether lockstep.yaml maps the entity type as it did when it was loaded; undefined when it cannot be read. */
  readonly isMappedAsToday: boolean | undefined;
  readonly loaded: FoundRecords;
  readonly newer: {
    readonly extraction: string;
    readonly job: string;
    readonly state: string;
    readonly records: FoundRecords;
  } | null;
}

const noRecords: FoundRecords = { rows: [], total: 0 };

/**
 * Looks through the loads of the connector, newest first, for one that had a row of the key.
 *
 * @returns undefined when nothing was loaded yet, or the entity type has no connector
 */
export async function findSource(
  session: Session,
  type: StoredEntityType,
  key: string,
  changes: readonly HistoryEntry[],
): Promise<FoundSource | undefined> {
  const store = await session.store();
  const connector = await connectorOf(store, type);
  if (connector === null) return undefined;
  const loads = await lastLoads(store, connector);
  const today = await session.configuration().catch(() => undefined);
  const search = async (
    load: Omit<Load, 'configuration' | 'mode' | 'at'>,
    entityType: EntityType,
  ) => {
    const { extractions: root } = session.settings;
    const manifest = await readManifest(root, load.extraction, load.manifestSha256);
    const line = changes.find(({ job }) => job === load.job)?.line ?? null;
    return await findRecords({ root, manifest, entityType, key, line });
  };
  let result: Omit<FoundSource, 'newer'> | undefined;
  for (const load of loads) {
    const configuration = configurationOf(session, load) ?? today;
    const entityType = configuration?.entityTypes.get(type.name);
    const place = {
      connector,
      job: load.job,
      at: load.at,
      extraction: load.extraction,
      source: entityType?.source.name ?? '',
    };
    const common = {
      configuration,
      entityType,
      isMappedAsToday: today && isSame(entityType, today.entityTypes.get(type.name)),
    };
    const nothing = (missing: string) => ({
      ...common,
      source: { ...place, places: [], missing },
      loaded: noRecords,
    });
    if (!entityType) {
      result ??= nothing('the configuration of that job cannot be read here');
      continue;
    }
    try {
      const loaded = await search(load, entityType);
      const places = loaded.rows.map((row) => row.place);
      const isByExpression = originOfKey(entityType) === 'expression';
      const why = isByExpression
        ? 'its key is made by an expression, and no kept change says on which line it was'
        : 'no row of it has this key';
      const missing = loaded.total === 0 ? why : null;
      result = { ...common, source: { ...place, places, missing }, loaded };
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      // What cannot be read cannot be passed by: an older row would be told as the last one.
      result = nothing(
        `${error.message} (extractions are kept by the worker; this is ${session.settings.extractions})`,
      );
      break;
    }
    if (result.loaded.total > 0) break;
  }
  if (!result) return undefined;
  return { ...result, newer: await findNewer() };

  async function findNewer(): Promise<FoundSource['newer']> {
    const newer = await unloadedExtraction(
      store,
      connector as string,
      loads[0]?.extraction ?? null,
    );
    const entityType = today?.entityTypes.get(type.name) ?? result?.entityType;
    if (!newer || !entityType) return null;
    const { extraction, job, state } = newer;
    // It says what may come; when it cannot be read, nothing is lost.
    const records = await search(newer, entityType).catch(() => noRecords);
    return { extraction, job, state, records };
  }
}

/** The configuration a job ran with; undefined when it lacks the environment for it here. */
function configurationOf(session: Session, { configuration }: Load): Configuration | undefined {
  if (configuration === null) return undefined;
  try {
    return parseConfiguration(configuration, session.environment);
  } catch {
    return undefined;
  }
}

function originOfKey({ key, properties }: EntityType): 'column' | 'expression' | undefined {
  return properties.find(({ name }) => name === key)?.origin.from;
}

const isSame = (one: EntityType | undefined, other: EntityType | undefined) =>
  JSON.stringify([one?.source, one?.key, one?.properties]) ===
  JSON.stringify([other?.source, other?.key, other?.properties]);
