/** `lockstep.yaml` → validated connectors, entity types and associations; every problem is found at once. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { Association, EntityType } from '../engine/entity-type.ts';
import { LockstepError } from '../engine/errors.ts';
import type { Mode } from '../engine/job.ts';
import type { ManagedAssociation, ManagedType } from '../engine/managed-type.ts';
import type { Mapping } from '../engine/mapping.ts';
import type { Schedules } from '../engine/schedule.ts';
import type { ThresholdSettings } from '../engine/threshold.ts';
import { ConfigurationBuilder } from './configuration-builder.ts';
import { type ConnectorDocument, configurationDocument } from './document.ts';
import { interpolate } from './environment-reference.ts';
import { configurationError, type Finding, YamlPlaces } from './finding.ts';
import { findingsOf, withoutFaults } from './issue.ts';
import type { ScimReach } from './scim-document.ts';

/** What connectors of every kind have. */
interface CommonSettings {
  readonly name: string;
  /** False: no job of it starts. */
  readonly enabled: boolean;
  /** In which it can be exported: what its kind can, and its sources. */
  readonly modes: readonly Mode[];
  readonly schedules: Schedules;
  readonly approvers: readonly string[] | undefined;
  /** How many different people have to resume a blocked job. */
  readonly approvals: number;
  /** How long extractions are kept, in days; null for ever. */
  readonly keepExtractionsDays: number | null;
  readonly thresholds: ThresholdSettings;
}

type CsvDocument = Extract<ConnectorDocument, { kind: 'csv' }>;

/** How to reach the files of a CSV connector. */
export interface CsvReach {
  readonly kind: 'csv';
  /** Absolute. */
  readonly directory: string;
  readonly delimiter: NonNullable<CsvDocument['delimiter']>;
  readonly encoding: NonNullable<CsvDocument['encoding']>;
  /** Seconds; undefined: only a file that looks unfinished has to rest. */
  readonly settle: number | undefined;
}

/** How to reach the database of a SQL connector. */
export interface SqlReach {
  readonly kind: 'sql';
  /** With the password in it: never to be printed. */
  readonly url: string;
  readonly timeoutSeconds: number;
}

/** How to reach the workbooks of an XLSX connector. */
export interface XlsxReach {
  readonly kind: 'xlsx';
  /** Absolute. */
  readonly directory: string;
}

/** How to reach a connected system: what only connectors of its kind have. */
export type ConnectorReach = CsvReach | SqlReach | XlsxReach | ScimReach;

/** A connected system and how to reach it. */
export type ConnectorSettings = CommonSettings & ConnectorReach;

/** A validated configuration. Jobs keep the version they started with, whatever happens to the file. */
export interface Configuration {
  /** SHA-256 of the document, before the environment is put in. */
  readonly version: string;
  readonly connectors: ReadonlyMap<string, ConnectorSettings>;
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  readonly associations: ReadonlyMap<string, Association>;
  readonly managedTypes: ReadonlyMap<string, ManagedType>;
  readonly managedAssociations: ReadonlyMap<string, ManagedAssociation>;
  readonly mappings: ReadonlyMap<string, Mapping>;
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
  const lineCounter = new LineCounter();
  // A pretty error would quote the file, which may be any file at all.
  const yaml = parseDocument(text, { prettyErrors: false, lineCounter });
  const fault = yaml.errors[0];
  if (fault) {
    const { line } = lineCounter.linePos(fault.pos[0]);
    throw new LockstepError(
      'ConfigurationInvalid',
      `${file}:${line}  is not YAML: ${fault.message}`,
    );
  }
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
  if (!parsed.success) findings.push(...parsed.error.issues.flatMap(findingsOf));
  // What is left without the faults is checked too, so that one look shows every problem.
  const sound = parsed.success
    ? parsed
    : configurationDocument.safeParse(withoutFaults(document, parsed.error.issues));
  if (!sound.success) throw configurationError(file, findings, places);
  const configuration = new ConfigurationBuilder(sound.data, source, findings).build();
  if (findings.length > 0) throw configurationError(file, findings, places);
  return configuration;
}
