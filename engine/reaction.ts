/** What is done about a situation: the defaults, what a mapping may say instead, and what limits both. */
import type { Mapping, Reaction, Situation } from './mapping.ts';

/**
 * What a mapping may say for each situation, under `situations`. Whatever is not here would be a guess (`ambiguous`), a
 * duplicate (`found: create`) or nothing at all (`absent: update`). `sourceMissing` is said by `onSourceMissing`.
 */
export const possibleReactions: Readonly<Record<Situation, readonly Reaction[]>> = {
  confirmed: ['update', 'ignore'],
  unconfirmed: ['ignore'],
  found: ['match', 'ignore'],
  absent: ['create', 'ignore'],
  ambiguous: ['ignore'],
  foundAlreadyMatched: ['ignore'],
  missing: ['create', 'unmatch', 'ignore'],
  unqualified: ['ignore', 'disable', 'unmatch', 'delete'],
  sourceMissing: ['ignore', 'disable', 'unmatch', 'delete'],
  unassigned: ['ignore', 'disable', 'delete'],
};

/** What an operation on the target each reaction needs. */
export const neededOperation: Readonly<Partial<Record<Reaction, Mapping['operations'][number]>>> = {
  create: 'create',
  update: 'update',
  disable: 'update',
  delete: 'delete',
};

/** What of a mapping decides. */
export type ReactingMapping = Pick<
  Mapping,
  'reactions' | 'operations' | 'onSourceMissing' | 'opposite'
>;

/** What is known of a resource besides its situation. */
export interface SituationFacts {
  /** Null: it has no match. */
  readonly matchState: 'confirmed' | 'unconfirmed' | null;
  /** Of `sourceMissing`: the source is there, but does not qualify. */
  readonly sourceIsUnqualified?: boolean;
  /** Of `sourceMissing`: it has been so for as long as the mapping grants. */
  readonly graceIsOver?: boolean;
}

/**
 * What is done about a situation.
 *
 * Of an unconfirmed match nothing is ever written: where its source or target is gone, the most that happens is that it is
 * no match any more. What the mapping's `operations` do not allow is not done.
 */
export function reactionTo(
  situation: Situation,
  mapping: ReactingMapping,
  facts: SituationFacts,
): Reaction {
  const wanted = wantedReaction(situation, mapping, facts);
  if (facts.matchState === 'unconfirmed' && neededOperation[wanted] !== undefined) {
    return situation === 'missing' || situation === 'sourceMissing' ? 'unmatch' : 'ignore';
  }
  const needed = neededOperation[wanted];
  return needed === undefined || mapping.operations.includes(needed) ? wanted : 'ignore';
}

function wantedReaction(
  situation: Situation,
  { reactions, onSourceMissing, opposite }: ReactingMapping,
  { matchState, sourceIsUnqualified = false, graceIsOver = true }: SituationFacts,
): Reaction {
  switch (situation) {
    case 'confirmed':
      return reactions.confirmed ?? 'update';
    case 'found':
      return reactions.found ?? 'match';
    case 'absent':
      return reactions.absent ?? 'create';
    case 'missing':
      if (matchState === 'unconfirmed') return 'unmatch';
      // Whether the target's end means the source's end is for the other direction to say.
      return reactions.missing ?? (opposite === null ? 'create' : 'ignore');
    case 'sourceMissing': {
      if (!graceIsOver) return 'ignore';
      const asMissing = onSourceMissing === 'keep' ? 'ignore' : onSourceMissing;
      return (sourceIsUnqualified ? reactions.unqualified : undefined) ?? asMissing;
    }
    case 'unassigned':
      return reactions.unassigned ?? 'ignore';
    case 'unconfirmed':
    case 'ambiguous':
    case 'foundAlreadyMatched':
    // A target that it is matched with is in the situation `sourceMissing`.
    case 'unqualified':
      return 'ignore';
  }
}
