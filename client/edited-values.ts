/** `property=value` as a person types it → values of a managed entity type, each slip named. */
import { didYouMean } from '../config/finding.ts';
import { LockstepError } from '../engine/errors.ts';
import { keyProblem } from '../engine/key-text.ts';
import type { ManagedProperty, ManagedType } from '../engine/managed-type.ts';
import { readManagedValue } from '../engine/managed-value.ts';
import type { Value } from '../engine/value-format.ts';
import type { EditedValues } from './edit.ts';

/**
 * Reads assignments; `property=` clears a value.
 *
 * @param links names of the navigation properties that hold several links, which are not set but linked
 * @throws LockstepError `UsageInvalid` naming property, value and rule
 */
export function readEditedValues(
  type: ManagedType,
  assignments: readonly string[],
  links: readonly string[],
): EditedValues {
  const values: Record<string, Value | null> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) {
      throw new LockstepError('UsageInvalid', `“${assignment}” does not say property=value`, {
        hint: 'Quote a value with blanks: displayName="Jo Doe". Without a value, property=, it is cleared.',
      });
    }
    const name = assignment.slice(0, at).trim();
    const property = requireProperty(type, name, links);
    if (Object.hasOwn(values, name)) {
      throw new LockstepError('UsageInvalid', `${name} is set twice`);
    }
    values[name] = readValue(type, property, assignment.slice(at + 1));
  }
  return values;
}

function requireProperty(
  { name: entityType, properties }: ManagedType,
  name: string,
  links: readonly string[],
): ManagedProperty {
  const property = properties.find((each) => each.name === name);
  if (property) return property;
  if (links.includes(name)) {
    throw new LockstepError('UsageInvalid', `${name} of ${entityType} holds links, not a value`, {
      hint: `Use \`lockstep link ${entityType} <key> ${name} <key>\`, or unlink.`,
    });
  }
  const names = properties.map((each) => each.name);
  throw new LockstepError(
    'UsageInvalid',
    `${entityType} has no property “${name}”${didYouMean(name, names)}`,
    { hint: `It has ${names.join(', ')}.` },
  );
}

function readValue(
  { name: entityType }: ManagedType,
  property: ManagedProperty,
  text: string,
): Value | null {
  if (text.trim() === '') return null;
  if (property.kind === 'reference') {
    const problem = keyProblem(text.trim());
    if (problem === undefined) return text.trim();
    throw wrongValue(entityType, property.name, text, problem);
  }
  const read = readManagedValue(property.type, text);
  if ('value' in read) return read.value;
  throw wrongValue(entityType, property.name, text, read.problem);
}

function wrongValue(entityType: string, property: string, text: string, problem: string) {
  return new LockstepError('UsageInvalid', `${property} of ${entityType}: “${text}” ${problem}`);
}
