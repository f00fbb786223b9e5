/** The cell that a path of a resource becomes, in an export and when a write is read back. */
import type { AttributePath } from '../../engine/attribute-path.ts';
import { cellAt, type JsonObject } from './attribute-value.ts';
import type { ScimResourceType, ScimService } from './service.ts';

/** The text at a path, as the schema of the resource has it compared; blank where there is no value. */
export function resourceCell(
  resource: JsonObject,
  path: AttributePath,
  { type, service }: { readonly type: ScimResourceType; readonly service: ScimService },
): string {
  const cell = cellAt(resource, path, type.schema?.isCaseExact(path));
  return isLocation(path) ? absolute(cell, service) : cell;
}

function isLocation({ attribute, subAttribute }: AttributePath): boolean {
  const part = subAttribute?.toLowerCase();
  return part === '$ref' || (attribute.toLowerCase() === 'meta' && part === 'location');
}

/** Services may tell a place relative to their host, or to their own endpoint. */
function absolute(location: string, { base }: ScimService): string {
  if (location === '') return location;
  const isWithin = location.startsWith('/') && !location.startsWith(`${new URL(base).pathname}/`);
  return URL.parse(isWithin ? `${base}${location}` : location, `${base}/`)?.href ?? location;
}
