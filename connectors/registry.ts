/** Connector kind → its code. */

import type { ScimSettings } from '../engine/scim-settings.ts';
import type { Connector } from './connector.ts';
import { createCsvConnector } from './csv/csv-connector.ts';
import type { CsvSettings } from './csv/source-export.ts';
import { createScimConnector } from './scim/scim-connector.ts';
import { createScimWriter } from './scim/scim-writer.ts';
import { createSqlConnector } from './sql/sql-connector.ts';
import type { SqlSettings } from './sql/sql-driver.ts';
import type { Writer } from './writer.ts';
import { createXlsxConnector, type XlsxSettings } from './xlsx/xlsx-connector.ts';

/** The settings of any kind of connector. */
export type ConnectorOptions =
  | ({ readonly kind: 'csv' } & CsvSettings)
  | ({ readonly kind: 'sql' } & SqlSettings)
  | ({ readonly kind: 'xlsx' } & XlsxSettings)
  | ({ readonly kind: 'scim' } & ScimSettings);

/** Returns the connector of these settings; nothing is opened yet. */
export function createConnector(options: ConnectorOptions): Connector {
  switch (options.kind) {
    case 'csv':
      return createCsvConnector(options);
    case 'sql':
      return createSqlConnector(options);
    case 'xlsx':
      return createXlsxConnector(options);
    case 'scim':
      return createScimConnector(options);
  }
}

/** Returns what writes to the connected system of these settings; undefined for a kind that is only read. */
export function createWriter(options: ConnectorOptions): Writer | undefined {
  return options.kind === 'scim' ? createScimWriter(options) : undefined;
}
