/** Managed entity types and associations: from the document to values, with the names in them checked. */
import {
  localAuthority,
  type ManagedAssociation,
  type ManagedProperty,
  type ManagedType,
} from '../engine/managed-type.ts';
import type { ThresholdSettings } from '../engine/threshold.ts';
import type {
  ConfigurationDocument,
  ManagedAssociationDocument,
  ManagedTypeDocument,
} from './document.ts';
import { didYouMean } from './finding.ts';
import { reportUnguarded } from './guard.ts';
import type { ManagedPropertyDocument } from './managed-document.ts';

type Report = (path: readonly string[], message: string) => void;

/** Everything that is managed by us. */
export interface Managed {
  readonly managedTypes: ReadonlyMap<string, ManagedType>;
  readonly managedAssociations: ReadonlyMap<string, ManagedAssociation>;
}

/** Turns the managed part of the document into values. */
export function buildManaged(document: ConfigurationDocument, report: Report): Managed {
  if (Object.hasOwn(document.connectors, localAuthority)) {
    report(['connectors', localAuthority], 'is the name of edits by people; choose another');
  }
  const types = managedOf(document.entityTypes);
  const associations = managedOf(document.associations ?? {});
  const names = Object.keys(types);
  return {
    managedTypes: new Map(
      Object.entries(types).map(([name, type]) => [
        name,
        managedType(name, type, names, document, report),
      ]),
    ),
    managedAssociations: new Map(
      Object.entries(associations).map(([name, each]) => [
        name,
        managedAssociation(name, each, types, associations, report),
      ]),
    ),
  };
}

function managedOf<Document extends { readonly managed?: boolean | undefined }>(
  record: Readonly<Record<string, Document>>,
): Record<string, Extract<Document, { managed: true }>> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, each]) =>
      each.managed ? [[name, each as Extract<Document, { managed: true }>]] : [],
    ),
  );
}

function managedType(
  name: string,
  document: ManagedTypeDocument,
  managed: readonly string[],
  { connectors }: ConfigurationDocument,
  report: Report,
): ManagedType {
  const path = ['entityTypes', name];
  const authorities = [...Object.keys(connectors), localAuthority];
  const properties = Object.entries(document.properties).map(([property, value]) =>
    managedProperty(property, value, managed, authorities, (inner, message) =>
      report([...path, 'properties', property, ...inner], message),
    ),
  );
  const key = properties.find((property) => property.name === document.key);
  if (!key) {
    const names = properties.map((property) => property.name);
    report(
      [...path, 'key'],
      `“${document.key}” is not a property of ${name}${didYouMean(document.key, names)}`,
    );
  } else if (key.kind === 'reference' || key.type !== 'string') {
    report([...path, 'key'], 'the key must be a property of type string');
  }
  reportUnguarded([...path, 'thresholds'], document.thresholds, {}, report);
  return {
    name,
    key: document.key,
    properties,
    searchable: Object.entries(document.properties).flatMap(([property, { searchable }]) =>
      searchable ? [property] : [],
    ),
    protected: document.protected ?? [],
    thresholds: (document.thresholds ?? {}) as ThresholdSettings,
  };
}

function managedProperty(
  name: string,
  { type, references, required = false, authority, searchable }: ManagedPropertyDocument,
  managed: readonly string[],
  authorities: readonly string[],
  report: Report,
): ManagedProperty {
  for (const each of authority ?? []) {
    if (!authorities.includes(each)) {
      report(['authority'], `there is no connector “${each}”${didYouMean(each, authorities)}`);
    }
  }
  const common = { name, required, authority: authority ?? null };
  if (references === undefined) return { ...common, kind: 'scalar', type: type ?? 'string' };
  if (type !== undefined) {
    report(['type'], 'a reference takes the type of the key it refers to; leave it out');
  }
  if (searchable !== undefined) {
    report(['searchable'], 'links are always fast to search; leave it out');
  }
  if (!managed.includes(references)) {
    report(
      ['references'],
      `there is no managed entity type “${references}”${didYouMean(references, managed)}`,
    );
  }
  return { ...common, kind: 'reference', references };
}

function managedAssociation(
  name: string,
  document: ManagedAssociationDocument,
  types: Readonly<Record<string, ManagedTypeDocument>>,
  associations: Readonly<Record<string, ManagedAssociationDocument>>,
  report: Report,
): ManagedAssociation {
  const path = ['associations', name];
  for (const side of ['from', 'to'] as const) {
    const { entityType, property } = document[side];
    const type = types[entityType];
    if (!type) {
      report(
        [...path, side, 'entityType'],
        `there is no managed entity type “${entityType}”${didYouMean(entityType, Object.keys(types))}`,
      );
    } else if (Object.hasOwn(type.properties, property)) {
      report([...path, side, 'property'], `${entityType} already has a property “${property}”`);
    }
    const rival = Object.entries(associations).find(
      ([other, { from, to }]) =>
        other !== name &&
        [from, to].some((end) => end.entityType === entityType && end.property === property),
    );
    if (rival) {
      report(
        [...path, side, 'property'],
        `${rival[0]} already gives ${entityType} a “${property}”`,
      );
    }
  }
  reportUnguarded([...path, 'thresholds'], document.thresholds, {}, report);
  return {
    name,
    from: document.from,
    to: document.to,
    thresholds: (document.thresholds ?? {}) as ThresholdSettings,
  };
}
