/** Whether a resource is what a write wanted, compared as the schema of the service says. */
import { parseAttributePath } from '../../engine/attribute-path.ts';
import type { MembersWrite } from '../writer.ts';
import { type AttributeEdit, elementsOf } from './attribute-edit.ts';
import { asElement, attributeOf, type JsonObject, memberOf } from './attribute-value.ts';
import { resourceCell } from './resource-cell.ts';
import type { ScimResourceType, ScimService } from './service.ts';

/** Where a resource is. */
export interface ResourcePlace {
  readonly service: ScimService;
  readonly type: ScimResourceType;
}

/** The edits whose value is not there. */
export function unmetEdits(
  resource: JsonObject,
  edits: readonly AttributeEdit[],
  place: ResourcePlace,
): AttributeEdit[] {
  return edits.filter((edit) => !isMet(resourceCell(resource, edit.path, place), edit));
}

function isMet(cell: string, { value, part }: AttributeEdit): boolean {
  if (value === null) return cell === '';
  const wanted = wantedCell(value);
  if (cell === wanted) return true;
  if (cell === '') return false;
  const type = part?.type ?? '';
  if (type === 'boolean' || typeof value === 'boolean') {
    return cell.toLowerCase() === wanted.toLowerCase();
  }
  if (type === 'datetime') return Date.parse(cell) === Date.parse(wanted);
  if (type === 'integer' || type === 'decimal') return Number(cell) === Number(wanted);
  return part?.isCaseExact === false && cell.toLowerCase() === wanted.toLowerCase();
}

/** The cell that an export makes of it. */
function wantedCell(value: NonNullable<AttributeEdit['value']>): string {
  if (!Array.isArray(value)) return String(value);
  const different = [...new Set(value.map(String))].sort();
  return different.length > 1 ? JSON.stringify(different) : (different[0] ?? '');
}

/** The ids that an attribute of members holds. */
function memberIds(resource: JsonObject, attribute: string): Set<string> {
  const elements = elementsOf(attributeOf(resource, parseAttributePath(attribute)));
  return new Set(elements.map((element) => memberId(asElement(element))));
}

/** A member without a value is told by its address alone. */
export function memberId(element: JsonObject): string {
  const value = memberOf(element, 'value');
  if (typeof value === 'string' && value !== '') return value;
  const [id = ''] = String(memberOf(element, '$ref') ?? '')
    .split('/')
    .slice(-1);
  return decodeURIComponent(id);
}

/** The members that have yet to come and to go; attributes without any are left out. */
export function unmetMembers(
  resource: JsonObject,
  members: readonly MembersWrite[],
): MembersWrite[] {
  return members
    .map(({ attribute, added, removed }) => {
      const present = memberIds(resource, attribute);
      return {
        attribute,
        added: added.filter((id) => !present.has(id)),
        removed: removed.filter((id) => present.has(id)),
      };
    })
    .filter(({ added, removed }) => added.length + removed.length > 0);
}
