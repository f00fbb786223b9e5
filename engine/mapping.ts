/** Mappings: how the resources of one entity type become those of another, as validated values. */
import type { ThresholdSettings } from './threshold.ts';
import type { Value } from './value-format.ts';

/** What two values may differ in and still be the same: `A`/`a`, `é`/`e`, `ann@a.example`/`ann@b.example`. */
export const correlationIgnores = ['case', 'accents', 'emailDomain'] as const;
export type CorrelationIgnore = (typeof correlationIgnores)[number];

/** Two properties whose values must be the same. */
export interface CorrelationPair {
  readonly source: string;
  readonly target: string;
  readonly ignore: readonly CorrelationIgnore[];
}

/** One rule: all its pairs have to agree, none of them blank. */
export interface CorrelationRule {
  readonly pairs: readonly CorrelationPair[];
}

/** The outcome of correlation for one resource; `docs/mappings.md` tells each of them for both directions. */
export const situations = [
  'confirmed',
  'unconfirmed',
  'found',
  'absent',
  'ambiguous',
  'foundAlreadyMatched',
  'missing',
  'unqualified',
  'sourceMissing',
  'unassigned',
] as const;
export type Situation = (typeof situations)[number];

/** What is done about a situation. `ignore` does nothing; the situation is still listed. */
export const reactions = [
  'ignore',
  'match',
  'create',
  'update',
  'unmatch',
  'disable',
  'delete',
] as const;
export type Reaction = (typeof reactions)[number];

/** Where the value of a target property comes from. */
export type RuleOrigin =
  | { readonly from: 'property'; readonly property: string }
  /** JSONata over the source's properties. */
  | { readonly from: 'expression'; readonly expression: string }
  | { readonly from: 'constant'; readonly value: Value };

/** One scalar property of the target. */
export interface AttributeRule {
  readonly target: string;
  readonly origin: RuleOrigin;
  /** Set when a resource is created, and left alone from then on. */
  readonly onCreateOnly: boolean;
}

/**
 * One navigation property of the target: its links are those of the source's, each end replaced by its match. Scopes name
 * navigation properties as breaches do; `reversed` when the two run in opposite directions.
 */
export interface LinkRule {
  /** Name of the navigation property on the target's side: `members`. */
  readonly target: string;
  /** Name on the source's side. */
  readonly source: string;
  readonly targetScope: string;
  readonly sourceScope: string;
  /** True when the mapped type is the `to` end of the scope. */
  readonly targetIsTo: boolean;
  readonly sourceIsTo: boolean;
  /** The entity types at the other ends; they are translated by the matches between these two. */
  readonly targetOther: string;
  readonly sourceOther: string;
}

/** A mapping between two entity types. */
export interface Mapping {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  /** `load`: the target is managed by us. `provision`: it belongs to a connector, which writes. */
  readonly does: 'load' | 'provision';
  /** Whose job a reconciliation is: the target's connector, else the source's. */
  readonly connector: string;
  /** In order: the first rule that finds anything decides. */
  readonly correlate: readonly CorrelationRule[];
  readonly onMatch: 'link-and-confirm' | 'link-but-do-not-confirm';
  readonly operations: readonly ('create' | 'update' | 'delete')[];
  /** Null: not limited by count. */
  readonly maximumCreates: number | null;
  readonly maximumDeletes: number | null;
  readonly onSourceMissing: 'keep' | 'disable' | 'unmatch' | 'delete';
  /** Days that a source has to be missing before `onSourceMissing` is done. */
  readonly graceDays: number;
  /** What `disable` sets on the target: property → value. */
  readonly disable: Readonly<Record<string, Value>>;
  /** Reactions other than the defaults. */
  readonly reactions: Readonly<Partial<Record<Situation, Reaction>>>;
  /** JSONata over the source's properties; resources for which it is not true are unqualified. Null: all qualify. */
  readonly where: string | null;
  readonly rules: readonly AttributeRule[];
  readonly links: readonly LinkRule[];
  readonly thresholds: ThresholdSettings;
  /** The mapping of the opposite direction, if there is one. */
  readonly opposite: string | null;
  /** Whether it follows by itself when a job has changed its source. */
  readonly follows: boolean;
}
