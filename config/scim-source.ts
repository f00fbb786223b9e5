/** The sources of a SCIM connector as written: resource types with the paths mapped of them, and attributes that are links. */
import { parseAttributePath } from '../engine/attribute-path.ts';
import {
  memberColumn,
  type ScimMembersSource,
  type ScimSource,
  type ScimTarget,
  type Source,
} from '../engine/source.ts';
import type { ConnectedDocument } from './connected-document.ts';
import type { AssociationDocument, SourceDocument } from './document.ts';

type Report = (path: readonly string[], message: string) => void;

/** Says what is wrong with an attribute path; undefined when nothing is. */
export function problemOfPath(path: string): string | undefined {
  try {
    parseAttributePath(path);
    return path === path.trim() ? undefined : 'begins or ends with a blank';
  } catch (error) {
    return (error as Error).message;
  }
}

/** A resource type. Entity types that share it share its rows, so these have a column for every path of any of them. */
export function resourceSource(
  { entityTypes }: ConnectedDocument,
  connector: string,
  source: SourceDocument,
  report: Report,
): Source<ScimSource> {
  if (typeof source !== 'string' || !/^[A-Za-z][\w-]*$/.test(source)) {
    report([], 'must be a resource type of the service, as in User');
    return { name: '', options: { resourceType: '', paths: [], references: [] } };
  }
  const mapped = Object.values(entityTypes).filter(
    (each) => each.connector === connector && each.source === source,
  );
  const properties = mapped.flatMap((each) => Object.values(each.properties));
  const keys = mapped.flatMap(({ key, properties: own }) => own[key]?.path ?? []);
  const paths = properties.flatMap(({ path }) => (path === undefined ? [] : [path]));
  const references = properties.flatMap(({ path, references: target }) => {
    const found = target === undefined ? undefined : targetOf(entityTypes, connector, target);
    return path === undefined || found === undefined ? [] : [{ path, target: found }];
  });
  return {
    name: source,
    options: {
      resourceType: source,
      paths: [...new Set(paths)],
      ...(keys.length === mapped.length && { keys: [...new Set(keys)] }),
      references,
    },
  };
}

/** An attribute whose elements refer to resources, as a source, with the column of either end. */
export function membersSource(
  document: ConnectedDocument,
  name: string,
  association: AssociationDocument,
  report: Report,
): { source: Source<ScimMembersSource>; columns: { from: string; to: string } } {
  const { connector, source, from, to } = association;
  const [, resourceType = '', attribute = ''] =
    /^([A-Za-z][\w-]*)\.([A-Za-z][\w-]*)$/.exec(typeof source === 'string' ? source : '') ?? [];
  if (attribute === '') {
    report(['source'], 'must be an attribute with links of a resource type, as in Group.members');
  }
  const ends = { from, to };
  const typeOf = (side: 'from' | 'to') => document.entityTypes[ends[side].entityType]?.source;
  // Of groups within groups, the one they are `from` holds the others.
  const holder = typeOf('from') === resourceType ? 'from' : 'to';
  const member = holder === 'from' ? 'to' : 'from';
  if (attribute !== '' && typeOf(holder) !== resourceType) {
    report(['source'], `neither end of it is an entity type of ${resourceType}`);
  }
  const keyAt = (side: 'from' | 'to') => {
    const { entityType, column } = ends[side];
    if (column !== undefined) {
      report(
        [side, 'column'],
        'is the key of its entity type where a connector is scim; leave it out',
      );
    }
    const target = targetOf(document.entityTypes, connector, entityType);
    if (document.entityTypes[entityType] && target === undefined) {
      report([side, 'entityType'], `must be of connector ${connector}, and its key have a path`);
    }
    return target ?? { resourceType: '', key: '' };
  };
  const [held, found] = [keyAt(holder), keyAt(member)];
  const isAlone = sameSource(document.associations, association) === 1;
  const options = { resourceType, attribute, holder: held.key, member: found };
  const column = memberColumn(attribute, found);
  return {
    source: {
      // Two that read the same attribute for other members are two sources.
      name: isAlone ? `${resourceType}.${attribute}` : `${resourceType}.${attribute} ${name}`,
      options,
    },
    columns: holder === 'from' ? { from: held.key, to: column } : { from: column, to: held.key },
  };
}

function sameSource(
  associations: ConnectedDocument['associations'],
  { connector, source }: AssociationDocument,
): number {
  return Object.values(associations).filter(
    (each) => each.connector === connector && each.source === source,
  ).length;
}

/** By what resources of an entity type of this connector are known. */
function targetOf(
  entityTypes: ConnectedDocument['entityTypes'],
  connector: string,
  name: string,
): ScimTarget | undefined {
  const entityType = entityTypes[name];
  const key = entityType?.properties[entityType.key]?.path;
  if (entityType?.connector !== connector || key === undefined) return undefined;
  return { resourceType: String(entityType.source), key };
}
