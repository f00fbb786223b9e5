/** Connector kind → its code. */
import type { Connector } from './connector.ts';
import { type CsvSettings, createCsvConnector } from './csv/csv-connector.ts';

/** The settings of any kind of connector. */
export type ConnectorOptions = { readonly kind: 'csv' } & CsvSettings;

/** Returns the connector of these settings; nothing is opened yet. */
export function createConnector(options: ConnectorOptions): Connector {
  switch (options.kind) {
    case 'csv':
      return createCsvConnector(options);
  }
}
