/** What a mapping says of resources: the values that its rules make of their sources. */
import type { Configuration } from '../config/configuration.ts';
import { mappedValue, type TargetProperty } from '../engine/mapped-value.ts';
import type { AttributeRule, Mapping } from '../engine/mapping.ts';
import { compileNesting } from '../engine/nested-resource.ts';
import type { Value } from '../engine/value-format.ts';
import { modelledTypes } from '../store/modelled-type.ts';
import { ExpressionRunner, type NamedExpression } from './expression-runner.ts';

export type Attributes = Readonly<Record<string, Value>>;

/** What a mapping says of one source. */
export interface SaidOfSource {
  /** Target property → value, of every rule; without a value: absent. */
  readonly values: Attributes;
  readonly problems: readonly { readonly property: string; readonly problem: string }[];
}

/** The rules of one mapping, ready to be applied. */
export class MappedValues implements AsyncDisposable {
  readonly #rules: readonly (AttributeRule & { readonly property: TargetProperty })[];
  /** Rule → number of its expression. */
  readonly #numbers: ReadonlyMap<AttributeRule, number>;
  readonly #where: number | undefined;
  readonly #nest: (attributes: Attributes) => object;
  readonly #runner: ExpressionRunner;

  constructor(mapping: Mapping, configuration: Configuration) {
    const types = modelledTypes(configuration);
    const target = types.find(({ name }) => name === mapping.target);
    this.#rules = mapping.rules.map((rule) => {
      const property = target?.properties.find(({ name }) => name === rule.target);
      const isKey = rule.target === target?.key;
      const searchable = target?.searchable.includes(rule.target) ?? false;
      const type = property?.kind === 'scalar' ? property.type : 'string';
      return { ...rule, property: { type, isKey, searchable } };
    });
    const expressions: NamedExpression[] = [];
    const numbers = new Map<AttributeRule, number>();
    for (const rule of this.#rules) {
      if (rule.origin.from !== 'expression') continue;
      numbers.set(rule, expressions.length);
      const { expression } = rule.origin;
      expressions.push({ name: `${mapping.name}.${rule.target}`, expression });
    }
    this.#numbers = numbers;
    if (mapping.where !== null) {
      this.#where = expressions.length;
      expressions.push({ name: `${mapping.name}.where`, expression: mapping.where });
    }
    this.#nest = compileNesting(configuration.entityTypes.get(mapping.source));
    this.#runner = new ExpressionRunner(expressions);
  }

  /**
   * Tells which sources qualify, in their order. One for which the condition fails does: nobody loses a target to a mistake.
   */
  async qualify(sources: readonly Attributes[]): Promise<boolean[]> {
    if (this.#where === undefined) return sources.map(() => true);
    const answers = await this.#runner.evaluate(sources.map(this.#nest), [this.#where]);
    return answers.map(
      ([answer]) => answer !== undefined && ('problem' in answer || answer.value === true),
    );
  }

  /** Applies every rule to every source. Sources for which the condition fails have a problem of it. */
  async of(sources: readonly Attributes[]): Promise<SaidOfSource[]> {
    const which = [...this.#numbers.values(), ...(this.#where === undefined ? [] : [this.#where])];
    const rows = which.length === 0 ? [] : sources.map(this.#nest);
    const answers = await this.#runner.evaluate(rows, which);
    return sources.map((source, nth) => this.#apply(source, answers[nth] ?? []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
  }

  #apply(source: Attributes, answers: readonly object[]): SaidOfSource {
    const values: Record<string, Value> = {};
    const problems: { property: string; problem: string }[] = [];
    for (const rule of this.#rules) {
      const { target, property } = rule;
      const outcome = this.#outcomeOf(rule, source, answers);
      const said = 'problem' in outcome ? outcome : mappedValue(property, outcome.value);
      if (said === undefined) continue;
      if ('problem' in said) problems.push({ property: target, problem: said.problem });
      else values[target] = said.value;
    }
    const where = this.#where === undefined ? undefined : answers[this.#where];
    if (where && 'problem' in where)
      problems.push({ property: 'where', problem: String(where.problem) });
    return { values, problems };
  }

  #outcomeOf(
    rule: AttributeRule,
    source: Attributes,
    answers: readonly object[],
  ): { readonly value?: Value | undefined } | { readonly problem: string } {
    const { origin } = rule;
    switch (origin.from) {
      case 'constant':
        return { value: origin.value };
      case 'property':
        return {
          value: Object.hasOwn(source, origin.property) ? source[origin.property] : undefined,
        };
      case 'expression':
        return (answers[this.#numbers.get(rule) as number] ?? {}) as { value?: Value };
    }
  }
}
