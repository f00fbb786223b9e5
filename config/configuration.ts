/** `lockstep.yaml` → validated connectors, entity types and associations; every problem is found at once. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import jsonata from 'jsonata';
import { parseDocument } from 'yaml';
import { type ConnectorKind, supportsMode } from '../engine/connector-kind.ts';
import type { Association, EntityType, Property, ValueOrigin } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Schedules } from '../engine/schedule.ts';
import {
  resolveThresholds,
  type ThresholdSettings,
  unguardedChanges,
} from '../engine/threshold.ts';
import {
  compileConversion,
  defaultBooleanWords,
  type ValueFormat,
} from '../engine/value-format.ts';
import {
  type ConfigurationDocument,
  type ConnectorDocument,
  configurationDocument,
  type PropertyDocument,
} from './document.ts';
import { interpolate } from './environment-reference.ts';
import { configurationError, didYouMean, type Finding, YamlPlaces } from './finding.ts';
import { findingsOf } from './issue.ts';
import { readSchedules } from './schedule-document.ts';

/** A connected system and how to reach it. */
export interface ConnectorSettings {
  readonly name: string;
  readonly kind: ConnectorKind;
  /** Absolute. */
  readonly directory: string;
  readonly delimiter: NonNullable<ConnectorDocument['delimiter']>;
  readonly encoding: NonNullable<ConnectorDocument['encoding']>;
  readonly schedules: Schedules;
  readonly approvers: readonly string[] | undefined;
  readonly thresholds: ThresholdSettings;
}

/** A validated configuration. Jobs keep the version they started with, whatever happens to the file. */
export interface Configuration {
  /** SHA-256 of the document, before the environment is put in. */
  readonly version: string;
  readonly connectors: ReadonlyMap<string, ConnectorSettings>;
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  readonly associations: ReadonlyMap<string, Association>;
}

/** What is kept of a configuration file so that a job can be prepared with it again: without any secret. */
export interface ConfigurationSource {
  readonly version: string;
  /** The parsed file, `${ENV_NAME}` still in place. */
  readonly document: unknown;
  /** Directory of the file, against which relative paths are resolved. */
  readonly directory: string;
}

/**
 * Reads and validates a configuration file.
 *
 * @throws LockstepError `ConfigurationInvalid` listing every finding with its line and path.
 */
export async function readConfiguration(
  file: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ configuration: Configuration; source: ConfigurationSource }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new LockstepError(
      'ConfigurationInvalid',
      `${file} cannot be read: ${(error as Error).message}`,
      {
        hint: 'Name the file with --config or LOCKSTEP_CONFIG, or start in the directory that holds lockstep.yaml.',
      },
    );
  }
  const yaml = parseDocument(text, { prettyErrors: true });
  const fault = yaml.errors[0];
  if (fault)
    throw new LockstepError('ConfigurationInvalid', `${file} is not YAML: ${fault.message}`);
  const document: unknown = yaml.toJS();
  const directory = dirname(resolve(file));
  const version = createHash('sha256')
    .update(JSON.stringify({ document, directory }))
    .digest('hex')
    .slice(0, 32);
  const source = { version, document, directory };
  return { configuration: validate(source, environment, file, new YamlPlaces(text)), source };
}

/** Validates a configuration that was kept, with the environment as it is now. */
export function parseConfiguration(
  source: ConfigurationSource,
  environment: NodeJS.ProcessEnv,
): Configuration {
  return validate(source, environment, 'lockstep.yaml');
}

function validate(
  source: ConfigurationSource,
  environment: NodeJS.ProcessEnv,
  file: string,
  places?: YamlPlaces,
): Configuration {
  const findings: Finding[] = [];
  const document = interpolate(source.document ?? {}, environment, findings);
  const parsed = configurationDocument.safeParse(document);
  if (!parsed.success) {
    findings.push(...parsed.error.issues.flatMap(findingsOf));
    throw configurationError(file, findings, places);
  }
  const configuration = new Builder(parsed.data, source, findings).build();
  if (findings.length > 0) throw configurationError(file, findings, places);
  return configuration;
}

/** Turns the document into values and checks what a schema cannot: names that refer to one another. */
class Builder {
  readonly #document: ConfigurationDocument;
  readonly #source: ConfigurationSource;
  readonly #findings: Finding[];

  constructor(document: ConfigurationDocument, source: ConfigurationSource, findings: Finding[]) {
    this.#document = document;
    this.#source = source;
    this.#findings = findings;
  }

  build(): Configuration {
    return {
      version: this.#source.version,
      connectors: mapRecord(this.#document.connectors, (name, value) =>
        this.#connector(name, value),
      ),
      entityTypes: mapRecord(this.#document.entityTypes, (name, value) =>
        this.#entityType(name, value),
      ),
      associations: mapRecord(this.#document.associations ?? {}, (name, value) =>
        this.#association(name, value),
      ),
    };
  }

  #report(path: readonly (string | number)[], message: string): void {
    this.#findings.push({ path, message });
  }

  #connector(name: string, document: ConnectorDocument): ConnectorSettings {
    const path = ['connectors', name];
    const incremental = document.schedules?.incremental;
    if (
      incremental !== undefined &&
      incremental !== 'never' &&
      !supportsMode(document.kind, 'incremental')
    ) {
      this.#report(
        [...path, 'schedules', 'incremental'],
        `a ${document.kind} connector has no incremental mode; write never, or leave it out`,
      );
    }
    this.#guard([...path, 'thresholds'], document.thresholds);
    return {
      name,
      kind: document.kind,
      directory: resolve(this.#source.directory, document.directory),
      delimiter: document.delimiter ?? 'auto',
      encoding: document.encoding ?? 'auto',
      schedules: readSchedules(document.kind, document.schedules ?? {}, (inner, message) =>
        this.#report([...path, 'schedules', ...inner], message),
      ),
      approvers: document.approvers,
      thresholds: (document.thresholds ?? {}) as ThresholdSettings,
    };
  }

  #entityType(name: string, document: ConfigurationDocument['entityTypes'][string]): EntityType {
    const path = ['entityTypes', name];
    this.#knownConnector(path, document.connector);
    this.#plainFile(path, document.source);
    const properties = Object.entries(document.properties).map(([property, value]) =>
      this.#property([...path, 'properties', property], property, value),
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
    return {
      ...document,
      name,
      properties,
      thresholds: (document.thresholds ?? {}) as ThresholdSettings,
    };
  }

  #property(path: readonly string[], name: string, document: PropertyDocument): Property {
    const { column, expression, references } = document;
    if ((column === undefined) === (expression === undefined)) {
      this.#report(path, 'needs either a column or an expression');
    }
    if (expression !== undefined) this.#checkExpression([...path, 'expression'], expression);
    const origin: ValueOrigin =
      expression === undefined
        ? { from: 'column', column: column ?? '' }
        : { from: 'expression', expression };
    if (references === undefined) {
      return { kind: 'scalar', name, origin, format: this.#format(path, document) };
    }
    if (document.type !== undefined) {
      this.#report(
        [...path, 'type'],
        'a reference takes the type of the key it refers to; leave it out',
      );
    }
    this.#knownEntityType([...path, 'references'], references);
    return { kind: 'reference', name, origin, references };
  }

  #format(path: readonly string[], document: PropertyDocument): ValueFormat {
    const type = document.type ?? 'string';
    const allowed: Record<string, readonly (keyof PropertyDocument)[]> = {
      number: ['decimalSeparator', 'groupSeparator'],
      boolean: ['true', 'false'],
      date: ['format'],
      datetime: ['format', 'timezone'],
    };
    for (const option of [
      'format',
      'timezone',
      'decimalSeparator',
      'groupSeparator',
      'true',
      'false',
    ] as const) {
      if (document[option] !== undefined && !allowed[type]?.includes(option)) {
        this.#report([...path, option], `has no meaning for type ${type}`);
      }
    }
    const format = toFormat(type, document);
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

  #checkExpression(path: readonly string[], expression: string): void {
    try {
      jsonata(expression);
    } catch (error) {
      const { message, position } = error as { message: string; position?: number };
      this.#report(
        path,
        `is not JSONata: ${message}${position === undefined ? '' : ` (at character ${position})`}`,
      );
    }
    const changing = /\$(now|millis|random|shuffle)\s*\(/.exec(expression);
    if (changing) {
      this.#report(
        path,
        `$${changing[1]}() gives another value at every run, so every run would change every resource`,
      );
    }
  }

  #association(
    name: string,
    document: NonNullable<ConfigurationDocument['associations']>[string],
  ): Association {
    const path = ['associations', name];
    this.#knownConnector(path, document.connector);
    this.#plainFile(path, document.source);
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
    const rivals = Object.entries(this.#document.associations ?? {}).filter(
      ([other]) => other !== name,
    );
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
    return { ...document, name, thresholds: (document.thresholds ?? {}) as ThresholdSettings };
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

  #plainFile(path: readonly string[], source: string): void {
    if (source.startsWith('/') || source.split(/[\\/]/).includes('..')) {
      this.#report([...path, 'source'], 'must be a file within the directory of its connector');
    }
  }

  #connectorLimits(connector: string): ThresholdSettings {
    return (this.#document.connectors[connector]?.thresholds ?? {}) as ThresholdSettings;
  }

  /** Judges the limits a place sets together with those it inherits; a place that sets none was judged above it. */
  #guard(
    path: readonly string[],
    own: object | undefined,
    inherited: ThresholdSettings = {},
  ): void {
    if (own === undefined) return;
    for (const [absolute, percentage] of unguardedChanges(resolveThresholds(own, inherited))) {
      this.#report(
        path,
        `leaves a kind of change unguarded: give ${absolute} or ${percentage} a limit`,
      );
    }
  }
}

function toFormat(
  type: NonNullable<PropertyDocument['type']>,
  document: PropertyDocument,
): ValueFormat {
  switch (type) {
    case 'string':
    case 'integer':
      return { type };
    case 'number':
      return {
        type,
        decimalSeparator: document.decimalSeparator ?? '.',
        groupSeparator: document.groupSeparator ?? '',
      };
    case 'boolean':
      return {
        type,
        true: document.true ?? defaultBooleanWords.true,
        false: document.false ?? defaultBooleanWords.false,
      };
    case 'date':
      return { type, format: document.format ?? 'yyyy-MM-dd' };
    case 'datetime':
      return {
        type,
        format: document.format ?? "yyyy-MM-dd'T'HH:mm:ssXXX",
        timezone: document.timezone ?? 'UTC',
      };
  }
}

function mapRecord<In, Out>(
  record: Record<string, In>,
  map: (name: string, value: In) => Out,
): Map<string, Out> {
  return new Map(Object.entries(record).map(([name, value]) => [name, map(name, value)]));
}
