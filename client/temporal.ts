/** The connection to Temporal, and which of its errors mean what. */
import {
  Client,
  Connection,
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { LockstepError } from '../engine/errors.ts';

const unavailable = 14;
const deadlineExceeded = 4;
const cancelled = 1;
const notFound = 5;
const resourceExhausted = 8;

/** Connects, or says within five seconds that it cannot. */
export async function connectTemporal(
  server: ClientConnectConfig,
  identity: string,
): Promise<Client> {
  const { address = 'localhost:7233' } = server.connectionOptions;
  const { connectionOptions, namespace } = server as {
    connectionOptions: Parameters<typeof Connection.connect>[0];
    namespace?: string;
  };
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' });
    return new Client({ connection, identity, ...(namespace !== undefined && { namespace }) });
  } catch (cause) {
    throw new LockstepError('TemporalUnavailable', `Temporal does not answer at ${address}`, {
      cause,
    });
  }
}

/** True when the server could not be asked; asking again later may succeed. */
export function isTemporalOutage(error: unknown): boolean {
  const code = grpcCode(error);
  return (
    code === unavailable ||
    code === deadlineExceeded ||
    code === cancelled ||
    code === resourceExhausted
  );
}

/** True when Temporal does not know the workflow or schedule, or the workflow has ended. */
export function isUnknownToTemporal(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || grpcCode(error) === notFound;
}

function grpcCode(error: unknown): number | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? cause.code : undefined;
}
