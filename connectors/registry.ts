/** Connector kind → its code. */
import type { Connector } from './connector.ts';
import { type CsvSettings, createCsvConnector } from './csv/csv-connector.ts';
import { createSqlConnector } from './sql/sql-connector.ts';
import type { SqlSettings } from './sql/sql-driver.ts';

/** The settings of any kind of connector. */
export type ConnectorOptions =
  | ({ readonly kind: 'csv' } & CsvSettings)
  | ({ readonly kind: 'sql' } & SqlSettings);

/** Returns the connector of these settings; nothing is opened yet. */
export function createConnector(options: ConnectorOptions): Connector {
  switch (options.kind) {
    case 'csv':
      return createCsvConnector(options);
    case 'sql':
      return createSqlConnector(options);
  }
}
