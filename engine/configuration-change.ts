/** What a configuration says otherwise than the one before: the short list beside a delta, so that a reader knows why. */
import type { Association, AssociationEnd, EntityType, Property } from './entity-type.ts';

/** One thing that the configuration says otherwise. */
export interface ConfigurationChange {
  readonly change: 'added' | 'removed' | 'changed';
  /** A connector, an entity type, one property of it (`sab_user.title`), or an association. */
  readonly scope: string;
  /** Before and after, in words; empty where the name says it all. */
  readonly detail: string;
}

/** What of a configuration decides on the delta of one connector. */
export interface ConnectorModel {
  readonly connector: string;
  /** How it is reached, and its limits. **Danger:** may hold secrets, so only the names of what changed are told. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly entityTypes: readonly EntityType[];
  readonly associations: readonly Association[];
}

/** Compares two configurations of a connector. */
export function configurationChanges(
  before: ConnectorModel,
  after: ConnectorModel,
): ConfigurationChange[] {
  return [
    ...changed(after.connector, differingNames(before.settings, after.settings).join(', ')),
    ...pairs(before.entityTypes, after.entityTypes).flatMap(entityTypeChanges),
    ...pairs(before.associations, after.associations).flatMap(associationChanges),
  ];
}

type Pair<Item> = { readonly name: string; readonly before?: Item; readonly after?: Item };

function pairs<Item extends { readonly name: string }>(
  before: readonly Item[],
  after: readonly Item[],
): Pair<Item>[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const find = (items: readonly Item[], name: string) => items.find((item) => item.name === name);
  return names.map((name) => {
    const was = find(before, name);
    const is = find(after, name);
    return { name, ...(was && { before: was }), ...(is && { after: is }) };
  });
}

function entityTypeChanges({ name, before, after }: Pair<EntityType>): ConfigurationChange[] {
  if (!before || !after) return [comeOrGone(name, after !== undefined, '')];
  return [
    ...changed(name, before.key === after.key ? '' : `key ${before.key} → ${after.key}`),
    ...changed(name, sourceChange(before, after)),
    ...changed(name, thresholdChange(before, after)),
    ...pairs(before.properties, after.properties).flatMap((pair) => propertyChanges(name, pair)),
  ];
}

function propertyChanges(entityType: string, pair: Pair<Property>): ConfigurationChange[] {
  const { before, after } = pair;
  const scope = `${entityType}.${pair.name}`;
  if (!before || !after) {
    const told = factsOf((after ?? before) as Property);
    const detail = Object.values(told).filter(Boolean).join(', ');
    return [comeOrGone(scope, after !== undefined, detail)];
  }
  return changed(scope, differences(factsOf(before), factsOf(after)));
}

/** What a property is, in words. */
function factsOf(property: Property): Record<string, string> {
  const { origin } = property;
  const from =
    origin.from === 'column' ? `column ${origin.column}` : `expression ${origin.expression}`;
  if (property.kind === 'reference') return { type: `reference to ${property.references}`, from };
  const { type, ...format } = property.format;
  const options = Object.entries(format).map(([name, value]) => `${name} ${[value].join(' ')}`);
  return { type, format: options.join(', '), from };
}

function associationChanges({ name, before, after }: Pair<Association>): ConfigurationChange[] {
  if (!before || !after) return [comeOrGone(name, after !== undefined, '')];
  const ends = differences(endsOf(before), endsOf(after));
  return [
    ...changed(name, ends),
    ...changed(name, sourceChange(before, after)),
    ...changed(name, thresholdChange(before, after)),
  ];
}

function endsOf({ from, to }: Association): Record<string, string> {
  const words = ({ entityType, property, column }: AssociationEnd) =>
    `${entityType}.${property} (column ${column})`;
  return { from: `from ${words(from)}`, to: `to ${words(to)}` };
}

function sourceChange(before: EntityType | Association, after: EntityType | Association): string {
  if (before.source.name !== after.source.name)
    return `source ${before.source.name} → ${after.source.name}`;
  const options = differingNames({ ...before.source.options }, { ...after.source.options });
  return options.length === 0 ? '' : `source: ${options.join(', ')}`;
}

function thresholdChange(
  before: EntityType | Association,
  after: EntityType | Association,
): string {
  const names = differingNames({ ...before.thresholds }, { ...after.thresholds });
  return names.join(', ');
}

function differences(before: Record<string, string>, after: Record<string, string>): string {
  return Object.keys(after)
    .filter((name) => before[name] !== after[name])
    .map((name) => `${before[name] || 'nothing'} → ${after[name] || 'nothing'}`)
    .join('; ');
}

function differingNames(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

function comeOrGone(scope: string, isThere: boolean, detail: string): ConfigurationChange {
  return { change: isThere ? 'added' : 'removed', scope, detail };
}

function changed(scope: string, detail: string): ConfigurationChange[] {
  return detail === '' ? [] : [{ change: 'changed', scope, detail }];
}
