/** A condition on resources as SQL; every value travels as a parameter. */
import pg from 'pg';
import { LockstepError } from '../../engine/errors.ts';
import type { NavigationEnd, StoredEntityType } from './entity-types.ts';

/**
 * `=` equal as text, `~` contains, whatever the case. On a navigation property it speaks of the keys it links to.
 * An empty value with `=` asks for resources that have no value there.
 */
export interface Condition {
  readonly property: string;
  readonly operator: '=' | '~';
  readonly value: string;
}

/** Names one may put a condition on: scalar properties and navigation properties of both directions. */
export function conditionNames(type: StoredEntityType): string[] {
  return [...new Set([...type.properties, ...type.navigations.map(({ name }) => name)])];
}

/**
 * Writes a condition as SQL on `resource r` and adds its values to the parameters.
 *
 * @throws LockstepError `UsageInvalid` for a property that the entity type does not have.
 */
export function toSql(type: StoredEntityType, condition: Condition, values: unknown[]): string {
  const { property } = condition;
  if (property === type.key) return compare('r.key', condition, values);
  const navigation = type.navigations.find(({ name }) => name === property);
  if (navigation) return onLinks(navigation, condition, values);
  if (!type.properties.includes(property)) {
    throw new LockstepError('UsageInvalid', `${type.name} has no property “${property}”`);
  }
  // Literally, as it stands in the index of a searchable property.
  return compare(`r.attributes ->> ${pg.escapeLiteral(property)}`, condition, values);
}

function onLinks(
  { id, outgoing, entityTypeId }: NavigationEnd,
  condition: Condition,
  values: unknown[],
): string {
  const [here, there] = outgoing ? ['from_id', 'to_id'] : ['to_id', 'from_id'];
  const links = `select l.${here} from link l where l.navigation_property_id = ${id}`;
  if (condition.operator === '=' && condition.value === '') {
    return `not exists (${links} and l.${here} = r.id)`;
  }
  // From the other end: a few resources have that key, and each of them has links, rather than the other way round.
  const others = `select o.id from resource o
    where o.entity_type_id = ${entityTypeId} and ${compare('o.key', condition, values)}`;
  return `r.id = any (array(${links} and l.${there} = any (array(${others}))))`;
}

function compare(text: string, { operator, value }: Condition, values: unknown[]): string {
  if (operator === '~')
    return `strpos(lower(${text}), lower(${parameter(values, value)}::text)) > 0`;
  if (value === '') return `coalesce(${text}, '') = ''`;
  return `${text} = ${parameter(values, value)}::text`;
}

function parameter(values: unknown[], value: unknown): string {
  return `$${values.push(value)}`;
}
