/** One property of a managed resource: nobody's source says it, so what tells is who set it, and who may. */
import type { ManagedProperty } from '../engine/managed-type.ts';
import { type ExplainedProperty, lastChange, type PropertyEvidence } from './explained-property.ts';

/** Explains a property of what is managed by us. */
export function explainManaged(
  property: ManagedProperty,
  evidence: Pick<PropertyEvidence, 'stored' | 'changes' | 'linkChanges'>,
): ExplainedProperty {
  const isReference = property.kind === 'reference';
  const what = isReference ? `a key of ${property.references}` : property.type;
  const who = property.authority === null ? '' : `, set by ${property.authority.join(' before ')}`;
  return {
    property: property.name,
    column: null,
    expression: null,
    references: isReference ? property.references : null,
    format: `${what}${property.required ? ', required' : ''}${who}`,
    raw: null,
    inputs: null,
    converted: null,
    problem: null,
    stored: evidence.stored[property.name] ?? null,
    isAsRead: null,
    why: null,
    newer: null,
    lastChange: lastChange(property, evidence),
  };
}
