/** A write with its paths read: what it wants, and what of it a resource does not have. */
import { parseAttributePath } from '../../engine/attribute-path.ts';
import type { QuirkEffects } from '../../engine/scim-quirk.ts';
import type { ResourceWrite, WriteOutcome } from '../writer.ts';
import { editsOf } from './attribute-edit.ts';
import type { ReadResource, ResourceKey } from './resource-access.ts';
import { resourceCell } from './resource-cell.ts';
import { type ResourcePlace, unmetEdits, unmetMembers } from './write-check.ts';
import type { Changes } from './write-message.ts';

export interface WritePlan extends Changes {
  readonly key: ResourceKey;
  /** All that is read back. */
  readonly paths: readonly string[];
}

/** A resource after it was written. */
export interface WrittenResource {
  readonly read: ReadResource;
  /** Paths that are not as they should be. */
  readonly unmet: readonly string[];
}

/**
 * @param readBack the paths that the outcome tells of
 * @throws WriteFailure when the service has no such path
 */
export function planOf(
  { key, members: all, attributes }: Exclude<ResourceWrite, { operation: 'delete' }>,
  place: ResourcePlace,
  readBack: readonly string[],
  effects: Omit<QuirkEffects, 'meaning'>,
): WritePlan {
  const edits = editsOf(attributes, place.type.schema, effects);
  const members = all.filter(({ added, removed }) => added.length + removed.length > 0);
  const written = [...edits.map(({ text }) => text), ...members.map(({ attribute }) => attribute)];
  return { key, edits, members, paths: [...new Set([key.path, ...readBack, ...written])] };
}

/** What is still to be done to a resource. */
export function remaining(
  { resource }: ReadResource,
  { edits, members }: Changes,
  place: ResourcePlace,
): Changes {
  return {
    edits: unmetEdits(resource, edits, place),
    members: unmetMembers(resource, members),
  };
}

/** The paths of a plan that a resource does not fulfil. */
export function unmetPaths(read: ReadResource, plan: WritePlan, place: ResourcePlace): string[] {
  const { edits, members } = remaining(read, plan, place);
  return [...edits.map(({ text }) => text), ...members.map(({ attribute }) => attribute)];
}

/** What became of a write whose resource was read back. */
export function outcomeOf(
  { nth }: ResourceWrite,
  { read, unmet }: WrittenResource,
  readBack: readonly string[],
  place: ResourcePlace,
): WriteOutcome {
  const outcome = { nth, id: read.id, cells: cellsOf(read, readBack, place) };
  return unmet.length === 0
    ? { state: 'applied', ...outcome }
    : { state: 'not-applied', ...outcome, paths: unmet };
}

/** What became of a delete whose resource is not there any more. */
export function goneOutcome({ nth }: ResourceWrite): WriteOutcome {
  return { state: 'applied', nth, id: null, cells: new Map() };
}

/** What these paths hold; those that hold nothing left out. */
export function cellsOf(
  { resource }: ReadResource,
  texts: readonly string[],
  place: ResourcePlace,
): Map<string, string> {
  const cells = texts.map(
    (text) => [text, resourceCell(resource, parseAttributePath(text), place)] as const,
  );
  return new Map(cells.filter(([, cell]) => cell !== ''));
}
