/** Mappings: from the document to values, with the names in them checked. */
import { connectorKinds } from '../engine/connector-kind.ts';
import type {
  AttributeRule,
  CorrelationPair,
  CorrelationRule,
  LinkRule,
  Mapping,
  RuleOrigin,
} from '../engine/mapping.ts';
import type { ThresholdSettings } from '../engine/threshold.ts';
import type { ConnectedDocument } from './connected-document.ts';
import { daysOf } from './days.ts';
import type { ConfigurationDocument, MappingDocument } from './document.ts';
import { problemsOfExpression } from './expression-problems.ts';
import { didYouMean } from './finding.ts';
import { reportUnguarded } from './guard.ts';
import { type MappedType, mappedTypes, spelt } from './mapped-type.ts';
import type { AttributeDocument, CorrelationDocument } from './mapping-document.ts';
import { checkReactions } from './reaction-check.ts';

type Report = (path: readonly string[], message: string) => void;

/** Turns the mappings of the document into values. */
export function buildMappings(
  whole: ConfigurationDocument,
  connected: ConnectedDocument,
  report: Report,
): Map<string, Mapping> {
  const types = mappedTypes({
    ...whole,
    entityTypes: { ...whole.entityTypes, ...connected.entityTypes },
  });
  const documents = Object.entries(whole.mappings ?? {});
  return new Map(
    documents.flatMap(([name, document]) => {
      const within: Report = (path, message) => report(['mappings', name, ...path], message);
      const source = known(types, document.source, (message) => within(['source'], message));
      const target = known(types, document.target, (message) => within(['target'], message));
      if (!source || !target) return [];
      const twin = documents.find(
        ([other, each]) =>
          other !== name && each.source === document.source && each.target === document.target,
      );
      if (twin) within([], `${twin[0]} maps ${document.source} to ${document.target} already`);
      const opposite = documents.find(
        ([, each]) => each.source === document.target && each.target === document.source,
      );
      const place = connectorOf(source, target, whole, within);
      return [
        [
          name,
          mapping(name, document, { source, target, ...place }, opposite?.[0] ?? null, within),
        ],
      ];
    }),
  );
}

function known(
  types: ReadonlyMap<string, MappedType>,
  name: string,
  report: (message: string) => void,
): MappedType | undefined {
  const type = types.get(name);
  if (!type) report(`there is no entity type “${name}”${didYouMean(name, [...types.keys()])}`);
  return type;
}

/** Whose job it is, and what that job does with its delta. */
function connectorOf(
  source: MappedType,
  target: MappedType,
  { connectors }: ConfigurationDocument,
  report: Report,
): { does: Mapping['does']; connector: string } {
  if (target.connector !== null) {
    const kind = connectors[target.connector]?.kind;
    if (kind !== undefined && !connectorKinds[kind].writes) {
      report(['target'], `${target.name} is of a ${kind} connector, which cannot be written to`);
    }
    if (source.name === target.name) report(['target'], 'is its own source');
    return { does: 'provision', connector: target.connector };
  }
  if (source.connector === null) {
    report(
      ['source'],
      `${source.name} and ${target.name} are both managed; one has to be connected`,
    );
  }
  return { does: 'load', connector: source.connector ?? '' };
}

interface Ends {
  readonly source: MappedType;
  readonly target: MappedType;
  readonly does: Mapping['does'];
  readonly connector: string;
}

function mapping(
  name: string,
  document: MappingDocument,
  { source, target, does, connector }: Ends,
  opposite: string | null,
  report: Report,
): Mapping {
  const operations = document.operations ?? ['create', 'update'];
  const rules: AttributeRule[] = [];
  const links: LinkRule[] = [];
  for (const [property, written] of Object.entries(document.properties)) {
    const within: Report = (path, message) => report(['properties', property, ...path], message);
    const link = linkRule(property, written, source, target, within);
    if (link) links.push(link);
    else rules.push(attributeRule(property, written, source, target, within));
  }
  if (operations.includes('create')) {
    for (const needed of [target.key, ...target.required]) {
      const isMapped = [...rules, ...links].some((rule) => rule.target === needed);
      if (!isMapped) {
        report(['properties'], `needs ${needed}, without which no ${target.name} can be created`);
      }
    }
  }
  for (const problem of document.where === undefined ? [] : problemsOfExpression(document.where)) {
    report(['where'], problem);
  }
  reportUnguarded(['thresholds'], document.thresholds, {}, report);
  const reactions = document.situations ?? {};
  const onSourceMissing = document.onSourceMissing ?? 'keep';
  if (onSourceMissing === 'delete' && !operations.includes('delete')) {
    report(['onSourceMissing'], 'deletes, but operations has no delete');
  }
  checkReactions(reactions, operations, report);
  const disables = [onSourceMissing, ...Object.values(reactions)].includes('disable');
  return {
    name,
    source: source.name,
    target: target.name,
    does,
    connector,
    correlate: (document.correlate ?? []).map((rule, index) =>
      correlationRule(rule, source, target, (path, message) =>
        report(['correlate', String(index), ...path], message),
      ),
    ),
    onMatch: document.onMatch ?? 'link-and-confirm',
    operations,
    maximumCreates: document.maximumCreates ?? null,
    maximumDeletes: document.maximumDeletes ?? null,
    onSourceMissing,
    graceDays: document.gracePeriod === undefined ? 0 : (daysOf(document.gracePeriod) ?? 0),
    disable: disables ? disabling(document, target, report) : {},
    reactions,
    where: document.where ?? null,
    rules,
    links,
    thresholds: (document.thresholds ?? {}) as ThresholdSettings,
    opposite,
    follows: document.follows ?? true,
  };
}

function disabling(
  { disable }: MappingDocument,
  target: MappedType,
  report: Report,
): Mapping['disable'] {
  const values = disable ?? (target.scalars.get('active') === 'boolean' ? { active: false } : {});
  if (Object.keys(values).length === 0) {
    report(
      ['disable'],
      `${target.name} has no boolean property active; say what disabling sets, as in disable: { enabled: false }`,
    );
  }
  for (const property of Object.keys(values)) {
    if (!target.scalars.has(property)) {
      report(
        ['disable', property],
        `is not a property of ${target.name}${didYouMean(property, [...target.scalars.keys()])}`,
      );
    }
  }
  return values;
}

function correlationRule(
  document: CorrelationDocument,
  source: MappedType,
  target: MappedType,
  report: Report,
): CorrelationRule {
  const isMany = 'all' in document;
  const pairs = isMany ? document.all : [document];
  return {
    pairs: pairs.map((pair, index): CorrelationPair => {
      for (const [side, type] of [['source', source] as const, ['target', target] as const]) {
        const property = pair[side];
        if (type.scalars.has(property)) continue;
        const path = isMany ? ['all', String(index), side] : [side];
        report(
          path,
          `“${property}” is not a property of ${type.name}${didYouMean(property, [...type.scalars.keys()])}`,
        );
      }
      return { source: pair.source, target: pair.target, ignore: pair.ignore ?? [] };
    }),
  };
}

/** A rule for links, when the property is one; null for a scalar. */
function linkRule(
  property: string,
  written: AttributeDocument,
  source: MappedType,
  target: MappedType,
  report: Report,
): LinkRule | null {
  const to = target.navigations.find((each) => each.property === property);
  if (!to) return null;
  const name = typeof written === 'string' ? written : written.property;
  const from = source.navigations.find((each) => each.property === name);
  if (!from) {
    const names = source.navigations.map((each) => each.property);
    report(
      [],
      `holds links; name the navigation property of ${source.name} they come from${didYouMean(name ?? '', names)}`,
    );
    return null;
  }
  return {
    target: property,
    source: from.property,
    targetScope: to.scope,
    sourceScope: from.scope,
    targetIsTo: to.isTo,
    sourceIsTo: from.isTo,
    targetOther: to.other,
    sourceOther: from.other,
  };
}

function attributeRule(
  property: string,
  written: AttributeDocument,
  source: MappedType,
  target: MappedType,
  report: Report,
): AttributeRule {
  if (!target.scalars.has(property)) {
    const names = [...target.scalars.keys(), ...target.navigations.map((each) => each.property)];
    report([], `is not a property of ${target.name}${didYouMean(property, names)}`);
  }
  if (target.paths.get('id') === property) {
    report([], `is what the service calls ${target.name}; it cannot be set`);
  }
  const onCreateOnly = typeof written === 'object' && (written.onCreateOnly ?? false);
  return { target: property, origin: ruleOrigin(written, source, report), onCreateOnly };
}

function ruleOrigin(written: AttributeDocument, source: MappedType, report: Report): RuleOrigin {
  const said = typeof written === 'string' ? { either: written } : written;
  const given = ['either', 'property', 'expression', 'value'].filter(
    (each) => (said as Record<string, unknown>)[each] !== undefined,
  );
  if (given.length !== 1) {
    report([], 'needs one of property, expression and value');
    return { from: 'constant', value: '' };
  }
  if ('value' in said && said.value !== undefined) return { from: 'constant', value: said.value };
  const text = Object.values(said).find((each) => typeof each === 'string') ?? '';
  const isExpression = given[0] === 'expression';
  const property = source.scalars.has(text) ? text : source.paths.get(spelt(text));
  if (property !== undefined && !isExpression) return { from: 'property', property };
  // Nothing but a name or path can only be a mistake: as JSONata it would give no value, and wipe the target's.
  if (given[0] === 'property' || /^[\w.]+$/.test(text)) {
    const names = [...source.scalars.keys()];
    report([], `“${text}” is not a property of ${source.name}${didYouMean(text, names)}`);
  }
  for (const problem of problemsOfExpression(text)) report([], problem);
  return { from: 'expression', expression: text };
}
