/** By what the resources of a SCIM service are known, where others refer to them by their id. */
import { type AttributePath, parseAttributePath } from '../../engine/attribute-path.ts';
import type { ScimTarget } from '../../engine/source.ts';
import { cellAt, type JsonObject, memberOf } from './attribute-value.ts';

/** The keys of some resource types, as one export reads them. A key that is the id itself takes no room. */
export class KeyIndex {
  readonly #keys = new Map<string, { readonly path: AttributePath; byId: Map<string, string> }>();
  readonly #targets: readonly ScimTarget[];

  constructor(targets: readonly ScimTarget[]) {
    this.#targets = targets.filter(({ key }) => !isId(key));
    for (const target of this.#targets) {
      this.#keys.set(nameOf(target), { path: parseAttributePath(target.key), byId: new Map() });
    }
  }

  /** The paths of keys of a resource type. */
  pathsOf(resourceType: string): string[] {
    const own = this.#targets.filter((target) => target.resourceType === resourceType);
    return own.map(({ key }) => key);
  }

  /** Notes what a resource is known by. */
  add(resourceType: string, resource: JsonObject): void {
    for (const target of this.#targets) {
      if (target.resourceType !== resourceType) continue;
      const known = this.#keys.get(nameOf(target));
      known?.byId.set(String(memberOf(resource, 'id')), cellAt(resource, known.path));
    }
  }

  /** False where nothing has to be looked up, or it was. */
  lacks(target: ScimTarget, id: string): boolean {
    return !isId(target.key) && !this.#keys.get(nameOf(target))?.byId.has(id);
  }

  /** The key of the resource of this id; undefined when none of the type has it. */
  keyOf(target: ScimTarget, id: string): string | undefined {
    return isId(target.key) ? id : this.#keys.get(nameOf(target))?.byId.get(id);
  }
}

/** True for the key that needs no look-up. */
export function isId(path: string): boolean {
  return path.toLowerCase() === 'id';
}

function nameOf({ resourceType, key }: ScimTarget): string {
  return `${resourceType} ${key}`;
}
