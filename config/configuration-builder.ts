/** From the document to values, checking what a schema cannot: names that refer to one another, and unguarded limits. */
import { resolve } from 'node:path';
import type { ConnectorKind } from '../engine/connector-kind.ts';
import type { Association, EntityType, Property, ValueOrigin } from '../engine/entity-type.ts';
import type { Source } from '../engine/source.ts';
import type { ThresholdSettings } from '../engine/threshold.ts';
import { compileConversion, type ValueFormat } from '../engine/value-format.ts';
import type {
  Configuration,
  ConfigurationSource,
  ConnectorReach,
  ConnectorSettings,
} from './configuration.ts';
import { type ConnectedDocument, connectedDocument } from './connected-document.ts';
import { modesOf } from './connector-modes.ts';
import { daysOf } from './days.ts';
import type {
  AssociationDocument,
  ConfigurationDocument,
  ConnectorDocument,
  EntityTypeDocument,
  PropertyDocument,
  SourceDocument,
} from './document.ts';
import { driftContract } from './drift-contract.ts';
import { problemsOfExpression } from './expression-problems.ts';
import { didYouMean, type Finding } from './finding.ts';
import { reportUnguarded } from './guard.ts';
import { buildManaged } from './managed-builder.ts';
import { buildMappings } from './mapping-builder.ts';
import { NamedSources } from './named-sources.ts';
import { formatOptions, optionsOfType, readFormat } from './property-format.ts';
import { readSchedules } from './schedule-document.ts';
import { readScim } from './scim-document.ts';
import { membersSource, problemOfPath, resourceSource } from './scim-source.ts';
import { problemOfUrl, secondsOf } from './source-document.ts';

/** Turns the document into values and checks what a schema cannot: names that refer to one another. */
export class ConfigurationBuilder {
  readonly #whole: ConfigurationDocument;
  readonly #document: ConnectedDocument;
  readonly #origin: ConfigurationSource;
  readonly #findings: Finding[];
  readonly #sources = new NamedSources();

  constructor(document: ConfigurationDocument, source: ConfigurationSource, findings: Finding[]) {
    this.#whole = document;
    this.#document = connectedDocument(document);
    this.#origin = source;
    this.#findings = findings;
  }

  build(): Configuration {
    const report = (path: readonly string[], message: string) => this.#report(path, message);
    return {
      version: this.#origin.version,
      ...buildManaged(this.#whole, report),
      mappings: buildMappings(this.#whole, this.#document, report),
      connectors: mapRecord(this.#document.connectors, (name, value) =>
        this.#connector(name, value),
      ),
      entityTypes: mapRecord(this.#document.entityTypes, (name, value) =>
        this.#entityType(name, value),
      ),
      associations: mapRecord(this.#document.associations, (name, value) =>
        this.#association(name, value),
      ),
    };
  }

  #report(path: readonly (string | number)[], message: string): void {
    this.#findings.push({ path, message });
  }

  #connector(name: string, document: ConnectorDocument): ConnectorSettings {
    const path = ['connectors', name];
    const modes = modesOf(this.#document, name);
    this.#guard([...path, 'thresholds'], document.thresholds);
    const approvers = new Set(document.approvers);
    if (document.approvers && (document.approvals ?? 1) > approvers.size) {
      this.#report([...path, 'approvals'], `there are only ${approvers.size} approvers`);
    }
    return {
      name,
      enabled: document.enabled ?? true,
      modes,
      ...this.#reach(name, document),
      schedules: readSchedules(document.kind, modes, document.schedules ?? {}, (inner, message) =>
        this.#report([...path, 'schedules', ...inner], message),
      ),
      approvers: document.approvers,
      approvals: document.approvals ?? 1,
      keepExtractionsDays: daysOf(document.keepExtractions ?? '30d'),
      thresholds: (document.thresholds ?? {}) as ThresholdSettings,
    };
  }

  #reach(name: string, document: ConnectorDocument): ConnectorReach {
    switch (document.kind) {
      case 'csv':
        return {
          kind: 'csv',
          directory: resolve(this.#origin.directory, document.directory),
          delimiter: document.delimiter ?? 'auto',
          encoding: document.encoding ?? 'auto',
          settle: document.settle,
        };
      case 'sql': {
        const path = ['connectors', name, 'url'];
        const problem = problemOfUrl(this.#origin.document, path);
        if (problem !== undefined) this.#report(path, problem);
        return {
          kind: 'sql',
          url: document.url,
          timeoutSeconds: secondsOf(document.timeout ?? '1h'),
        };
      }
      case 'xlsx':
        return { kind: 'xlsx', directory: resolve(this.#origin.directory, document.directory) };
      case 'scim': {
        const { document: all, directory } = this.#origin;
        const written = (all as { connectors?: Record<string, unknown> }).connectors?.[name];
        return readScim(document, written, directory, (inner, message) =>
          this.#report(['connectors', name, ...inner], message),
        );
      }
    }
  }

  #entityType(name: string, document: EntityTypeDocument): EntityType {
    const path = ['entityTypes', name];
    this.#knownConnector(path, document.connector);
    const kind = this.#document.connectors[document.connector]?.kind;
    const properties = Object.entries(document.properties).map(([property, value]) =>
      this.#property([...path, 'properties', property], property, value, kind),
    );
    const key = properties.find((property) => property.name === document.key);
    if (!key) {
      const names = properties.map((property) => property.name);
      this.#report(
        [...path, 'key'],
        `“${document.key}” is not a property of ${name}${didYouMean(document.key, names)}`,
      );
    } else if (key.kind === 'reference') {
      this.#report([...path, 'key'], 'the key must be a scalar property, not a reference');
    }
    this.#guard(
      [...path, 'thresholds'],
      document.thresholds,
      this.#connectorLimits(document.connector),
    );
    const searchable = Object.entries(document.properties).filter(([, value]) => value.searchable);
    return {
      ...document,
      name,
      source: this.#source(
        path,
        document,
        key?.origin.from === 'column' ? [key.origin.column] : [],
      ),
      properties,
      searchable: searchable.map(([property]) => property),
      thresholds: (document.thresholds ?? {}) as ThresholdSettings,
      drift: driftContract(document.drift),
    };
  }

  #property(
    path: readonly string[],
    name: string,
    document: PropertyDocument,
    kind: ConnectorKind | undefined,
  ): Property {
    const { expression, references } = document;
    const column = this.#column(path, document, kind);
    if ((column === undefined) === (expression === undefined)) {
      this.#report(path, `needs either a ${kind === 'scim' ? 'path' : 'column'} or an expression`);
    }
    for (const problem of expression === undefined ? [] : problemsOfExpression(expression)) {
      this.#report([...path, 'expression'], problem);
    }
    const origin: ValueOrigin =
      expression === undefined
        ? { from: 'column', column: column ?? '' }
        : { from: 'expression', expression };
    if (references === undefined) {
      return { kind: 'scalar', name, origin, format: this.#format(path, document, kind) };
    }
    if (document.type !== undefined) {
      this.#report(
        [...path, 'type'],
        'a reference takes the type of the key it refers to; leave it out',
      );
    }
    if (document.searchable !== undefined) {
      this.#report([...path, 'searchable'], 'links are always fast to search; leave it out');
    }
    this.#knownEntityType([...path, 'references'], references);
    return { kind: 'reference', name, origin, references };
  }

  /** What the source calls a property: a column, or of a service a path. */
  #column(
    path: readonly string[],
    { column, path: attribute }: PropertyDocument,
    kind: ConnectorKind | undefined,
  ): string | undefined {
    if (kind !== 'scim') {
      if (attribute !== undefined) {
        this.#report([...path, 'path'], 'is for a scim connector; write `column`');
      }
      return column ?? attribute;
    }
    if (column !== undefined) {
      this.#report([...path, 'column'], 'is not for a scim connector; write `path`');
    }
    const problem = attribute === undefined ? undefined : problemOfPath(attribute);
    if (problem !== undefined) this.#report([...path, 'path'], problem);
    return attribute ?? column;
  }

  #format(
    path: readonly string[],
    document: PropertyDocument,
    kind: ConnectorKind | undefined,
  ): ValueFormat {
    const type = document.type ?? 'string';
    for (const option of formatOptions) {
      if (document[option] !== undefined && !optionsOfType[type].includes(option)) {
        this.#report([...path, option], `has no meaning for type ${type}`);
      }
    }
    const format = readFormat(type, document, kind);
    if (format.type === 'number' && format.decimalSeparator === format.groupSeparator) {
      this.#report(path, 'decimalSeparator and groupSeparator are the same');
    }
    try {
      compileConversion(format);
    } catch (error) {
      const option = /time ?zone/i.test((error as Error).message) ? 'timezone' : 'format';
      this.#report([...path, option], (error as Error).message);
    }
    return format;
  }

  #association(name: string, document: AssociationDocument): Association {
    const path = ['associations', name];
    this.#knownConnector(path, document.connector);
    this.#guard(
      [...path, 'thresholds'],
      document.thresholds,
      this.#connectorLimits(document.connector),
    );
    for (const side of ['from', 'to'] as const) {
      const { entityType, property } = document[side];
      this.#knownEntityType([...path, side, 'entityType'], entityType);
      const taken = Object.keys(this.#document.entityTypes[entityType]?.properties ?? {});
      if (taken.includes(property)) {
        this.#report(
          [...path, side, 'property'],
          `${entityType} already has a property “${property}”`,
        );
      }
    }
    const rivals = Object.entries(this.#document.associations).filter(([other]) => other !== name);
    for (const side of ['from', 'to'] as const) {
      const { entityType, property } = document[side];
      const rival = rivals.find(([, other]) =>
        [other.from, other.to].some(
          (end) => end.entityType === entityType && end.property === property,
        ),
      );
      if (rival) {
        this.#report(
          [...path, side, 'property'],
          `${rival[0]} already gives ${entityType} a “${property}”`,
        );
      }
    }
    const { source, columns } = this.#linkSource(name, document);
    return {
      ...document,
      name,
      source,
      from: { ...document.from, column: columns.from },
      to: { ...document.to, column: columns.to },
      thresholds: (document.thresholds ?? {}) as ThresholdSettings,
      drift: driftContract(document.drift),
    };
  }

  /** The source of an association, with the column of either end. */
  #linkSource(
    name: string,
    document: AssociationDocument,
  ): { source: Source; columns: { from: string; to: string } } {
    const path = ['associations', name];
    if (this.#document.connectors[document.connector]?.kind === 'scim') {
      return membersSource(this.#document, name, document, (inner, message) =>
        this.#report([...path, ...inner], message),
      );
    }
    for (const side of ['from', 'to'] as const) {
      if (document[side].column === undefined) {
        this.#report([...path, side], 'needs the column with the key of this end');
      }
    }
    const columns = { from: document.from.column ?? '', to: document.to.column ?? '' };
    return { source: this.#source(path, document, [columns.from, columns.to]), columns };
  }

  #knownConnector(path: readonly string[], connector: string): void {
    const known = Object.keys(this.#document.connectors);
    if (!known.includes(connector)) {
      this.#report(
        [...path, 'connector'],
        `there is no connector “${connector}”${didYouMean(connector, known)}`,
      );
    }
  }

  #knownEntityType(path: readonly string[], entityType: string): void {
    const known = Object.keys(this.#document.entityTypes);
    if (!known.includes(entityType)) {
      this.#report(path, `there is no entity type “${entityType}”${didYouMean(entityType, known)}`);
    }
  }

  /** @param identity the columns that make a key */
  #source(
    [section = '', mapped = '']: readonly string[],
    { connector, source }: { readonly connector: string; readonly source: SourceDocument },
    identity: readonly string[],
  ): Source {
    const kind = this.#document.connectors[connector]?.kind;
    if (kind === 'scim') {
      return resourceSource(this.#document, connector, source, (inner, message) =>
        this.#report([section, mapped, 'source', ...inner], message),
      );
    }
    return this.#sources.read(source, { connector, kind, mapped, identity }, (inner, message) =>
      this.#report([section, mapped, 'source', ...inner], message),
    );
  }

  #connectorLimits(connector: string): ThresholdSettings {
    return (this.#document.connectors[connector]?.thresholds ?? {}) as ThresholdSettings;
  }

  #guard(
    path: readonly string[],
    own: object | undefined,
    inherited: ThresholdSettings = {},
  ): void {
    reportUnguarded(path, own, inherited, (place, message) => this.#report(place, message));
  }
}

function mapRecord<In, Out>(
  record: Record<string, In>,
  map: (name: string, value: In) => Out,
): Map<string, Out> {
  return new Map(Object.entries(record).map(([name, value]) => [name, map(name, value)]));
}
