/** Whether a managed resource is as its entity type says. Edits by people and mappings ask the same. */
import { keyProblem, searchProblem } from './key-text.ts';
import type { ManagedProperty, ManagedType } from './managed-type.ts';
import { valueProblem } from './managed-value.ts';

/** A managed resource as it would be. */
export interface ManagedResource {
  /** Property → value, of the scalar ones; without a value: absent. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Property → key of the resource that it refers to, of the single-valued navigation properties; absent without one. */
  readonly references: Readonly<Record<string, unknown>>;
}

/** What is wrong with one property. */
export interface ManagedProblem {
  readonly property: string;
  /** As a reject of it is called. */
  readonly code: 'KeyMissing' | 'ValueInvalid';
  /** Goes on after the property's name, and does not hold its value: `is not a whole number below 2^53`. */
  readonly problem: string;
}

/**
 * Finds what would make a resource other than its entity type allows: properties it does not have, values of another type,
 * a key that identifies nothing, a required property without a value. Whether the resources referred to exist is for the
 * store to say.
 */
export function managedProblems(
  type: ManagedType,
  { attributes, references }: ManagedResource,
): ManagedProblem[] {
  const problems: ManagedProblem[] = [];
  const report = (property: string, problem: string, code: ManagedProblem['code']) =>
    problems.push({ property, problem, code });
  for (const property of type.properties) {
    const isKey = property.name === type.key;
    const place = property.kind === 'reference' ? references : attributes;
    const value = Object.hasOwn(place, property.name) ? place[property.name] : undefined;
    if (value === undefined || value === null) {
      if (isKey) report(property.name, 'has no value, so it identifies nothing', 'KeyMissing');
      else if (property.required) report(property.name, 'is required', 'ValueInvalid');
      continue;
    }
    const problem = propertyProblem(type, property, value);
    if (problem !== undefined) report(property.name, problem, 'ValueInvalid');
  }
  for (const [kind, place] of [
    ['scalar', attributes],
    ['reference', references],
  ] as const) {
    for (const name of Object.keys(place)) {
      const known = type.properties.some((each) => each.name === name && each.kind === kind);
      if (!known) report(name, `is no ${kindNames[kind]} of ${type.name}`, 'ValueInvalid');
    }
  }
  return problems;
}

const kindNames = { scalar: 'scalar property', reference: 'single-valued navigation property' };

function propertyProblem(
  { key, searchable }: ManagedType,
  property: ManagedProperty,
  value: unknown,
): string | undefined {
  const isKey = property.name === key;
  const type = property.kind === 'reference' ? 'string' : property.type;
  const problem = valueProblem(type, value);
  if (problem !== undefined) return problem;
  if (isKey || property.kind === 'reference') return keyProblem(String(value));
  return searchable.includes(property.name) ? searchProblem(String(value)) : undefined;
}
