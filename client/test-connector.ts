/** Tests the connection of a connector, by a worker: it has the credentials, and the way to the connected system. */
import type {
  ConnectionError,
  ConnectionFacts,
  ConnectionTest,
} from '../engine/connection-test.ts';
import { testConnectorType } from '../workflows/identifiers.ts';
import { requireConnector } from './run.ts';
import { isDeactivated } from './schedules.ts';
import type { Session } from './session.ts';
import { haveWorkerLook } from './source-look.ts';

/** What `lockstep test <connector>` prints. */
export interface ConnectorTest extends Required<ConnectionFacts> {
  readonly name: string;
  /** False while it is disabled, or taken out of its schedules. */
  readonly enabled: boolean;
  readonly kind: string;
  /** True only after something was read with the connector's credentials. */
  readonly ok: boolean;
  /** The entity types that are mapped to it. */
  readonly entityTypes: readonly string[];
  readonly error: ConnectionError | null;
}

const nothing = { version: null, objectTypes: [], capabilities: {}, probed: {}, quirks: [] };

/** @throws LockstepError `NotFound` when there is no such connector, or why no worker could try */
export async function testConnector(session: Session, name: string): Promise<ConnectorTest> {
  const { kind, enabled } = await requireConnector(session, name);
  const { entityTypes } = await session.configuration();
  const mapped = [...entityTypes.values()].filter(({ connector }) => connector === name);
  const [test, isOut] = await Promise.all([
    haveWorkerLook<ConnectionTest>(session, name, {
      type: testConnectorType,
      kind: 'test',
      summary: 'a test of its connection',
    }),
    isDeactivated(session, name),
  ]);
  const facts = { ...nothing, ...(test.ok && test) };
  return {
    name,
    enabled: enabled && !isOut,
    kind,
    version: facts.version,
    ok: test.ok,
    entityTypes: mapped.map((each) => each.name),
    objectTypes: facts.objectTypes,
    capabilities: facts.capabilities,
    probed: facts.probed,
    quirks: facts.quirks,
    error: test.ok ? null : test.error,
  };
}
