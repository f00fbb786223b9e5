/** What becomes of one value that two systems hold: who has changed it since both agreed, and who prevails. */
import { authorityRefusal } from './authority.ts';
import type { Value } from './value-format.ts';

/** One property of a matched target. A value that is not there is undefined. */
export interface ValueCase {
  /** What the mapping says it should be. */
  readonly desired: Value | undefined;
  /** What the target holds. */
  readonly present: Value | undefined;
  /** What the mapping said when both sides last agreed: null, no value; undefined, they never did. */
  readonly agreed: Value | null | undefined;
  /** The mapping of the opposite direction reads this property, so that a change of the target is its business. */
  readonly oppositeCovers: boolean;
  /** Which side is managed by us. */
  readonly managed: 'source' | 'target';
  /** Who may set the managed value, and who has. Null: nobody stands before anybody. */
  readonly authority: readonly string[] | null;
  readonly origin: string | undefined;
  /** The connector of the other side. */
  readonly by: string;
}

export interface ValueDecision {
  /** `agree`: both say the same. `set`: the target gets what is desired. `keep`: it keeps what it has. */
  readonly action: 'agree' | 'set' | 'keep';
  /** What a person should hear of: both sides have changed it, or one was not allowed to. */
  readonly told?: 'Conflict' | 'AuthorityRefused';
}

/**
 * Decides about one value.
 *
 * The side that has changed since both agreed prevails. Where both have, authority decides, and without one what is managed
 * by us prevails, so that nothing a person changed here is lost. What the target changed and no opposite mapping reads is
 * put right. As long as both never agreed the source prevails, but no value is lost to a side that has none where the
 * opposite mapping can bring it there.
 *
 * A kept value that differs is for the opposite mapping to carry over: for each `keep` it decides `set`, unless an authority
 * keeps both from it.
 */
export function mergeValue(value: ValueCase): ValueDecision {
  const { desired, present, agreed, managed } = value;
  if (desired === present) return { action: 'agree' };
  // What the connector of the other side may do to the managed value, here or by the opposite mapping.
  const isRefused = authorityRefusal(value) !== undefined;
  const oppositeTakes = value.oppositeCovers && (managed === 'target' || !isRefused);
  const set: ValueDecision =
    managed === 'target' && isRefused
      ? { action: 'keep', told: 'AuthorityRefused' }
      : { action: 'set' };
  if (agreed === undefined) {
    if (!oppositeTakes) return set;
    if (desired === undefined) return { action: 'keep' };
    const isTheirs = managed === 'source' && value.authority !== null && present !== undefined;
    return isTheirs ? { action: 'keep' } : set;
  }
  const sourceChanged = desired !== (agreed ?? undefined);
  const targetChanged = present !== (agreed ?? undefined);
  if (!targetChanged) return set;
  if (!sourceChanged) return oppositeTakes ? { action: 'keep' } : set;
  if (!oppositeTakes) return managed === 'source' && value.oppositeCovers ? conflict('set') : set;
  const managedPrevails = value.authority === null || isRefused;
  return conflict(managedPrevails === (managed === 'source') ? 'set' : 'keep');
}

function conflict(action: 'set' | 'keep'): ValueDecision {
  return { action, told: 'Conflict' };
}
