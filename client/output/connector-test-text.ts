/** What a test of a connection found, in words. */
import type { ConnectorTest } from '../test-connector.ts';
import type { Terminal } from './terminal.ts';

/** One line for the outcome, and one for each thing that is known. */
export function connectorTestText({ colors }: Terminal, test: ConnectorTest): string {
  const { name, kind, version, ok, error } = test;
  const what = `${name} (${kind}${version === null ? '' : ` ${version}`})`;
  const out = test.enabled ? '' : `, and is taken out of its schedules (lockstep activate ${name})`;
  if (!ok && error !== null) {
    const cause = error.cause === null ? '' : ` [${error.cause}]`;
    return [
      `${colors.red('✗')} ${what} cannot be read: ${error.code}${cause}${out}`,
      `  ${error.message}`,
      `  ${colors.dim(error.hint)}`,
    ].join('\n');
  }
  const capabilities = Object.entries(test.capabilities).map(([key, value]) => `${key} ${value}`);
  const lines = {
    'can read': test.objectTypes,
    'mapped to': test.entityTypes,
    offers: capabilities,
    tried: Object.entries(test.probed).map(([what, outcome]) => `${what}: ${outcome}`),
    'allowances made for': test.quirks,
  };
  return [
    `${colors.green('✓')} ${what} answers${out}`,
    ...Object.entries(lines)
      .filter(([, values]) => values.length > 0)
      .map(([title, values]) => `  ${title}: ${values.join(', ')}`),
  ].join('\n');
}
