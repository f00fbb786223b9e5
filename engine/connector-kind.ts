/** The kinds of connected system, and the modes in which each can be exported. */
import type { Mode } from './job.ts';

/**
 * A file says what there is, not what changed, so CSV is complete-only.
 */
export const connectorKinds = {
  csv: { modes: ['complete'] },
} as const satisfies Record<string, { readonly modes: readonly Mode[] }>;

export type ConnectorKind = keyof typeof connectorKinds;

/** True when connectors of this kind can run in this mode. */
export function supportsMode(kind: ConnectorKind, mode: Mode): boolean {
  return (connectorKinds[kind].modes as readonly Mode[]).includes(mode);
}
