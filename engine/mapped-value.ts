/** What comes out of a rule, as a value of the target property. */
import { keyProblem, searchProblem } from './key-text.ts';
import { readManagedValue, valueProblem } from './managed-value.ts';
import type { Conversion, Value, ValueFormat } from './value-format.ts';

/** What a target property takes. */
export interface TargetProperty {
  readonly type: ValueFormat['type'];
  readonly isKey: boolean;
  readonly searchable: boolean;
}

/**
 * Makes the outcome of a rule a value of the target property: `"7"` is 7 where whole numbers are kept, 7 is `"7"` where texts
 * are. Dates and times are read in ISO 8601. Blank is no value.
 *
 * @returns undefined for no value; a problem goes on after the property's name, and does not hold the value
 */
export function mappedValue(target: TargetProperty, outcome: unknown): Conversion | undefined {
  if (outcome === undefined || outcome === null) return undefined;
  if (typeof outcome === 'object' || typeof outcome === 'function') {
    return { problem: 'gets neither a text, a number nor true or false' };
  }
  const text = String(outcome);
  if (text.trim() === '') return undefined;
  const conversion = converted(target.type, outcome as Value, text);
  if ('problem' in conversion || typeof conversion.value !== 'string') return conversion;
  const problem =
    (target.isKey ? keyProblem(conversion.value) : undefined) ??
    (target.searchable ? searchProblem(conversion.value) : undefined);
  return problem === undefined ? conversion : { problem };
}

function converted(type: ValueFormat['type'], outcome: Value, text: string): Conversion {
  const asIs = type === 'string' ? text : outcome;
  const problem = valueProblem(type, asIs);
  if (problem === undefined) return { value: asIs };
  // A time says more than a date may hold, `true` is no number: only a text can be read.
  return type !== 'string' && typeof outcome === 'string'
    ? readManagedValue(type, text)
    : { problem };
}
