/** The modes in which a connector can be exported: what its kind can, and its sources. */
import { supportsMode } from '../engine/connector-kind.ts';
import type { Mode } from '../engine/job.ts';
import type { ConnectedDocument } from './connected-document.ts';
import type { ConnectorDocument } from './document.ts';

/** Incremental is what at least one source tells the changes of; the others are read completely then. */
export function modesOf(
  { connectors, entityTypes, associations }: ConnectedDocument,
  connector: string,
): Mode[] {
  const document = connectors[connector] as ConnectorDocument;
  const tellsChanges =
    document.kind === 'scim'
      ? document.incremental !== undefined
      : [...Object.values(entityTypes), ...Object.values(associations)].some(
          ({ source, ...each }) =>
            each.connector === connector &&
            typeof source === 'object' &&
            'watermark' in source &&
            source.watermark !== undefined,
        );
  return (['complete', 'incremental'] as const).filter(
    (mode) => supportsMode(document.kind, mode) && (mode === 'complete' || tellsChanges),
  );
}
