/** `${ENV_NAME}` in a configuration value: the only way a secret gets in. */
import type { Finding } from './finding.ts';

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Replaces every `${ENV_NAME}` in the strings of a document; one that is not set becomes a finding. */
export function interpolate(
  document: unknown,
  environment: NodeJS.ProcessEnv,
  findings: Finding[],
  path: readonly (string | number)[] = [],
): unknown {
  if (typeof document === 'string') {
    return document.replaceAll(reference, (_, name: string) => {
      const value = environment[name];
      if (value === undefined) {
        findings.push({ path, message: `the environment variable ${name} is not set` });
      }
      return value ?? '';
    });
  }
  if (Array.isArray(document)) {
    return document.map((item, index) =>
      interpolate(item, environment, findings, [...path, index]),
    );
  }
  if (document !== null && typeof document === 'object') {
    return Object.fromEntries(
      Object.entries(document).map(([key, value]) => [
        key,
        interpolate(value, environment, findings, [...path, key]),
      ]),
    );
  }
  return document;
}
