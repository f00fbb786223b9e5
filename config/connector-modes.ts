/** The modes in which a connector can be exported: what its kind can, and its sources. */
import { type ConnectorKind, supportsMode } from '../engine/connector-kind.ts';
import type { Mode } from '../engine/job.ts';
import type { ConnectedDocument } from './connected-document.ts';

/** Incremental is what at least one source tells the changes of; the others are read completely then. */
export function modesOf(
  { entityTypes, associations }: ConnectedDocument,
  connector: string,
  kind: ConnectorKind,
): Mode[] {
  const tellsChanges = [...Object.values(entityTypes), ...Object.values(associations)].some(
    ({ source, ...each }) =>
      each.connector === connector &&
      typeof source === 'object' &&
      'watermark' in source &&
      source.watermark !== undefined,
  );
  return (['complete', 'incremental'] as const).filter(
    (mode) => supportsMode(kind, mode) && (mode === 'complete' || tellsChanges),
  );
}
