/** The part of `lockstep.yaml` that connected systems say: without what is managed by us. */
import type {
  AssociationDocument,
  ConfigurationDocument,
  ConnectorDocument,
  EntityTypeDocument,
} from './document.ts';

export interface ConnectedDocument {
  readonly connectors: Readonly<Record<string, ConnectorDocument>>;
  readonly entityTypes: Readonly<Record<string, EntityTypeDocument>>;
  readonly associations: Readonly<Record<string, AssociationDocument>>;
}

/**
 * Takes out what is managed. A SCIM entity type that a mapping writes to, or links to from there, gets the property `id`, by
 * which its resources are addressed, unless it has one of that path or name.
 */
export function connectedDocument(document: ConfigurationDocument): ConnectedDocument {
  const { connectors, entityTypes, associations = {}, mappings = {} } = document;
  const targets = new Set(Object.values(mappings).map(({ target }) => target));
  // What a link that is written leads to is named by its id, too.
  for (const name of [...targets]) {
    for (const { references } of Object.values(entityTypes[name]?.properties ?? {})) {
      if (references !== undefined) targets.add(references);
    }
    for (const { from, to } of Object.values(associations)) {
      const ends = [from.entityType, to.entityType];
      if (ends.includes(name)) for (const end of ends) targets.add(end);
    }
  }
  const addressed = (name: string, type: EntityTypeDocument): EntityTypeDocument => {
    if (!targets.has(name) || connectors[type.connector]?.kind !== 'scim') return type;
    const has = Object.values(type.properties).some(({ path }) => path === 'id');
    if (has || type.properties['id'] !== undefined) return type;
    return { ...type, properties: { ...type.properties, id: { path: 'id' } } };
  };
  return {
    connectors,
    entityTypes: Object.fromEntries(
      Object.entries(entityTypes).flatMap(([name, type]) =>
        type.managed ? [] : [[name, addressed(name, type)]],
      ),
    ),
    associations: Object.fromEntries(
      Object.entries(associations).flatMap(([name, each]) => (each.managed ? [] : [[name, each]])),
    ),
  };
}
