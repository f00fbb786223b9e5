/** The shape of `lockstep.yaml`, as validators from which the JSON Schema for editors is generated too. */
import { z } from 'zod';
import { weekdays } from '../engine/schedule.ts';
import { type LimitName, limitDefaults } from '../engine/threshold.ts';
import { drift, linkDrift } from './drift-document.ts';
import {
  managedAssociationOptions,
  managedOptions,
  managedProperties,
} from './managed-document.ts';
import { mappingOptions } from './mapping-document.ts';
import { propertyType, searchable } from './property-options.ts';
import { scimOptions } from './scim-document.ts';

const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'a name starts with a letter and holds letters, digits and _')
  .max(63, 'a name has at most 63 characters');

const unlimited = z.literal('unlimited');
const absolute = z.union([z.int().min(0), unlimited]);
const percentage = z.union([z.number().min(0).max(1000), unlimited]);

const limitShape = Object.fromEntries(
  (Object.keys(limitDefaults) as LimitName[]).map((limit) => [
    limit,
    (limit.includes('Percentage') ? percentage : absolute)
      .optional()
      .describe(`Default ${limitDefaults[limit]}. A job that plans more asks a person first.`),
  ]),
) as Record<LimitName, z.ZodOptional<typeof absolute>>;

const thresholds = z
  .strictObject({
    ...limitShape,
    maximumLinkDeletedLinesPerResource: absolute
      .optional()
      .describe(
        'No single resource may lose more links than this in one job. Default: not limited.',
      ),
    percentageFloor: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .describe('Percentages are judged only when more lines than this are planned. Default 10.'),
  })
  .describe('Limits; what is left out is inherited from the connector, then from the defaults.');

const schedule = z.union([
  z.literal('never'),
  z.strictObject({
    every: z
      .string()
      .regex(/^[1-9]\d{0,3}[mhdw]$/, 'an interval is a number and m, h, d or w, as in 4h or 1d')
      .describe('m minutes, h hours, d days, w weeks.'),
    at: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is written HH:MM')
      .optional()
      .describe(
        'Time of day; only with every: 1d or 1w. Avoid 02:00 to 03:00 where clocks change.',
      ),
    on: z
      .enum(weekdays)
      .optional()
      .describe('Day of the week; only with every: 1w. Default monday.'),
    timezone: z.string().optional().describe('IANA name of the zone of `at`. Default UTC.'),
  }),
]);

/** What connectors of every kind have. */
const commonOfConnectors = {
  enabled: z
    .boolean()
    .optional()
    .describe(
      'false: no job of it starts, by a schedule or by hand, and nothing is written to it. Default true.',
    ),
  schedules: z
    .strictObject({ complete: schedule.optional(), incremental: schedule.optional() })
    .optional()
    .describe(
      'When jobs start by themselves. Default: complete every day at 02:00 UTC, incremental every 4 hours where the kind can.',
    ),
  approvers: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Temporal identities or principals that may resume or abort. Default: everybody.'),
  approvals: z
    .int()
    .min(1)
    .max(5)
    .optional()
    .describe(
      'How many different people must resume a blocked job before it goes on; one is enough to abort it. Default 1.',
    ),
  keepExtractions: z
    .string()
    .regex(/^([1-9]\d{0,3}[dw]|forever)$/, 'write a number and d or w, as in 30d, or forever')
    .optional()
    .describe(
      'How long extractions are kept: d days, w weeks, or forever. Older ones are removed by the next export, but for the one loaded last and those in use. They hold identity data. Default 30d.',
    ),
  thresholds: thresholds.optional(),
};

const csvConnector = z.strictObject({
  kind: z.literal('csv').describe('A directory of delimited text files with a header.'),
  directory: z.string().min(1).describe('Where the files are; relative to lockstep.yaml.'),
  delimiter: z
    .enum(['auto', ',', ';', '\t', '|'])
    .optional()
    .describe('Default auto: the one of , ; tab | that the header uses most, outside quotes.'),
  encoding: z
    .enum(['auto', 'utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1', 'iso-8859-15'])
    .optional()
    .describe(
      'Default auto: UTF-16 by its byte order mark, else UTF-8. Invalid bytes stop the export.',
    ),
  settle: z
    .number()
    .min(0)
    .max(3600)
    .optional()
    .describe(
      'Seconds that a file must have been left alone before it is read. Default: 2 for a file whose last line has no end, else 0.',
    ),
  ...commonOfConnectors,
});

const sqlConnector = z.strictObject({
  kind: z.literal('sql').describe('Tables and queries of a PostgreSQL database.'),
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'an address begins with postgresql://')
    .describe(
      `postgresql://user:password@host/database?sslmode=verify-full, from the environment: \${HR_DATABASE_URL}. Without sslmode nothing is encrypted. Give it a user that may only read.`,
    ),
  timeout: z
    .string()
    .regex(/^[1-9]\d{0,3}[smh]$/, 'a time is a number and s, m or h, as in 30m')
    .optional()
    .describe('How long one source may take. Default 1h.'),
  ...commonOfConnectors,
});

const xlsxConnector = z.strictObject({
  kind: z.literal('xlsx').describe('A directory of XLSX workbooks, whose sheets have a header.'),
  directory: z.string().min(1).describe('Where the workbooks are; relative to lockstep.yaml.'),
  ...commonOfConnectors,
});

const scimConnector = z.strictObject({ ...scimOptions, ...commonOfConnectors });

const connector = z.discriminatedUnion('kind', [
  csvConnector,
  sqlConnector,
  xlsxConnector,
  scimConnector,
]);

const common = {
  column: z.string().min(1).optional().describe('Heading of the source column.'),
  path: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Where a connector is scim, instead of a column: the attribute, as in name.givenName or emails[type eq "work"].value.',
    ),
  expression: z
    .string()
    .min(1)
    .optional()
    .describe('JSONata over the properties of the row, instead of a column.'),
};

const property = z.strictObject({
  ...common,
  type: propertyType,
  format: z
    .string()
    .min(1)
    .optional()
    .describe('Of a date or datetime, in UTS #35 symbols: dd/MM/yyyy. Default ISO 8601.'),
  timezone: z.string().optional().describe('Zone of a datetime without an offset. Default UTC.'),
  decimalSeparator: z.enum(['.', ',']).optional().describe('Of a number. Default “.”.'),
  groupSeparator: z
    .enum(['', '.', ',', ' ', "'"])
    .optional()
    .describe('Of a number. Default none.'),
  true: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Words for true. Default true, 1, yes.'),
  false: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Words for false. Default false, 0, no.'),
  searchable,
  references: z
    .string()
    .optional()
    .describe('Entity type whose key the value is: the property becomes a link.'),
});

const rowSource = z
  .strictObject({
    table: z.string().min(1).optional().describe('Table or view, as in hr.person.'),
    query: z.string().min(1).optional().describe('One select statement, instead of a table.'),
    watermark: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Column whose value grows with every change of its row: a timestamp, date, integer, or xmin. Default: incremental jobs read everything of this source.',
      ),
    overlap: z
      .union([
        z.string().regex(/^\d{1,4}[smhd]$/, 'an overlap is a number and s, m, h or d, as in 15m'),
        z.int().min(0),
      ])
      .optional()
      .describe(
        'How far before the last export to begin again: longer than any transaction that writes. Default 5m, or 1000 versions.',
      ),
    deleted: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Column that marks a row as deleted: a boolean, or a timestamp or date that is set.',
      ),
  })
  .describe('A table or query of a database.');

const fileSource = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .describe('File name within the connector’s directory, or a pattern: people-*.csv.'),
    pick: z
      .enum(['newest', 'all'])
      .optional()
      .describe(
        'Which of the files that match the pattern: the newest (default), or all of them as one (CSV only).',
      ),
    sheet: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Name of the sheet. Default the first one that is not hidden.'),
    headerRow: z
      .int()
      .min(1)
      .max(1_048_576)
      .optional()
      .describe('Number of the row with the headings. Default the first that holds anything.'),
  })
  .describe('A file, or a sheet of a workbook.');

const source = z
  .union([z.string().min(1), rowSource, fileSource])
  .describe(
    'File name within the connector’s directory (or a pattern: people-*.csv), sheet of a workbook, table of its database, or resource type of its service.',
  );

const notManaged = z.literal(false).optional();

const connectedType = z.strictObject({
  managed: notManaged,
  connector: z.string(),
  source,
  key: z.string().describe('The property that identifies a resource.'),
  properties: z.record(name, property),
  thresholds: thresholds.optional(),
  drift: drift.optional(),
});

const managedType = z.strictObject({
  ...managedOptions,
  properties: z.record(name, managedProperties),
  thresholds: thresholds.optional(),
});

const end = z.strictObject({
  entityType: z.string(),
  property: name.describe('Name of the navigation property that this end gets.'),
  column: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Heading of the column with the key of this end. Where a connector is scim it is the key of the entity type; leave it out.',
    ),
});

const connectedAssociation = z.strictObject({
  managed: notManaged,
  connector: z.string(),
  source,
  from: end,
  to: end,
  thresholds: thresholds.optional(),
  drift: linkDrift.optional(),
});

const managedEnd = end.pick({ entityType: true, property: true });

const managedAssociation = z.strictObject({
  ...managedAssociationOptions,
  from: managedEnd,
  to: managedEnd,
  thresholds: thresholds.optional(),
});

const mapping = z.strictObject({ ...mappingOptions, thresholds: thresholds.optional() });

/** `lockstep.yaml` as a person writes it. */
export const configurationDocument = z.strictObject({
  $schema: z.string().optional(),
  connectors: z.record(name, connector),
  entityTypes: z.record(name, z.discriminatedUnion('managed', [managedType, connectedType])),
  associations: z
    .record(name, z.discriminatedUnion('managed', [managedAssociation, connectedAssociation]))
    .optional(),
  mappings: z.record(name, mapping).optional(),
});

export type ConfigurationDocument = z.infer<typeof configurationDocument>;
export type EntityTypeDocument = z.infer<typeof connectedType>;
export type ManagedTypeDocument = z.infer<typeof managedType>;
export type AssociationDocument = z.infer<typeof connectedAssociation>;
export type ManagedAssociationDocument = z.infer<typeof managedAssociation>;
export type MappingDocument = z.infer<typeof mapping>;
export type ConnectorDocument = z.infer<typeof connector>;
export type PropertyDocument = z.infer<typeof property>;
export type SourceDocument = z.infer<typeof source>;
export type ScheduleDocument = z.infer<typeof schedule>;

/** The JSON Schema (draft 2020-12) that editors check `lockstep.yaml` with. */
export function configurationJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(configurationDocument, { target: 'draft-2020-12' }),
    title: 'lockstep.yaml',
  };
}
