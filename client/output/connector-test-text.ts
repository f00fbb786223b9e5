/** What a test of a connection found, in words. */
import type { ConnectorTest } from '../test-connector.ts';
import type { Terminal } from './terminal.ts';

/** One line for the outcome, and one for each thing that is known. */
export function connectorTestText({ colors }: Terminal, test: ConnectorTest): string {
  const { name, kind, version, ok, error } = test;
  const what = `${name} (${kind}${version === null ? '' : ` ${version}`})`;
  if (!ok && error !== null) {
    const cause = error.cause === null ? '' : ` [${error.cause}]`;
    return [
      `${colors.red('✗')} ${what} cannot be read: ${error.code}${cause}`,
      `  ${error.message}`,
      `  ${colors.dim(error.hint)}`,
    ].join('\n');
  }
  const capabilities = Object.entries(test.capabilities).map(([key, value]) => `${key} ${value}`);
  const lines = {
    'can read': test.objectTypes,
    'mapped to': test.entityTypes,
    offers: capabilities,
  };
  return [
    `${colors.green('✓')} ${what} answers`,
    ...Object.entries(lines)
      .filter(([, values]) => values.length > 0)
      .map(([title, values]) => `  ${title}: ${values.join(', ')}`),
  ].join('\n');
}
