/** The kinds of connected system, the modes in which each can be exported, and whether it can be written to. */
import type { Mode } from './job.ts';

/**
 * A file says what there is, not what changed, so CSV and XLSX are complete-only. A database can tell, of the sources that have a
 * watermark; a SCIM service, where its `meta.lastModified` is trusted. That one can be written to.
 */
export const connectorKinds = {
  csv: { modes: ['complete'], writes: false },
  sql: { modes: ['complete', 'incremental'], writes: false },
  xlsx: { modes: ['complete'], writes: false },
  scim: { modes: ['complete', 'incremental'], writes: true },
} as const satisfies Record<string, { readonly modes: readonly Mode[]; readonly writes: boolean }>;

export type ConnectorKind = keyof typeof connectorKinds;

/** True when connectors of this kind can run in this mode. */
export function supportsMode(kind: ConnectorKind, mode: Mode): boolean {
  return (connectorKinds[kind].modes as readonly Mode[]).includes(mode);
}

/** Why a connector of this kind has no incremental mode, after its name. */
export function withoutIncremental(kind: ConnectorKind): string {
  if (kind === 'sql') return 'none of whose sources has a watermark, so it has no incremental mode';
  if (kind === 'scim')
    return 'which lacks `incremental: lastModified`, so it has no incremental mode';
  return 'which has no incremental mode';
}
