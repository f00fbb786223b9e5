/** Opens the identity store: Prisma for ordinary reads and writes, a pool for set-based SQL and COPY on the same tables. */
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { LockstepError } from '../engine/errors.ts';
import { PrismaClient } from '../prisma/generated/client.ts';

/** One connection, within a transaction. */
export type Session = pg.PoolClient;

/** An open identity store. */
export interface Store {
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  /**
   * Runs `work` in one transaction on one connection: committed when it returns, rolled back when it throws. When
   * `signal` is aborted, the statement at work is cancelled, and so the transaction.
   *
   * @throws LockstepError `StoreUnavailable` when there is no connection, or it breaks
   */
  transaction<Result>(
    isolation: 'read committed' | 'repeatable read',
    work: (session: Session) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>;
  close(): Promise<void>;
}

/**
 * Opens the store. Connections are made when first needed.
 *
 * @param name shown as `application_name` in pg_stat_activity
 */
export function openStore(databaseUrl: string, name: string): Store {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 10,
    application_name: name,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    // A worker that dies without a word must not keep its locks for long.
    options:
      '-c idle_in_transaction_session_timeout=120000 -c client_connection_check_interval=10000 -c jit=off',
  });
  // A connection that breaks while idle is replaced; without a listener it would end the process.
  pool.on('error', () => {});
  // Nor must one that breaks while it is used, but waits for no answer.
  pool.on('connect', (session) => session.on('error', () => {}));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    prisma,
    pool,
    async transaction(isolation, work, signal) {
      const session = await connect(pool);
      let broken: Error | undefined;
      const breaks = (error: Error) => {
        broken ??= error;
      };
      // Between two statements nobody else is told.
      session.on('error', breaks);
      const cancel = () => void cancelStatement(pool, session);
      signal?.addEventListener('abort', cancel);
      try {
        await session.query(`begin isolation level ${isolation}`);
        const result = await work(session);
        await session.query('commit');
        return result;
      } catch (error) {
        await session.query('rollback').catch(breaks);
        throw broken ? connectionLost(broken) : error;
      } finally {
        signal?.removeEventListener('abort', cancel);
        session.release(broken);
        session.off('error', breaks);
      }
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    throw new LockstepError('StoreUnavailable', 'PostgreSQL does not accept a connection', {
      cause,
    });
  }
}

function connectionLost(cause: Error): LockstepError {
  return new LockstepError('StoreUnavailable', 'the connection to PostgreSQL broke', { cause });
}

/** Cancels what a session is doing, from outside: it hears nothing itself while a statement runs. */
async function cancelStatement(pool: pg.Pool, session: Session): Promise<void> {
  const { processID } = session as Session & { readonly processID: number };
  await pool.query('select pg_cancel_backend($1)', [processID]).catch(() => {});
}
