/** The drift contract of an entity type or association: what the document says, and the defaults for the rest. */
import { type DriftContract, defaultDrift } from '../engine/diagnosis/drift.ts';
import type { EntityTypeDocument } from './document.ts';

type DriftDocument = EntityTypeDocument['drift'];

/** What is left out has its default. */
export function driftContract(document: DriftDocument = {}): DriftContract {
  const said = Object.entries(document).filter(([, value]) => value !== undefined);
  return { ...defaultDrift, ...Object.fromEntries(said) };
}
