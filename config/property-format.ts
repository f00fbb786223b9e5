/** The format of a scalar property as written, with the defaults. */
import type { ConnectorKind } from '../engine/connector-kind.ts';
import { anyIsoTime } from '../engine/date-format.ts';
import { defaultBooleanWords, type ValueFormat } from '../engine/value-format.ts';
import type { PropertyDocument } from './document.ts';

/** Options that only some types have. */
export const formatOptions = [
  'format',
  'timezone',
  'decimalSeparator',
  'groupSeparator',
  'true',
  'false',
] as const;

/** Which of them a type has. */
export const optionsOfType: Record<ValueFormat['type'], readonly (typeof formatOptions)[number][]> =
  {
    string: [],
    integer: [],
    number: ['decimalSeparator', 'groupSeparator'],
    boolean: ['true', 'false'],
    date: ['format'],
    datetime: ['format', 'timezone'],
  };

/** Reads the format of a property; its default is what sources of this kind give. */
export function readFormat(
  type: NonNullable<PropertyDocument['type']>,
  document: PropertyDocument,
  kind: ConnectorKind | undefined,
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
        format:
          document.format ??
          (kind === undefined || kind === 'csv' ? "yyyy-MM-dd'T'HH:mm:ssXXX" : anyIsoTime),
        timezone: document.timezone ?? 'UTC',
      };
  }
}
