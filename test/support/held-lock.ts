// Makes PostgreSQL itself stop a worker at an exact statement: a lock that a test holds and lets go.

import { type JobStack, until } from './job-stack.ts';

/** A lock that a test holds; `await using` lets it go at the end. */
export interface HeldLock extends AsyncDisposable {
  /** Waits until a session of a worker waits for this lock, or stands in line behind one that does. */
  hasStopped(statement: string): Promise<void>;
  release(): Promise<void>;
}

/** Runs statements in a transaction that stays open, at the longest as the stack: what they lock stands in the way. */
export async function hold(
  { pool, disposables }: JobStack,
  ...statements: readonly [sql: string, values: unknown[]][]
): Promise<HeldLock> {
  const session = await pool.connect();
  let held = true;
  await session.query('begin');
  for (const [sql, values] of statements) await session.query(sql, values);
  const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid;
  const release = async () => {
    if (!held) return;
    held = false;
    await session.query('rollback');
    session.release();
  };
  disposables.defer(release);
  return {
    release,
    [Symbol.asyncDispose]: release,
    async hasStopped(statement) {
      await until(async () => {
        const { rowCount } = await pool.query(
          `select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)) and query ilike '%' || $2 || '%'`,
          [pid, statement],
        );
        return (rowCount ?? 0) > 0;
      }, `a worker waits at “${statement}”`);
    },
  };
}
