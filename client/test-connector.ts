/** Tests the connection of a connector, by a worker: it has the credentials, and the way to the connected system. */
import type {
  ConnectionError,
  ConnectionFacts,
  ConnectionTest,
} from '../engine/connection-test.ts';
import { testConnectorType } from '../workflows/identifiers.ts';
import { requireConnector } from './run.ts';
import type { Session } from './session.ts';
import { haveWorkerLook } from './source-look.ts';

/** What `lockstep test <connector>` prints. */
export interface ConnectorTest extends ConnectionFacts {
  readonly name: string;
  readonly kind: string;
  /** True only after something was read with the connector's credentials. */
  readonly ok: boolean;
  /** The entity types that are mapped to it. */
  readonly entityTypes: readonly string[];
  readonly error: ConnectionError | null;
}

const unknown: ConnectionFacts = { version: null, objectTypes: [], capabilities: {} };

/** @throws LockstepError `NotFound` when there is no such connector, or why no worker could try */
export async function testConnector(session: Session, name: string): Promise<ConnectorTest> {
  const { kind } = await requireConnector(session, name);
  const { entityTypes } = await session.configuration();
  const mapped = [...entityTypes.values()].filter(({ connector }) => connector === name);
  const test = await haveWorkerLook<ConnectionTest>(session, name, {
    type: testConnectorType,
    kind: 'test',
    summary: 'a test of its connection',
  });
  const facts = test.ok ? test : unknown;
  return {
    name,
    kind,
    version: facts.version,
    ok: test.ok,
    entityTypes: mapped.map((each) => each.name),
    objectTypes: facts.objectTypes,
    capabilities: facts.capabilities,
    error: test.ok ? null : test.error,
  };
}
