/** Going on after a server was away for a moment: a wait of hours must survive a restart of what it waits for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LockstepError } from '../engine/errors.ts';
import { isTemporalOutage } from './temporal.ts';

/** How long a server may be away before a wait gives up. */
const patienceMs = 60_000;
const pauseMs = 500;

/** SQLSTATE classes and codes, and codes of the system, that speak of the connection and not of the statement. */
const storeOutage =
  /^(08...|57P0[1-5]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|P1001|P1002|P1008|P1017)$/;
const storeOutageText =
  /Connection terminated|ECONNREFUSED|ECONNRESET|timeout exceeded when trying to connect|Can't reach database|the database system is|terminating connection|Server has closed the connection/i;

/** PostgreSQL's and Prisma's ways of saying that a table does not exist. */
const undefinedTable = '42P01';
const tableMissing = 'P2021';

/** True when PostgreSQL could not be asked. */
export function isStoreOutage(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, message } = cause as { code?: unknown; message: string };
    if (code === 'StoreUnavailable') return true;
    if (typeof code === 'string' && storeOutage.test(code)) return true;
    if (storeOutageText.test(message)) return true;
  }
  return false;
}

/** The same error, in our words when it says that a server is away or not made ready. */
export function inOurWords(error: unknown): unknown {
  if (error instanceof LockstepError) return error;
  const { code } = error as { code?: unknown };
  if (code === undefinedTable || code === tableMissing) {
    return new LockstepError(
      'StoreUnavailable',
      'The database does not have the tables of Lockstep',
      {
        hint: 'Run `lockstep migrate`.',
        cause: error,
      },
    );
  }
  if (isTemporalOutage(error)) {
    return new LockstepError('TemporalUnavailable', 'Temporal does not answer', { cause: error });
  }
  if (isStoreOutage(error)) {
    return new LockstepError('StoreUnavailable', 'PostgreSQL does not answer', { cause: error });
  }
  return error;
}

/**
 * Calls `ask` until it answers. While a server is away it is asked again, for a minute at most, and `note` says so
 * once when it goes and once when it is back.
 *
 * @throws LockstepError `StoreUnavailable` or `TemporalUnavailable` when it stays away; any other error at once.
 */
export async function throughOutages<Answer>(
  ask: () => Promise<Answer>,
  note: (text: string) => void,
  signal?: AbortSignal,
): Promise<Answer> {
  let since: number | undefined;
  while (true) {
    try {
      const answer = await ask();
      if (since !== undefined) note('The server answers again.');
      return answer;
    } catch (error) {
      const known = inOurWords(error);
      const isAway =
        known instanceof LockstepError &&
        (known.code === 'StoreUnavailable' || known.code === 'TemporalUnavailable');
      if (!isAway) throw known;
      if (since === undefined) {
        since = Date.now();
        note(`${known.message}; trying for ${patienceMs / 1000} s. The job itself goes on.`);
      }
      if (Date.now() - since > patienceMs) throw known;
      await sleep(pauseMs, undefined, signal ? { signal } : {});
    }
  }
}
