/** Decides what becomes of matched pairs: three-way, by what each side says and what both last agreed on. */
import type { Configuration } from '../config/configuration.ts';
import type { AttributeRule, Mapping } from '../engine/mapping.ts';
import { mergeValue } from '../engine/three-way.ts';
import type { Value } from '../engine/value-format.ts';
import type {
  Attributes,
  PairDecision,
  ReconciledPair,
  ToldProblem,
} from '../store/reconciled-pairs.ts';
import type { MappedValues, SaidOfSource } from './mapped-values.ts';

/** What has to be known of both ends. */
export interface MergingContext {
  readonly mapping: Mapping;
  readonly opposite: Mapping | undefined;
  readonly configuration: Configuration;
  readonly values: MappedValues;
  /** The rules of the opposite mapping. */
  readonly oppositeValues: MappedValues | undefined;
}

interface CompiledRule extends AttributeRule {
  readonly oppositeCovers: boolean;
  readonly authority: readonly string[] | null;
  /** Property of the side that is managed by us, whose origin counts. */
  readonly managedProperty: string;
}

export interface MergedPairs {
  readonly decisions: readonly PairDecision[];
  readonly told: readonly ToldProblem[];
}

/** Merges pairs, page by page. */
export class PairMerging {
  readonly #context: MergingContext;
  readonly #rules: readonly CompiledRule[];
  readonly #key: string;
  readonly #required: readonly string[];

  constructor(context: MergingContext) {
    this.#context = context;
    const { mapping, opposite, configuration } = context;
    const isLoad = mapping.does === 'load';
    const managed = configuration.managedTypes.get(isLoad ? mapping.target : mapping.source);
    const target =
      configuration.managedTypes.get(mapping.target) ??
      configuration.entityTypes.get(mapping.target);
    this.#key = target?.key ?? '';
    const references = mapping.links.map((link) => link.target);
    this.#required = isLoad
      ? (managed?.properties ?? [])
          .filter(({ name, required }) => required && !references.includes(name))
          .map(({ name }) => name)
      : [];
    this.#rules = mapping.rules.map((rule) => {
      const { origin } = rule;
      const managedProperty = isLoad
        ? rule.target
        : origin.from === 'property'
          ? origin.property
          : '';
      const property = managed?.properties.find(({ name }) => name === managedProperty);
      return {
        ...rule,
        oppositeCovers: opposite !== undefined && reads(opposite, rule.target),
        authority: property?.authority ?? null,
        managedProperty,
      };
    });
  }

  /** Decides about pairs; what cannot be decided is told, and left as it is. */
  async merge(pairs: readonly ReconciledPair[]): Promise<MergedPairs> {
    const said = await this.#context.values.of(pairs.map(({ source }) => source));
    const told: ToldProblem[] = [];
    const merged = pairs.flatMap((pair, nth) => {
      const after = this.#mergeOne(pair, said[nth] as SaidOfSource, told);
      return after === undefined
        ? []
        : [{ pair, values: (said[nth] as SaidOfSource).values, ...after }];
    });
    const { opposite, oppositeValues } = this.#context;
    const back = await oppositeValues?.of(merged.map(({ after }) => after));
    const decisions = merged.map(({ pair, values, after, set }, nth): PairDecision => {
      const names = this.#context.mapping.rules.map(({ target }) => target);
      const agreed = agreement(pair.agreed, names, values, after);
      const oppositeSaid = back?.[nth];
      const oppositeAgreed =
        opposite && oppositeSaid
          ? agreement(
              pair.oppositeAgreed,
              opposite.rules
                .map(({ target }) => target)
                .filter((name) => !oppositeSaid.problems.some(({ property }) => property === name)),
              oppositeSaid.values,
              pair.source,
            )
          : null;
      const { sourceId, sourceKey, targetId } = pair;
      const targetKey = String(after[this.#key]);
      return { sourceId, sourceKey, targetId, targetKey, after, agreed, oppositeAgreed, set };
    });
    return { decisions, told };
  }

  #mergeOne(
    { sourceKey, target, agreed, origins }: ReconciledPair,
    { values, problems }: SaidOfSource,
    told: ToldProblem[],
  ): { after: Attributes; set: string[] } | undefined {
    const tell = (code: ToldProblem['code'], property: string | null, message: string) =>
      void told.push({ key: sourceKey, property, code, message });
    for (const { property, problem } of problems) {
      tell('ValueInvalid', property, `${property} ${problem}`);
    }
    if (problems.length > 0) return undefined;
    const after: Record<string, Value> = { ...target };
    const set: string[] = [];
    for (const rule of this.#rules) {
      const name = rule.target;
      if (rule.onCreateOnly && target !== null) continue;
      const desired = own(values, name);
      const decision = mergeValue({
        desired,
        present: own(after, name),
        agreed: agreed !== null && Object.hasOwn(agreed, name) ? agreed[name] : undefined,
        oppositeCovers: rule.oppositeCovers && target !== null,
        managed: this.#context.mapping.does === 'load' ? 'target' : 'source',
        authority: rule.authority,
        origin: origins[rule.managedProperty],
        by: this.#context.mapping.connector,
      });
      if (decision.told !== undefined) {
        tell(
          decision.told,
          name,
          messages[decision.told][decision.action === 'set' ? 'set' : 'keep'],
        );
      }
      if (decision.action !== 'set') continue;
      if (desired === undefined) delete after[name];
      else after[name] = desired;
      if (rule.authority !== null) set.push(name);
    }
    if (own(after, this.#key) === undefined) {
      tell('KeyMissing', this.#key, `${this.#key} has no value, so the target would have no key`);
      return undefined;
    }
    const missing = this.#required.find((name) => own(after, name) === undefined);
    if (missing !== undefined) {
      tell('ValueInvalid', missing, `${missing} has no value, and every target needs one`);
      return undefined;
    }
    return { after, set };
  }
}

const messages = {
  Conflict: {
    set: 'both sides have changed it; the source prevails',
    keep: 'both sides have changed it; the target prevails',
  },
  AuthorityRefused: {
    set: '',
    keep: 'the connected system has another value, and may not set this one',
  },
} as const;

function own(attributes: Attributes, name: string): Value | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

/** Whether a mapping makes something of a property, so that a change of it is carried over. */
function reads({ rules, operations }: Mapping, property: string): boolean {
  if (!operations.includes('update')) return false;
  const word = new RegExp(`(?<![\\w$])${property.replace(/[^\w]/g, '\\$&')}(?!\\w)`);
  return rules.some(
    ({ origin, onCreateOnly }) =>
      !onCreateOnly &&
      ((origin.from === 'property' && origin.property === property) ||
        (origin.from === 'expression' && word.test(origin.expression))),
  );
}

/** What is agreed from now on: of every property where both say the same. Null when that is what was agreed already. */
function agreement(
  before: Readonly<Record<string, Value | null>> | null,
  names: readonly string[],
  said: Attributes,
  held: Attributes,
): Readonly<Record<string, Value | null>> | null {
  const agreed: Record<string, Value | null> = {};
  let isNew = before === null;
  for (const name of names) {
    const isSame = own(said, name) === own(held, name);
    const old = before !== null && Object.hasOwn(before, name) ? before[name] : undefined;
    const value = isSame ? (own(said, name) ?? null) : old;
    if (value !== undefined) agreed[name] = value;
    if (value !== old) isNew = true;
  }
  // Rules that are gone.
  if (Object.keys(before ?? {}).some((name) => !names.includes(name))) isNew = true;
  return isNew ? agreed : null;
}
