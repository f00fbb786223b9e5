/** What a connector's store was last loaded from: its extraction and configuration, as far as they are still there. */
import type { Configuration } from '../config/configuration.ts';
import { type Manifest, readManifest } from '../connectors/extraction.ts';
import type { KeyOrigin } from '../engine/diagnosis/evidence.ts';
import type { EntityType } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Thresholds } from '../engine/threshold.ts';
import { manifestDigest } from '../store/extraction-store.ts';
import { pinnedConfiguration } from '../store/job-store.ts';
import { isComplete, lastLoad } from '../store/last-load.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { MappingTask } from './mapping-thread.ts';

/** The last load of a connector; null for what is not there any more, or never was. */
export interface FormerLoad {
  readonly manifest: Manifest | null;
  readonly configuration: Configuration | null;
}

/**
 * Reads what the last complete load of a connector was made from. An extraction of changes alone cannot be held against
 * it.
 */
export async function formerLoad(
  { store, configurations, extractions }: ActivityDependencies,
  { connector, extraction }: { readonly connector: string; readonly extraction: string },
): Promise<FormerLoad> {
  const last = await lastLoad(store, connector);
  if (last === undefined) return { manifest: null, configuration: null };
  return {
    manifest: (await isComplete(store, extraction))
      ? await unlessGone(async () =>
          readManifest(extractions, last.extraction, await manifestDigest(store, last.extraction)),
        )
      : null,
    configuration: await unlessGone(async () =>
      configurations.parse(await pinnedConfiguration(store, last.jobId)),
    ),
  };
}

/** An extraction may have been deleted, and a configuration may need an environment that is gone: neither is a fault. */
async function unlessGone<Result>(read: () => Promise<Result>): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LockstepError) return null;
    throw error;
  }
}

/** What the key of an entity type was at the last load, if the configuration has changed it since. */
export function formerKeyOf(
  entityType: EntityType,
  { configuration }: FormerLoad,
): KeyOrigin | null {
  const before = configuration?.entityTypes.get(entityType.name);
  if (!before) return null;
  const was = keyOrigin(before);
  const is = keyOrigin(entityType);
  return was.property === is.property && was.column === is.column ? null : was;
}

/** Another key than at the last load means other resources, however few: then any change of theirs asks. */
export function limitsAfter(former: FormerLoad, task: MappingTask, own: Thresholds): Thresholds {
  const hasAnotherKey = 'entityType' in task && formerKeyOf(task.entityType, former) !== null;
  return hasAnotherKey ? { ...own, ...nothingUnasked } : own;
}

const nothingUnasked = {
  maximumInsertedLines: 0,
  maximumUpdatedLines: 0,
  maximumDeletedLines: 0,
} as const;

function keyOrigin({ key, properties }: EntityType): KeyOrigin {
  const origin = properties.find(({ name }) => name === key)?.origin;
  return { property: key, column: origin?.from === 'column' ? origin.column : null };
}
