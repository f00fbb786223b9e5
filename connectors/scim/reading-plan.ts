/** What an export reads of each resource type: everything, or what changed since the cursors of its sources. */
import { type AttributePath, parseAttributePath } from '../../engine/attribute-path.ts';
import type { Mode } from '../../engine/job.ts';
import { effectsOf } from '../../engine/scim-quirk.ts';
import type { ScimSettings } from '../../engine/scim-settings.ts';
import { isId } from './key-index.ts';
import { digestOfSource, positionOf } from './last-modified.ts';
import { type OpenSource, targetsOf } from './open-sources.ts';
import { isMembersSource } from './row-source.ts';
import type { ScimResourceType, ScimService } from './service.ts';

/** What an export was asked for. */
export interface PlanRequest {
  readonly mode: Mode;
  readonly cursors?: ReadonlyMap<string, string> | undefined;
}

/** How the resources of one type are read. */
export interface TypePlan {
  /**
   * Paths that may hold the same key in two resources, which are both needed when one of them changed. Undefined when
   * changes of this type cannot be told, so that it leaves no cursor.
   */
  readonly sharedKeys: readonly AttributePath[] | undefined;
  /** Where it begins, in ms; undefined: everything is read. */
  readonly since: number | undefined;
}

/** @returns resource type → plan, also for types that are read only because others refer to them */
export function planReading(
  service: ScimService,
  settings: Pick<ScimSettings, 'incremental' | 'quirks'>,
  sources: readonly OpenSource[],
  request: PlanRequest,
): Map<string, TypePlan> {
  const plans = new Map<string, TypePlan>();
  for (const name of new Set(sources.map(({ type }) => type))) {
    const own = sources.filter(({ type }) => type === name);
    const sharedKeys = sharedKeysOf(service, settings, service.resourceType(name), own);
    const since = sharedKeys && sinceOf(service, settings, own, request);
    plans.set(name, { sharedKeys, since });
  }
  // What is read completely may refer to any resource of another type, whose key has to be known then.
  const waiting = sources.filter(({ type }) => plans.get(type)?.since === undefined);
  for (const { source } of waiting) {
    for (const { resourceType, key } of targetsOf(source)) {
      const plan = plans.get(resourceType);
      if (isId(key) || (plan !== undefined && plan.since === undefined)) continue;
      plans.set(resourceType, { sharedKeys: plan?.sharedKeys, since: undefined });
      waiting.push(...sources.filter(({ type }) => type === resourceType));
    }
  }
  return plans;
}

function sharedKeysOf(
  { capabilities }: ScimService,
  { incremental, quirks }: Pick<ScimSettings, 'incremental' | 'quirks'>,
  { schema }: ScimResourceType,
  sources: readonly OpenSource[],
): AttributePath[] | undefined {
  if (incremental === undefined || !capabilities.filter) return undefined;
  const keepLastModified = effectsOf(quirks).membersKeepLastModified === true;
  const texts = new Set<string>();
  for (const { source } of sources) {
    if (isMembersSource(source)) {
      if (keepLastModified) return undefined;
      texts.add(source.options.holder);
    } else {
      const { keys } = source.options as { readonly keys?: readonly string[] };
      if (keys === undefined) return undefined;
      for (const key of keys) texts.add(key);
    }
  }
  const shared = [...texts]
    .filter((text) => !isId(text))
    .map(parseAttributePath)
    .filter((path) => schema?.isUnique(path) !== true);
  return shared.some(({ filter }) => filter !== undefined) ? undefined : shared;
}

/** The earliest of the cursors, less the overlap; undefined when one of the sources has none. */
function sinceOf(
  { base }: ScimService,
  { incremental }: Pick<ScimSettings, 'incremental'>,
  sources: readonly OpenSource[],
  { mode, cursors }: PlanRequest,
): number | undefined {
  if (mode !== 'incremental' || incremental === undefined) return undefined;
  const positions = sources.map(({ source }) =>
    positionOf(cursors?.get(source.name), digestOfSource(base, source)),
  );
  const earliest = positions.reduce((one, other) =>
    one === undefined || other === undefined ? undefined : Math.min(one, other),
  );
  return earliest === undefined ? undefined : earliest - incremental.overlapSeconds * 1000;
}
