/** The limits of a delta and the rule that finds where a planned delta passes them; exact, and without a way round. */

/** A number that may be passed, or `unlimited` (only while another limit guards the same kind of change). */
export type Limit = number | 'unlimited';

/** The twelve limits: how many lines (resources) or links one job may change, absolutely and in percent of the stored ones. */
export const limitDefaults = {
  maximumInsertedLines: 100,
  maximumUpdatedLines: 100,
  maximumDeletedLines: 100,
  maxPercentageInsertedLines: 5,
  maxPercentageUpdatedLines: 5,
  maxPercentageDeletedLines: 5,
  maximumLinkInsertedLines: 1000,
  maximumLinkUpdatedLines: 1000,
  maximumLinkDeletedLines: 1000,
  maxLinkPercentageInsertedLines: 5,
  maxLinkPercentageUpdatedLines: 5,
  maxLinkPercentageDeletedLines: 5,
} as const;

export type LimitName = keyof typeof limitDefaults;

/** Every name a breach can carry. */
export type ThresholdName =
  | LimitName
  | 'maximumLinkDeletedLinesPerResource'
  | 'maximumCreates'
  | 'maximumDeletes';

/** A percentage is judged only when more lines than this are planned; a scope with none stored, or emptied, always asks. */
export const defaultPercentageFloor = 10;

/** The limits one place of the configuration sets; what it leaves out is inherited. */
export interface ThresholdSettings extends Partial<Readonly<Record<LimitName, Limit>>> {
  /** No single resource, at either end of a link, may lose more links than this in one job. Default: not limited. */
  readonly maximumLinkDeletedLinesPerResource?: Limit;
  readonly percentageFloor?: number;
}

/** The limits in force for a scope, after inheritance. */
export interface Thresholds extends Readonly<Record<LimitName, Limit>> {
  readonly maximumLinkDeletedLinesPerResource: Limit;
  readonly percentageFloor: number;
}

/** A limit that a planned delta passes. The job asks a person before anything is written. */
export interface Breach {
  readonly threshold: ThresholdName;
  /** An entity type, a navigation property (`sab_user.organisation`), an association, or the connector's sum. */
  readonly scope: string;
  /** How many lines or links the delta would change. */
  readonly planned: number;
  /** The most that would have passed unasked; for percentages, in lines, rounded down. */
  readonly allowed: number;
  /** How many are stored before the job. */
  readonly base: number;
}

/** Inserted, updated and deleted lines or links planned for one scope, and how many are stored there now. */
export interface PlannedChanges {
  readonly scope: string;
  /** `lines` are resources of an entity type, `links` those of one navigation property. */
  readonly of: 'lines' | 'links';
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly stored: number;
  /** Links only: the most that any one resource loses. */
  readonly mostDeletedOfOneResource?: number;
  /**
   * A person has said every line of it: neither the first of a scope nor the last asks by being that, as long as there are
   * no more than {@link Thresholds.percentageFloor} of them. All numbers hold as ever.
   */
  readonly byHand?: boolean;
  /** Of a mapping: the most resources that it may create and delete; null: not limited by count. */
  readonly ofMapping?: {
    readonly maximumCreates: number | null;
    readonly maximumDeletes: number | null;
  };
  readonly thresholds: Thresholds;
}

/** A connector's name and its own limits, against which the sum over its scopes is judged. */
export interface ConnectorLimits {
  readonly scope: string;
  readonly thresholds: Thresholds;
}

type Kind = 'inserted' | 'updated' | 'deleted';
const kinds = ['inserted', 'updated', 'deleted'] as const;
const capitalised = { inserted: 'Inserted', updated: 'Updated', deleted: 'Deleted' } as const;

/** The name of the absolute limit of a kind of change. */
export function absoluteLimit(of: 'lines' | 'links', kind: Kind): LimitName {
  return of === 'lines'
    ? `maximum${capitalised[kind]}Lines`
    : `maximumLink${capitalised[kind]}Lines`;
}

/** The name of the percentage limit of a kind of change. */
export function percentageLimit(of: 'lines' | 'links', kind: Kind): LimitName {
  return of === 'lines'
    ? `maxPercentage${capitalised[kind]}Lines`
    : `maxLinkPercentage${capitalised[kind]}Lines`;
}

/** Resolves the limits of a scope: the closest setting of each limit wins, the defaults come last. */
export function resolveThresholds(...closestFirst: readonly ThresholdSettings[]): Thresholds {
  return Object.assign(
    {
      ...limitDefaults,
      maximumLinkDeletedLinesPerResource: 'unlimited' as const,
      percentageFloor: defaultPercentageFloor,
    },
    ...closestFirst.toReversed(),
  );
}

/**
 * The kinds of change that these limits leave unguarded, as the pair of limit names that would have to hold one.
 *
 * A percentage of 100 or more guards neither updates nor deletes: no more than all can change.
 */
export function unguardedChanges(
  thresholds: Thresholds,
): [absolute: LimitName, percentage: LimitName][] {
  const pairs: [LimitName, LimitName][] = [];
  for (const measure of ['lines', 'links'] as const) {
    for (const kind of kinds) {
      const absolute = absoluteLimit(measure, kind);
      const percentage = percentageLimit(measure, kind);
      const percent = thresholds[percentage];
      const percentGuards = percent !== 'unlimited' && (kind === 'inserted' || percent < 100);
      if (thresholds[absolute] === 'unlimited' && !percentGuards)
        pairs.push([absolute, percentage]);
    }
  }
  return pairs;
}

/**
 * Finds every limit the planned changes pass: of each scope on its own, and the absolute ones of the connector's sum.
 *
 * A limit is breached when planned > allowed. A percentage is of the stored lines or links of its scope before the
 * job; with none stored any insert asks, and a delta that would delete all of a scope always asks.
 *
 * @param connector null for what belongs to none: an edit
 */
export function findBreaches(
  scopes: readonly PlannedChanges[],
  connector: ConnectorLimits | null,
): Breach[] {
  const ofSum = connector === null ? [] : breachesOfSum(scopes, connector);
  return [...scopes.flatMap(breachesOfScope), ...ofSum];
}

function breachesOfScope(changes: PlannedChanges): Breach[] {
  const { scope, of, stored, thresholds } = changes;
  const breaches: Breach[] = [];
  const judge = (threshold: ThresholdName, planned: number, allowed: number) => {
    if (planned > allowed) breaches.push({ threshold, scope, planned, allowed, base: stored });
  };
  for (const kind of kinds) {
    const absolute = thresholds[absoluteLimit(of, kind)];
    if (absolute !== 'unlimited') judge(absoluteLimit(of, kind), changes[kind], absolute);
    judge(percentageLimit(of, kind), changes[kind], allowedByPercentage(changes, kind));
  }
  const { maximumCreates = null, maximumDeletes = null } = changes.ofMapping ?? {};
  if (maximumCreates !== null) judge('maximumCreates', changes.inserted, maximumCreates);
  if (maximumDeletes !== null) judge('maximumDeletes', changes.deleted, maximumDeletes);
  const perResource = thresholds.maximumLinkDeletedLinesPerResource;
  if (perResource !== 'unlimited') {
    judge('maximumLinkDeletedLinesPerResource', changes.mostDeletedOfOneResource ?? 0, perResource);
  }
  return breaches;
}

function allowedByPercentage(changes: PlannedChanges, kind: Kind): number {
  const { of, stored, thresholds } = changes;
  if (changes.byHand && changes[kind] <= thresholds.percentageFloor) return changes[kind];
  const percent = thresholds[percentageLimit(of, kind)];
  if (kind === 'inserted' && stored === 0) return 0;
  const neverAll = kind === 'deleted' ? stored - 1 : Number.POSITIVE_INFINITY;
  if (percent === 'unlimited') return Math.max(0, neverAll);
  // Binary fractions are not exact: 0.57 % of 10,000 must be 57, not 56.
  const share = Math.floor(Number(((stored * percent) / 100).toPrecision(12)));
  return Math.max(0, Math.min(neverAll, Math.max(share, thresholds.percentageFloor)));
}

function breachesOfSum(scopes: readonly PlannedChanges[], connector: ConnectorLimits): Breach[] {
  const breaches: Breach[] = [];
  for (const measure of ['lines', 'links'] as const) {
    const counted = scopes.filter((changes) => changes.of === measure);
    const base = counted.reduce((sum, changes) => sum + changes.stored, 0);
    for (const kind of kinds) {
      const threshold = absoluteLimit(measure, kind);
      const allowed = connector.thresholds[threshold];
      const planned = counted.reduce((sum, changes) => sum + changes[kind], 0);
      if (allowed !== 'unlimited' && planned > allowed) {
        breaches.push({ threshold, scope: connector.scope, planned, allowed, base });
      }
    }
  }
  return breaches;
}
