/** What a person changes of what is managed by us, and what becomes of the resource by it. */
import { authorityRefusal } from './authority.ts';
import { referenceScope } from './entity-type.ts';
import { LockstepError } from './errors.ts';
import { managedProblems } from './managed-resource.ts';
import { localAuthority, type ManagedAssociation, type ManagedType } from './managed-type.ts';
import type { Value } from './value-format.ts';

/** One edit of one resource, or of one link. */
export type Edit =
  | {
      /** Creates the resource when there is none. */
      readonly action: 'set';
      readonly key: string;
      /** Property → value; null: it has none from now on. Of a reference: the key of its target. */
      readonly values: Readonly<Record<string, Value | null>>;
    }
  | { readonly action: 'delete'; readonly key: string }
  | {
      readonly action: 'link' | 'unlink';
      readonly key: string;
      /** A navigation property of either end, as `show` names it. */
      readonly property: string;
      /** Key of the resource at the other end. */
      readonly other: string;
    };

/** A navigation property between managed entity types, seen from one of its ends. */
export interface ManagedEnd {
  readonly scope: string;
  /** The property's own name, at its `from` end. */
  readonly property: string;
  readonly from: string;
  readonly to: string;
  /** Whether the resources of the entity type it is seen from are its `from` end. */
  readonly isFrom: boolean;
  /** It is a reference: at most one target for each resource at its `from` end. */
  readonly isReference: boolean;
}

/** Everything that is managed by us. */
export interface ManagedModel {
  readonly managedTypes: ReadonlyMap<string, ManagedType>;
  readonly managedAssociations: ReadonlyMap<string, ManagedAssociation>;
}

/** The navigation properties of a managed entity type, by the names that `show` gives them. */
export function managedEnds(
  { managedTypes, managedAssociations }: ManagedModel,
  entityType: string,
): Map<string, ManagedEnd> {
  const ends = new Map<string, ManagedEnd>();
  for (const type of managedTypes.values()) {
    for (const property of type.properties) {
      if (property.kind !== 'reference') continue;
      const scope = referenceScope(type.name, property.name);
      const [from, to] = [type.name, property.references];
      const end = { scope, property: property.name, from, to, isReference: true };
      if (from === entityType) ends.set(property.name, { ...end, isFrom: true });
      if (to === entityType) ends.set(scope, { ...end, isFrom: false });
    }
  }
  for (const { name, from, to } of managedAssociations.values()) {
    const property = from.property;
    const both = { scope: name, property, from: from.entityType, to: to.entityType };
    const end = { ...both, isReference: false };
    if (from.entityType === entityType) ends.set(property, { ...end, isFrom: true });
    if (to.entityType === entityType) ends.set(to.property, { ...end, isFrom: false });
  }
  return ends;
}

/** A managed resource as it is stored. */
export interface StoredManaged {
  readonly attributes: Readonly<Record<string, Value>>;
  /** Property → key of the target. */
  readonly references: Readonly<Record<string, string>>;
  /** Property → who set it, of those with an authority. */
  readonly origins: Readonly<Record<string, string>>;
}

/** A managed resource as an edit leaves it. */
export interface EditedManaged extends Omit<StoredManaged, 'origins'> {
  /** The properties whose value is another one than before. */
  readonly changed: readonly string[];
}

const nothing: StoredManaged = { attributes: {}, references: {}, origins: {} };

/**
 * What becomes of a resource by an edit.
 *
 * @param stored undefined when there is no such resource: it is created
 * @throws LockstepError `ResourceInvalid`, `ResourceProtected` or `AuthorityRefused`, none of which holds a value
 */
export function editedResource(
  type: ManagedType,
  stored: StoredManaged | undefined,
  { key, values }: Pick<Extract<Edit, { action: 'set' }>, 'key' | 'values'>,
): EditedManaged {
  const before = stored ?? nothing;
  const attributes = declared(type, before.attributes);
  const references: Record<string, Value> = { ...before.references };
  const newKey = values[type.key];
  if (newKey !== undefined && newKey !== key) {
    throw new LockstepError(
      'ResourceInvalid',
      `${type.key} is the key of ${type.name}, and a key does not change`,
      { hint: `Create the resource under its new key, and delete the old one.` },
    );
  }
  attributes[type.key] = key;
  for (const [name, value] of Object.entries(values)) {
    const isReference = type.properties.some(
      (each) => each.name === name && each.kind === 'reference',
    );
    const place = isReference ? references : attributes;
    if (value === null) delete place[name];
    else place[name] = value;
  }
  refuseProblems(type, { attributes, references });
  const had: Readonly<Record<string, unknown>> = { ...before.attributes, ...before.references };
  const has: Readonly<Record<string, unknown>> = { ...attributes, ...references };
  const changed = type.properties.map(({ name }) => name).filter((name) => had[name] !== has[name]);
  if (stored && changed.length > 0) refuseProtected(type, key);
  for (const name of changed) refuseWithoutAuthority(type, name, before);
  return { attributes, references: references as Record<string, string>, changed };
}

/** Without what the configuration declares no longer: the first edit takes it along. */
function declared(
  { properties }: ManagedType,
  attributes: StoredManaged['attributes'],
): Record<string, Value> {
  const names = new Set(properties.flatMap(({ kind, name }) => (kind === 'scalar' ? [name] : [])));
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => names.has(name)));
}

/** @throws LockstepError `ResourceProtected` */
export function refuseProtected(type: ManagedType, key: string): void {
  if (!type.protected.includes(key)) return;
  throw new LockstepError('ResourceProtected', `this ${type.name} is protected`, {
    hint: `It stands in \`protected\` of ${type.name} in lockstep.yaml.`,
  });
}

function refuseProblems(type: ManagedType, resource: Parameters<typeof managedProblems>[1]): void {
  const problems = managedProblems(type, resource);
  if (problems.length === 0) return;
  const list = problems.map(({ property, problem }) => `${property} ${problem}`).join('; ');
  throw new LockstepError('ResourceInvalid', `this ${type.name} cannot be stored: ${list}`);
}

function refuseWithoutAuthority(type: ManagedType, name: string, before: StoredManaged): void {
  const authority = type.properties.find((each) => each.name === name)?.authority ?? null;
  const hasValue = Object.hasOwn(before.attributes, name) || Object.hasOwn(before.references, name);
  const origin = hasValue ? before.origins[name] : undefined;
  const refusal = authorityRefusal({ authority, origin, by: localAuthority });
  if (refusal === undefined) return;
  const said =
    refusal === 'not named'
      ? `${name} of ${type.name} is not for people to set: its authority is ${authority?.join(', ')}`
      : `${name} of this ${type.name} was set by ${origin}, which stands before people (${localAuthority})`;
  const who = refusal === 'not named' ? authority?.join(' or ') : origin;
  throw new LockstepError('AuthorityRefused', said, {
    hint: `Change it in ${who}, or give \`${localAuthority}\` its place in \`authority\` of ${name}.`,
  });
}
