/** The bodies of writes, in the words of the service's version. */
import { parseAttributePath } from '../../engine/attribute-path.ts';
import type { MembersWrite } from '../writer.ts';
import { type AttributeEdit, edited, elementsOf, withElements } from './attribute-edit.ts';
import { attributeOf, type JsonObject, memberOf } from './attribute-value.ts';
import { changedMembers, memberOperations } from './member-changes.ts';
import { olderPatch } from './older-patch.ts';
import { operationsFor, operationsUnseen } from './patch-operations.ts';
import type { ScimResourceType, ScimService } from './service.ts';

const olderCore = 'urn:scim:schemas:core:1.0';
const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const bulkSchema = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';

/** What is to be changed. */
export interface Changes {
  readonly edits: readonly AttributeEdit[];
  readonly members: readonly MembersWrite[];
}

interface Place {
  readonly type: ScimResourceType;
  readonly service: ScimService;
}

/** A new resource. */
export function creation({ edits, members }: Changes, place: Place): JsonObject {
  const resource = withMembers(edited({}, edits), members);
  return { schemas: schemasOf(resource, [], place), ...resource };
}

/** A resource as it is to be: what is not ours as it was, what only the service sets left out. */
export function replacement(
  current: JsonObject,
  { edits, members }: Changes,
  place: Place,
): JsonObject {
  const readOnly = ['meta', ...(place.type.schema?.readOnly ?? [])].map((each) =>
    each.toLowerCase(),
  );
  const own = Object.entries(current).filter(
    ([name]) => name.toLowerCase() === 'id' || !readOnly.includes(name.toLowerCase()),
  );
  const resource = withMembers(edited(Object.fromEntries(own), edits), members);
  const schemas = elementsOf(memberOf(current, 'schemas')).map(String);
  return { ...resource, schemas: schemasOf(resource, schemas, place) };
}

/**
 * The body of a PATCH.
 *
 * @param current undefined when it is not known what is there
 */
export function patch(
  current: JsonObject | undefined,
  { edits, members }: Changes,
  { service }: Place,
  removesFirst: boolean,
): JsonObject {
  if (service.version === '1.1') {
    return { schemas: [olderCore], ...olderPatch(current ?? {}, edits, members) };
  }
  const operations =
    current === undefined
      ? operationsUnseen(edits)
      : operationsFor(current, edits, { removesFirst });
  return { schemas: [patchSchema], Operations: [...operations, ...memberOperations(members)] };
}

/** Several operations at once; one that fails stops no other. */
export function bulkRequest(operations: readonly JsonObject[]): JsonObject {
  return { schemas: [bulkSchema], Operations: operations };
}

function withMembers(resource: JsonObject, members: readonly MembersWrite[]): JsonObject {
  return members.reduce((holder, change) => {
    const path = parseAttributePath(change.attribute);
    const present = elementsOf(attributeOf(holder, path));
    return withElements(holder, path, changedMembers(present, change));
  }, resource);
}

/** Schemas of which there is an attribute are named. */
function schemasOf(
  resource: JsonObject,
  present: readonly string[],
  { type, service }: Place,
): string[] {
  const core =
    service.version === '1.1'
      ? olderCore
      : (type.urn ?? `urn:ietf:params:scim:schemas:core:2.0:${type.name}`);
  const extensions = Object.keys(resource).filter((name) => /^urn:/i.test(name));
  return [...new Set([...(present.length > 0 ? present : [core]), ...extensions])];
}
